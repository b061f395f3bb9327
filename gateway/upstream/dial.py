"""The way to a new connection: name to addresses, addresses to a socket (RFC 8305) or a path to one, a socket to TLS.

No proxy is ever asked for: the environment is not read. All of it has one deadline.
"""

from __future__ import annotations

import asyncio
import socket
from math import inf
from typing import TYPE_CHECKING

from aiohappyeyeballs import start_connection

from gateway.upstream.failures import failure_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aiohappyeyeballs import AddrInfoType

    from gateway.upstream.connection import Connection
    from gateway.upstream.sessions import ResumingContext
    from gateway.upstream.settings import Endpoint

_NEXT_ADDRESS_S = 0.25  # RFC 8305 section 5, "Connection Attempt Delay"
_ADDRESSES_TTL_S = 10.0  # getaddrinfo() hides the record's own


class Addresses:
    """The addresses of one endpoint, kept for a little while. Callers at one time share one question."""

    __slots__ = ("_endpoint", "_found", "_fresh_until", "_loop", "_question", "_ttl_s")

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop, ttl_s: float = _ADDRESSES_TTL_S) -> None:
        """Know nothing yet."""
        self._endpoint = endpoint
        self._loop = loop
        self._ttl_s = ttl_s
        self._found: list[AddrInfoType] = []
        self._fresh_until = -inf
        self._question: asyncio.Task[list[AddrInfoType]] | None = None

    async def get(self) -> list[AddrInfoType]:
        """Return the addresses, at least one. Raises OSError and UnicodeError; what failed is asked again next time."""
        if self._loop.time() < self._fresh_until:
            return self._found
        if self._question is None:
            self._question = self._loop.create_task(self._ask())
            self._question.add_done_callback(self._answered)
        return await asyncio.shield(self._question)

    def close(self) -> None:
        """Ask no longer."""
        if self._question is not None:
            self._question.cancel()

    async def _ask(self) -> list[AddrInfoType]:
        host, port = self._endpoint.host, self._endpoint.port
        found: list[AddrInfoType] = [*await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        return found

    def _answered(self, question: asyncio.Task[list[AddrInfoType]]) -> None:
        self._question = None
        if not question.cancelled() and question.exception() is None:
            self._found = question.result()
            self._fresh_until = self._loop.time() + self._ttl_s


class Dialer:
    """Makes connections to one endpoint."""

    __slots__ = ("_addresses", "_dialling", "_endpoint", "_loop", "_tls")

    def __init__(
        self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop, tls: ResumingContext | None, ttl_s: float
    ) -> None:
        """Use `tls` where it is given."""
        self._endpoint = endpoint
        self._loop = loop
        self._tls = tls
        self._addresses = Addresses(endpoint, loop, ttl_s)
        self._dialling: set[asyncio.Timeout] = set()

    async def dial(self, make: Callable[[], Connection], deadline_at: float) -> Connection:
        """Return a connection with its socket open, and TLS established. Raises TransportFailure."""
        deadline = asyncio.timeout_at(None if deadline_at == inf else deadline_at)
        try:
            async with deadline:
                self._dialling.add(deadline)
                return await self._connect(make)
        except (OSError, UnicodeError, RuntimeError) as error:  # uvloop raises RuntimeError where asyncio an OSError
            raise failure_of(error, self._place()) from error
        finally:
            self._dialling.discard(deadline)

    def close(self) -> None:
        """End every attempt."""
        for deadline in self._dialling:
            if not deadline.expired():
                deadline.reschedule(self._loop.time())
        self._addresses.close()
        if self._tls is not None:
            self._tls.let_go(self._endpoint.server_name)

    async def _connect(self, make: Callable[[], Connection]) -> Connection:
        sock = await self._socket()
        connection = make()
        try:
            await self._hand_over(sock, connection)
        except BaseException:
            connection.miscarry()
            sock.close()
            if self._tls is not None:
                self._tls.forget(self._endpoint.server_name)
            raise
        if not connection.usable:
            raise connection.refusal
        return connection

    async def _socket(self) -> socket.socket:
        if self._endpoint.socket is not None:
            return _unix_socket(self._endpoint.socket)
        addresses = await self._addresses.get()
        return await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_S, loop=self._loop)

    async def _hand_over(self, sock: socket.socket, connection: Connection) -> None:
        unix = sock.family is socket.AF_UNIX
        connect = self._loop.create_unix_connection if unix else self._loop.create_connection
        name = self._endpoint.server_name if self._tls is not None else None
        transport, _ = await connect(lambda: connection, sock=sock, ssl=self._tls, server_hostname=name)
        if self._tls is not None:
            self._tls.established(transport.get_extra_info("ssl_object"))

    def _place(self) -> str:
        endpoint = self._endpoint
        return f"{endpoint.host}:{endpoint.port}" if endpoint.socket is None else str(endpoint.socket)


def _unix_socket(path: Path) -> socket.socket:
    """Return a connected socket. Nothing waits: where a listener's queue is full, the kernel says so (connect(2))."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(0)
        sock.connect(str(path))
    except BaseException:
        sock.close()
        raise
    return sock
