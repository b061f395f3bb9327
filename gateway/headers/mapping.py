"""Addresses of an upstream in its replies, mapped to ours: `Location`, `Content-Location`, and cookies.

Only what lies under the upstream's base URL has a place here; whatever else an upstream points at passes as it came.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from gateway.headers.host import split_authority
from gateway.headers.lists import SPACE

_DEFAULT_PORTS: Final = {b"http": b":80", b"https": b":443"}
_ENDS: Final = (b"/", b"?", b"#")


class AddressMap(Struct, frozen=True, kw_only=True):
    """An upstream's base URL, and where clients find it.

    `authority` is the base's in lower case, without the port where it is the scheme's own; `path` is the base's path.
    `public` stands in their place: `https://gateway.example/salla`, or `/salla` where our own address is not known.
    Neither path ends in a slash; the root is empty.
    """

    authority: bytes
    path: bytes
    public: bytes

    def url(self, value: bytes) -> bytes:
        """Map the value of `Location` or `Content-Location`: an address, or a path from the root."""
        path = self._path_of(value)
        rest = None if path is None else self._below(path)
        return value if rest is None else (self.public + rest or b"/")

    def cookie(self, value: bytes) -> bytes:
        """Map a `Set-Cookie`: a `Domain` of the upstream's goes (it becomes our host's), a `Path` gets our prefix.

        A name that begins with `__Host-` demands `Path=/` (RFC 6265bis section 4.1.3.2) and keeps it.
        """
        pair, *attributes = value.split(b";")
        keeps_path = pair.lstrip(SPACE).lower().startswith(b"__host-")
        kept = [
            attribute if keeps_path else self._cookie_path(attribute)
            for attribute in attributes
            if not self._is_domain(attribute)
        ]
        return b";".join([pair, *kept])

    def _path_of(self, value: bytes) -> bytes | None:
        """Return what follows the authority of an address of the upstream; None for any other."""
        if value.startswith(b"//"):
            scheme, rest = b"", value[2:]
        elif value.startswith(b"/"):
            return value
        else:
            scheme, _, rest = value.partition(b"://")
            scheme = scheme.lower()
            if scheme not in _DEFAULT_PORTS:
                return None
        end = min((at for mark in _ENDS if (at := rest.find(mark)) >= 0), default=len(rest))
        authority = rest[:end].lower().removesuffix(_DEFAULT_PORTS.get(scheme, b":"))
        return rest[end:] if authority == self.authority else None

    def _below(self, path: bytes) -> bytes | None:
        """Return what follows the base's path; None outside of it, or where a dot segment might lead outside."""
        rest = path.removeprefix(self.path)
        outside = len(path) - len(rest) != len(self.path) or not (rest == b"" or rest.startswith(_ENDS))
        plain = rest.partition(b"?")[0].partition(b"#")[0].lower().replace(b"%2e", b".")
        return None if outside or b"/." in plain or b"\\" in plain else rest

    def _is_domain(self, attribute: bytes) -> bool:
        """Tell whether an attribute is a `Domain` that the upstream's host lies in."""
        name, _, domain = attribute.partition(b"=")
        if name.strip(SPACE).lower() != b"domain":
            return False
        wanted = domain.strip(SPACE).lower().removeprefix(b".")
        host = split_authority(self.authority)[0]
        return host == wanted or host.endswith(b"." + wanted)

    def _cookie_path(self, attribute: bytes) -> bytes:
        """Map a `Path`; one that covers the base covers all that clients can reach of this upstream: our prefix."""
        name, _, path = attribute.partition(b"=")
        if name.strip(SPACE).lower() != b"path":
            return attribute
        path = path.strip(SPACE).rstrip(b"/")
        ours = self._public_path()
        if (self.path + b"/").startswith(path + b"/"):
            return name + b"=" + (ours or b"/")
        rest = self._below(path)
        return attribute if rest is None else name + b"=" + ours + rest

    def _public_path(self) -> bytes:
        """Return the path of `public`."""
        _, separator, after = self.public.partition(b"://")
        return after[len(after.partition(b"/")[0]) :] if separator else self.public
