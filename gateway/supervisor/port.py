"""The client port that several processes listen on, kept for them as long as the supervisor lives."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from gateway.app.ports import not_to_be_had

if TYPE_CHECKING:
    from gateway.config.values import Address


class ReservedPort:
    """Sockets that are bound to an address, without listening: connections never come to them.

    They keep the number while no process listens, and find out before any is started whether it can be had at all.
    """

    def __init__(self, address: Address) -> None:
        """Bind them, one for each address that the host's name stands for. Raises OSError that names the address."""
        self.number = address.port
        self._sockets: list[socket.socket] = []
        try:
            for family, host in _places(address):
                self._sockets.append(self._bound(family, host))
        except OSError as error:
            self.close()
            raise not_to_be_had("listen", address.host, address.port, error) from error

    def close(self) -> None:
        """Give the port up."""
        for one in self._sockets:
            one.close()

    def _bound(self, family: int, host: str) -> socket.socket:
        if self.number:  # others who share ports, another gateway of ours for one, would let us in
            _bind(family, host, self.number, shared=False).close()
        one = _bind(family, host, self.number, shared=True)
        self.number = one.getsockname()[1]
        return one


def _places(address: Address) -> list[tuple[int, str]]:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((int(family), str(place[0])) for family, _, _, _, place in found))


def _bind(family: int, host: str, port: int, *, shared: bool) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((host, port))
    except OSError:
        one.close()
        raise
    return one
