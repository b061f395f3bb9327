"""Ports to listen on, and what is said where one cannot be had."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.config.values import Address
    from gateway.edge.server import ClientServer

BACKLOG: Final = 1024


async def listening(
    key: str, server: ClientServer, address: Address, *, tries: int = 1, shared: bool = False
) -> asyncio.Server:
    """Listen on the first free one of `tries` ports from the address' own on; `shared` with others who say so too.

    Raises OSError that names the address and the `key` of the configuration that it is under.
    """
    loop = asyncio.get_running_loop()
    for port in range(address.port, address.port + tries):
        try:
            return await loop.create_server(server, address.host, port, backlog=BACKLOG, reuse_port=shared or None)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or port == address.port + tries - 1:
                raise not_to_be_had(key, address.host, port, error) from error
    raise AssertionError


def port_of(listener: asyncio.Server) -> int:
    """Return the port that a server listens on."""
    port: int = listener.sockets[0].getsockname()[1]
    return port


def not_to_be_had(key: str, host: str, port: int, error: OSError) -> OSError:
    """Return an error that says which address could not be had, under which `key`, and why."""
    place = f"[{host}]" if ":" in host else host
    return OSError(error.errno, f"{key}: {place}:{port}: {_reason(error)}")


def _reason(error: OSError) -> str:
    """Return why an address could not be had; the loops put the address into words of their own."""
    known = error.errno in errno.errorcode and not isinstance(error, socket.gaierror)
    return os.strerror(error.errno or 0) if known else str(error.strerror or error)
