"""What a request line may not say, beyond what aiohttp's parser refuses, and how long a head may be.

Pure functions on a head that was parsed. llhttp is strict about bytes, but it lets by versions that this server does
not speak and targets with a fragment; the fields are read by `gateway.headers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from gateway.model import Headers

_LINE_EXTRA_BYTES: Final = 4
"""A field line has a colon, a space and CRLF beside its name and its value."""

_SPOKEN: Final = ((1, 1), (1, 0))
_SCHEMES: Final = (b"http", b"https")


class Target(Struct, frozen=True):
    """A request target: the path with its query as they came, and the authority of an absolute-form, else None.

    The path is `*` for an OPTIONS request that asks about the server.
    """

    path: bytes
    authority: bytes | None = None


def read_target(version: tuple[int, int], target: bytes) -> Target | None:
    """Return what a request line asks for, None for one that is refused (RFC 9112 section 3.2)."""
    if version not in _SPOKEN or b"#" in target:
        return None
    if target.startswith(b"/") or target == b"*":
        return Target(target)
    scheme, found, rest = target.partition(b"://")
    if not found or scheme.lower() not in _SCHEMES:
        return None
    end = min((at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0), default=len(rest))
    path = rest[end:]
    return Target(path if path.startswith(b"/") else b"/" + path, rest[:end])


def head_size(target: bytes, headers: Headers) -> int:
    """Return how many bytes a head had, near enough."""
    return len(target) + sum(len(name) + len(value) + _LINE_EXTRA_BYTES for name, value in headers)
