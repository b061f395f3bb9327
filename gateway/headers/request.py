"""A client's fields, checked and sorted once: what passes, what was for us, and how the body is framed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from gateway.headers.checks import HTTP_11, Apart, Version, check_apart, check_connection, named_by_connection
from gateway.headers.lists import has_control
from gateway.headers.places import PLACES, Place
from gateway.headers.refusal import Refusal, malformed
from gateway.model import Header

if TYPE_CHECKING:
    from collections.abc import Sequence

Field = tuple[bytes, Header]
"""A field, and before it its name in lower case with dashes for underscores."""

_PASS: Final = Place.PASS
_APART: Final = Place.APART
_FAULTS: Final = {
    Place.NO_TOKEN: "a field's name is not a token",
    Place.SHADOW: "a field's name has an underscore where a known one has a dash",
}


class RequestHead(Struct, frozen=True, kw_only=True):
    """A request's fields that passed all checks.

    `host` is the authority asked for, as it came (empty on HTTP/1.0 without one). `fields` are those that pass;
    `forwarding` are those of `Forwarded`'s kind, which only a trusted peer may say. `apart` holds the values of fields
    that have rules of their own, by name in lower case. `length` is the body's in bytes, None when none was said.
    """

    host: bytes
    fields: list[Field]
    forwarding: list[Field]
    apart: Apart
    length: int | None
    chunked: bool
    expects_continue: bool

    def values(self, name: bytes) -> Sequence[bytes]:
        """Return all values of a field that was set apart (`accept`, `x-request-id`, …)."""
        return self.apart.get(name, ())


def read_request(
    headers: Sequence[Header], *, version: Version = HTTP_11, authority: bytes | None = None
) -> RequestHead | Refusal:
    """Check a request's fields and sort them.

    `authority` is that of a target in absolute-form, which `Host` must repeat (RFC 9112 section 3.2.2). The code of a
    refusal is `malformed_request` or `expectation_failed`.
    """
    apart: Apart = {}
    fields: list[Field] = []
    forwarding: list[Field] = []
    fault = _sort(headers, apart, fields, forwarding)
    if fault is not None:
        return malformed(fault)
    named = named_by_connection(apart.get(b"connection", ()))
    refusal = (check_connection(named) if named else None) or check_apart(apart, version, authority)
    if refusal is not None:
        return refusal
    lengths = apart.get(b"content-length")
    return RequestHead(
        host=apart.get(b"host", [b""])[0] or authority or b"",
        fields=_less(named, fields),
        forwarding=_less(named, forwarding),
        apart={name: values for name, values in apart.items() if name not in named} if named else apart,
        length=int(lengths[0]) if lengths else None,
        chunked=b"transfer-encoding" in apart,
        expects_continue=b"expect" in apart and version >= HTTP_11,
    )


def _sort(headers: Sequence[Header], apart: Apart, fields: list[Field], forwarding: list[Field]) -> str | None:
    """Put every field in its place; return what is wrong with a name or a value as such."""
    for header in headers:
        name, place = PLACES[header[0]]
        if place is _PASS:
            fields.append((name, header))
        elif place is _APART:
            apart.setdefault(name, []).append(header[1])
        elif place is Place.SINGLE:
            if any(name == other for other, _ in fields):
                return "a field that comes once is repeated"
            fields.append((name, header))
        elif place is Place.FORWARDING:
            forwarding.append((name, header))
        elif place in _FAULTS:
            return _FAULTS[place]
    control = has_control(b"".join([value for _, value in headers]))
    return "a field's value holds a control character" if control else None


def _less(named: frozenset[bytes], fields: list[Field]) -> list[Field]:
    """Return the fields that `Connection` does not name."""
    return [field for field in fields if field[0] not in named] if named else fields
