"""Addresses of an upstream in its replies, mapped to ours: `Location`, `Content-Location`, `Link`, page links, cookies.

What lies under the upstream's base URL has a place here. What is the upstream's but lies elsewhere has none: as it came
it would show where the upstream stands, or lead into another upstream of ours. Other hosts pass as they came.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from gateway.headers.host import split_authority
from gateway.headers.links import link_values
from gateway.headers.lists import SPACE
from gateway.headers.query import strip_parameters

_DEFAULT_PORTS: Final = {b"http": frozenset({b"80"}), b"https": frozenset({b"443"})}
_ANY_DEFAULT: Final = frozenset({b"80", b"443"})
_SCHEMES: Final = frozenset({b"", *_DEFAULT_PORTS})
_ENDS: Final = (b"/", b"?", b"#")
_UNSEEN: Final = b"\t\r\n"
"""What browsers drop from addresses before they read them."""
_OTHER_HOST: Final = (b"//", b"/\\")
"""How a reference to another host begins (RFC 3986 section 4.2); browsers take a backslash for a slash."""
_DOTS: Final = frozenset({b".", b".."})


class AddressMap(Struct, frozen=True, kw_only=True):
    """An upstream's base URL, and where clients find it.

    `authority` is the base's in lower case, without the port where it is the scheme's own; `path` is the base's path.
    `public` stands in their place: `https://gateway.example/salla`, or `/salla` where our own address is not known.
    Neither path ends in a slash; the root is empty. `parameters` are those in which credentials of ours go upstream;
    they never come back.
    """

    authority: bytes
    path: bytes
    public: bytes
    parameters: frozenset[bytes] = frozenset()

    def url(self, value: bytes) -> bytes | None:
        """Map an address or a path; None for one of the upstream's to which no way leads through us.

        A reference relative to the request's own address is already right. A path never becomes another host.
        """
        scheme, authority, path = _parted(value.translate(None, _UNSEEN))
        if scheme not in _SCHEMES or (scheme and authority is None):
            return value
        if authority is None and not path.startswith(b"/"):
            return strip_parameters(value, self.parameters)
        if authority is not None and not self._is_upstream(scheme, authority):
            return value
        rest = self._below(path)
        if rest is None:
            return None
        mapped = self.public + strip_parameters(rest, self.parameters) or b"/"
        return b"/." + mapped if mapped.startswith(_OTHER_HOST) else mapped

    def link(self, address: str | None) -> str | None:
        """Map an address that stands in a document."""
        mapped = None if address is None else self.url(address.encode("utf-8", "surrogatepass"))
        return None if mapped is None else mapped.decode("utf-8", "surrogatepass")

    def links(self, value: bytes) -> bytes | None:
        """Map the targets of a `Link`, and leave out what has no place here; None when nothing is left."""
        kept = [
            b"%s<%s>%s" % (link.before, mapped, link.after)
            for link in link_values(value)
            if (mapped := self.url(link.target)) is not None
        ]
        return b",".join(kept).lstrip(SPACE) or None

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

    def _is_upstream(self, scheme: bytes, authority: bytes) -> bool:
        """Tell whether an authority is the upstream's, however it is written: any case, a user, a default port.

        Where the base has its scheme's own port, http and https are one: behind a proxy that ends TLS, servers mix up
        both.
        """
        name, port = split_authority(authority.rpartition(b"@")[2].lower())
        own_name, own_port = split_authority(self.authority)
        ports = frozenset({port}) if port else _DEFAULT_PORTS.get(scheme, _ANY_DEFAULT)
        own_ports = frozenset({own_port}) if own_port else _ANY_DEFAULT
        return name.removesuffix(b".") == own_name and not ports.isdisjoint(own_ports)

    def _below(self, path: bytes) -> bytes | None:
        """Return what follows the base's path; None outside of it, or where a dot segment might lead outside."""
        rest = path.removeprefix(self.path)
        outside = len(path) - len(rest) != len(self.path) or not (rest == b"" or rest.startswith(_ENDS))
        plain = rest.partition(b"?")[0].partition(b"#")[0].lower().replace(b"%2e", b".")
        return None if outside or b"\\" in plain or not _DOTS.isdisjoint(plain.split(b"/")) else rest

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


def _parted(reference: bytes) -> tuple[bytes, bytes | None, bytes]:
    """Return scheme in lower case, authority (None without one), and all behind it (RFC 3986 section 3)."""
    scheme, colon, _ = reference[: _end(reference)].partition(b":")
    if not colon:
        scheme = b""
    rest = reference[len(scheme) + len(colon) :]
    if not rest.startswith(b"//"):
        return scheme.lower(), None, rest
    end = 2 + _end(rest[2:])
    return scheme.lower(), rest[2:end], rest[end:]


def _end(text: bytes) -> int:
    """Return where an authority, or a scheme before one, is over at the latest."""
    return min((at for mark in _ENDS if (at := text.find(mark)) >= 0), default=len(text))
