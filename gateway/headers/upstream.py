"""What goes to an upstream: the client's fields that passed, less what was for us, and what a proxy must add."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from gateway.headers import names
from gateway.headers.accept import PROBLEM_VIEWS, limited_encodings, without_views
from gateway.headers.checks import HTTP_11, Version
from gateway.headers.forwarding import first_hop, further_hop
from gateway.headers.places import PLACES
from gateway.headers.refusal import Refusal
from gateway.headers.via import names_us, via_field

if TYPE_CHECKING:
    from gateway.headers.request import RequestHead
    from gateway.model import Header, Headers

NOT_CONFIGURABLE: Final = names.HOP_BY_HOP | names.FRAMING | {b"host", b"via", b"expect"}
"""What no configuration may set or remove: this gateway itself answers for it. Names in lower case."""
_OURS: Final = frozenset({
    b"accept",
    b"accept-encoding",
    b"forwarded",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-proto",
    b"x-request-id",
})  # fmt: skip
"""What we add, unless it is set or removed by the configuration."""
REQUEST_ID: Final = b"X-Request-Id"


class Hop(Struct, frozen=True, kw_only=True):
    """What this process knows of one request's way in.

    `peer` is the address at the other end of the connection; `trusted` says that it is a proxy of ours. `scheme` is
    `http` or `https`. `request_id` is the one that we minted; without it the field is left to whoever writes the head,
    which may serve for several requests.
    """

    peer: str
    request_id: bytes | None = None
    scheme: bytes = b"http"
    version: Version = HTTP_11
    trusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRules:
    """What one upstream's requests look like, worked out at load. Names in `remove` and `drop` are in lower case.

    `host` goes upstream as `Host`; `via` is our name in `Via`. `fixed` are fields that are set, credentials of ours
    among them, in place of whatever the client sent under those names. `remove` takes fields away, those that we would
    add too. `drop` are the fields in which clients send *us* their credential. `accept` is what the API needs in place
    of the client's `Accept`. `encodings` are the content codings we can undo, None where no reply is captured.
    `identifies`: the id that we minted goes along. Raises ValueError when `fixed` or `remove` touches a field that this
    package answers for.
    """

    host: bytes
    via: bytes
    fixed: Headers = field(default=(), repr=False)
    remove: frozenset[bytes] = frozenset()
    drop: frozenset[bytes] = frozenset()
    accept: bytes | None = None
    views: frozenset[bytes] = PROBLEM_VIEWS
    encodings: frozenset[bytes] | None = None
    unwanted: frozenset[bytes] = field(init=False)
    hides: bool = field(init=False)
    identifies: bool = field(init=False)

    def __post_init__(self) -> None:
        """Work out what of the client's is not wanted."""
        ours = frozenset(name.lower() for name, _ in self.fixed) | self.remove
        unwanted = frozenset(PLACES[name][0] for name in ours | self.drop)
        if clash := ours & NOT_CONFIGURABLE:
            raise ValueError(f"{', '.join(sorted(name.decode() for name in clash))}: the gateway itself answers for it")
        object.__setattr__(self, "unwanted", unwanted)
        object.__setattr__(self, "hides", not unwanted.isdisjoint(_OURS))
        object.__setattr__(self, "identifies", REQUEST_ID.lower() not in unwanted)


def request_to_upstream(head: RequestHead, rules: RequestRules, hop: Hop) -> Headers | Refusal:
    """Return the fields for an upstream, less those that frame the body; refuse a request that came through us.

    Exactly one `Host`, first; no field of one connection; `Via`, `X-Forwarded-*`, `Forwarded` and `X-Request-Id` added.
    """
    via = head.apart.get(b"via", [])
    if via and names_us(via, rules.via):
        return Refusal("loop_detected", "the request came through this gateway already")
    unwanted = rules.unwanted
    fields = [header for lower, header in head.fields if lower not in unwanted]
    ours = [*_negotiation(head, rules), *_forwarding(head, hop)]
    if hop.request_id is not None:
        ours.append((REQUEST_ID, hop.request_id))
    if rules.hides:
        ours = [header for header in ours if header[0].lower() not in unwanted]
    seen = [(b"Via", value) for value in via]
    return ((b"Host", rules.host), *fields, *ours, *rules.fixed, *seen, via_field(hop.version, rules.via))


def _forwarding(head: RequestHead, hop: Hop) -> Headers:
    if hop.trusted and head.forwarding:
        return further_hop(head.forwarding, hop.peer, hop.scheme, head.host)
    return first_hop(hop.peer, hop.scheme, head.host)


def _negotiation(head: RequestHead, rules: RequestRules) -> list[Header]:
    """Return what is asked of the upstream's representation (RFC 9110 section 12.5); our views are not its business."""
    fields: list[Header] = []
    accepts = head.apart.get(b"accept")
    if rules.accept is not None:
        fields.append((b"Accept", rules.accept))
    elif accepts:
        fields += [(b"Accept", value) for value in without_views(accepts, rules.views)]
    encodings = head.apart.get(b"accept-encoding", [])
    if rules.encodings is not None:
        fields.append((b"Accept-Encoding", limited_encodings(encodings, rules.encodings)))
    else:
        fields += [(b"Accept-Encoding", value) for value in encodings]
    return fields
