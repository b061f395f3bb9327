"""What goes back to a client: the upstream's fields, less those of one connection and those that are no longer true."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gateway.headers import names
from gateway.headers.checks import HTTP_11, named_by_connection
from gateway.headers.lists import SPACE, has_control
from gateway.headers.places import PLACES, Place
from gateway.headers.refusal import Refusal
from gateway.headers.via import via_field
from gateway.model import Translation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.headers.checks import Version
    from gateway.headers.mapping import AddressMap
    from gateway.headers.request import Field
    from gateway.headers.secrets import Secrets
    from gateway.model import Header, Headers

_NEVER: Final = names.HOP_BY_HOP | names.FRAMING | names.OF_THIS_HOP
_LOCATIONS: Final = (b"location", b"content-location")
_LINK: Final = b"link"
_SET_COOKIE: Final = b"set-cookie"
_NOT_HTTP: Final = Refusal("upstream_protocol_error", "the upstream's reply has a field that is not HTTP")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRules:
    """What one upstream's replies look like, worked out at load.

    `via` is our name in `Via`. `own_credential`: the request carried a credential of ours, so challenges are not the
    client's business, nor is a session that was opened for us, unless `cookies` says so; `secrets` is what must not be
    echoed of it. `keep_rate`: rate fields pass as they came. `drop` are further names, in lower case. `addresses` says
    how addresses of the upstream become ours, and `locations` and `cookies` where that is done.
    """

    via: bytes
    own_credential: bool = False
    secrets: Secrets | None = None
    keep_rate: bool = True
    drop: frozenset[bytes] = frozenset()
    addresses: AddressMap | None = None
    locations: bool = True
    cookies: bool = False
    unwanted: Mapping[Translation, frozenset[bytes]] = field(init=False, repr=False)
    mapped: Mapping[bytes, Callable[[bytes], bytes | None]] = field(init=False, repr=False)
    prefixes: tuple[bytes, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Work out what is dropped and what is mapped."""
        passed = _NEVER | self.drop
        if self.own_credential:
            passed |= names.CHALLENGES | (frozenset() if self.cookies else {_SET_COOKIE})
        rewritten = passed | names.OF_THE_BODY
        unwanted = {
            Translation.NONE: passed,
            Translation.PASSED: passed,
            Translation.UNIFIED: rewritten,
            Translation.PROBLEM: rewritten | names.OF_THE_ANSWER,
        }
        object.__setattr__(self, "unwanted", unwanted)
        object.__setattr__(self, "prefixes", () if self.keep_rate else names.RATE_PREFIXES)
        mapped: dict[bytes, Callable[[bytes], bytes | None]] = {}
        if self.addresses is not None:
            mapped |= dict.fromkeys(_LOCATIONS if self.locations else (), self.addresses.url)
            mapped |= dict.fromkeys((_LINK,) if self.locations else (), self.addresses.links)
            mapped |= dict.fromkeys((_SET_COOKIE,) if self.cookies else (), self.addresses.cookie)
        object.__setattr__(self, "mapped", mapped)


def reply_to_client(
    headers: Sequence[Header],
    rules: ReplyRules,
    translation: Translation = Translation.NONE,
    *,
    version: Version = HTTP_11,
) -> Headers | Refusal:
    """Return the fields for the client, all but those that frame the body; refuse a head that is no HTTP.

    `translation` says what becomes of the body: UNIFIED and PROBLEM drop what described the old one. Our own fields
    (`X-Request-Id`, `Proxy-Status`, `RateLimit`, …) are added by whoever answers. `Server` passes as it came: it speaks
    of the origin (RFC 9110 section 10.2.4).
    """
    unwanted, mapped, prefixes = rules.unwanted[translation], rules.mapped, rules.prefixes
    fields: list[Field] = []
    connection: list[bytes] = []
    for header in headers:
        name, place = PLACES[header[0]]
        if place is Place.NO_TOKEN:
            return _NOT_HTTP
        if name == b"connection":
            connection.append(header[1])
        elif name not in unwanted and not name.startswith(prefixes):
            value = mapped[name](header[1]) if name in mapped else header[1]
            if value is not None:
                fields.append((name, header if value is header[1] else (header[0], value)))
    values = b"".join([value for _, value in headers])
    if has_control(values):
        return _NOT_HTTP
    named = named_by_connection(connection)
    passed = [header for name, header in fields if name not in named]
    if rules.secrets is not None and rules.secrets.shown_in(values):
        passed = [(name, rules.secrets.redact(value)) for name, value in passed]
    return (*passed, via_field(version, rules.via))


def forbids_transform(headers: Sequence[Header]) -> bool:
    """Tell whether `Cache-Control: no-transform` keeps a success as it is (RFC 9111 section 5.2.2.6)."""
    return any(
        directive.strip(SPACE).lower() == b"no-transform"
        for name, value in headers
        if name.lower() == b"cache-control"
        for directive in value.split(b",")
    )
