"""Who the client is, behind proxies that are trusted (RFC 7239, and the older X-Forwarded-For).

Each proxy adds the address it saw at the right. The client is the right-most address that is no trusted proxy: what
stands left of it was written by somebody who could write anything. Whatever cannot be read, or is said differently by
the two fields, gives the peer itself: the one address that nobody can forge.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final

from gateway.headers.lists import split_quoted, unquoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.model import Headers

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_ADDRESSES_REMEMBERED: Final = 4_096
_PORT_DIGITS: Final = 5
_SPACE: Final = b" \t"


def client_address(peer: str, headers: Headers, trusted: Sequence[Network]) -> str:
    """Return the client's address as text. `peer` is the other end of the connection; it is returned as it is given."""
    if not trusted or not is_trusted(peer, trusted):
        return peer
    said = {
        _right_most_untrusted(hops, trusted)
        for name, read in _FIELDS.items()
        if (hops := [hop for line in _lines(name, headers) for hop in read(line)])
    }
    client = said.pop() if len(said) == 1 else None
    return peer if client is None else client


def is_trusted(address: str, trusted: Iterable[Network]) -> bool:
    """Tell whether an address lies in one of the networks."""
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in trusted)


def _lines(name: bytes, headers: Headers) -> list[bytes]:
    return [value for field, value in headers if len(field) == len(name) and field.lower() == name]


def _right_most_untrusted(hops: Sequence[str | None], trusted: Sequence[Network]) -> str | None:
    """Return the first address from the right that is no proxy of ours; None when something unreadable comes first.

    When all of them are proxies of ours, the left-most one asked for itself.
    """
    for hop in reversed(hops):
        if hop is None or not is_trusted(hop, trusted):
            return hop
    return hops[0]


def _x_forwarded_for(line: bytes) -> list[str | None]:
    """Read one line of X-Forwarded-For: addresses, perhaps with ports, with commas between them."""
    return [_node(item) for item in line.split(b",") if item.strip(_SPACE)]


def _forwarded(line: bytes) -> list[str | None]:
    """Read the `for` parameters of one line of Forwarded (RFC 7239 section 4); a line that is none is unreadable."""
    elements = split_quoted(line, b",")
    if elements is None:
        return [None]
    return [_for(element) for element in elements if element.strip(_SPACE)]


def _for(element: bytes) -> str | None:
    """Return the node of one element's `for`; None when there is none, or more than one."""
    pairs = (pair.partition(b"=") for pair in split_quoted(element, b";") or ())
    nodes = [value.strip(_SPACE) for name, _, value in pairs if name.strip(_SPACE).lower() == b"for"]
    return _node(unquoted(nodes[0])) if len(nodes) == 1 else None


def _node(text: bytes) -> str | None:
    """Return the address of a node, less its port (RFC 7239 section 6); None for `unknown`, `_hidden` and nonsense."""
    text = text.strip(_SPACE)
    if text.startswith(b"["):
        host, bracket, port = text[1:].partition(b"]")
        if not bracket or b":" not in host:
            return None
    elif text.count(b":") == 1:
        host, _, port = text.partition(b":")
        port = b":" + port
    else:
        host, port = text, b""
    if (port and not _is_port(port)) or b"%" in host:
        return None
    address = _parse(host.decode("latin-1"))
    return None if address is None else str(address)


def _is_port(port: bytes) -> bool:
    """Tell whether what follows an address is a port, or one that is hidden behind a name."""
    if port.startswith(b":_"):
        return True
    return port.startswith(b":") and port[1:].isdigit() and len(port) <= _PORT_DIGITS + 1


@lru_cache(maxsize=_ADDRESSES_REMEMBERED)
def _parse(text: str) -> Address | None:
    """Return an address; one of IPv4 that is written as IPv6 is of IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped


_FIELDS: Final[Mapping[bytes, Callable[[bytes], list[str | None]]]] = {
    b"forwarded": _forwarded,
    b"x-forwarded-for": _x_forwarded_for,
}
