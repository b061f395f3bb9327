"""The target in a request line (RFC 9112 section 3.2): which form it has, and what of it matters."""

from __future__ import annotations

from typing import Final, NamedTuple

from gateway.headers.host import is_authority
from gateway.headers.refusal import Refusal, malformed

ASTERISK: Final = b"*"
_FORBIDDEN: Final = bytes((*range(0x21), 0x23, 0x7F))
"""Control characters, space, and `#`: a target has no fragment, and whoever cuts one off sees another path."""
_SCHEMES: Final = frozenset({b"http", b"https"})


class Target(NamedTuple):
    """Where a request goes: the path and query as they came (or `*`), and the authority of absolute-form."""

    path: bytes
    authority: bytes | None = None


def read_target(method: str, raw: bytes) -> Target | Refusal:
    """Read a request's target. CONNECT is `method_not_allowed`: this is no tunnel; what fits no form is malformed."""
    if method == "CONNECT":
        return Refusal("method_not_allowed", "CONNECT is not served")
    if len(raw.translate(None, _FORBIDDEN)) != len(raw):
        return malformed("the target holds a control character, a space or a fragment")
    if raw.startswith(b"/"):
        return Target(path=raw)
    if raw == ASTERISK and method == "OPTIONS":
        return Target(path=ASTERISK)
    return _absolute(raw)


def _absolute(raw: bytes) -> Target | Refusal:
    """Read absolute-form: what clients send that take us for a forward proxy."""
    scheme, separator, rest = raw.partition(b"://")
    end = min((at for mark in (b"/", b"?") if (at := rest.find(mark)) >= 0), default=len(rest))
    authority, path = rest[:end], rest[end:]
    if not separator or scheme.lower() not in _SCHEMES or not is_authority(authority):
        return malformed("the target is neither a path nor an address")
    return Target(path=path if path.startswith(b"/") else b"/" + path, authority=authority)
