"""The connections to one endpoint: who has one, who waits for one, which rest.

Invariants: `_open` counts places, one for each connection that is being made, in use or at rest, and never exceeds
`max_connections`. A place is held by a request from when it gets one to when its exchange is closed; then it goes to
the request that has waited longest, or rests, or is given up. While somebody waits, nothing rests. Every change of
state is synchronous.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from gateway.errors import TransportFailure, TransportReason
from gateway.upstream.connection import Connection
from gateway.upstream.dial import Dialer
from gateway.upstream.exchange import HttpExchange
from gateway.upstream.port import Stats
from gateway.upstream.reply import KnownHeads
from gateway.upstream.request import written
from gateway.upstream.tls import client_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.upstream.port import Exchange, UpstreamRequest
    from gateway.upstream.sessions import ResumingContext
    from gateway.upstream.settings import Endpoint, Limits, Timeouts

_HEAD_BYTES = 64 * 1024
_MAX_AGE_S = 300.0  # so that a change of an upstream's addresses reaches busy connections too
_ADDRESSES_TTL_S = 10.0


class Pool:
    """The `Transport` to one endpoint, made of connections that are used again, the youngest rest first (LIFO).

    Over `https` without an `ssl_context` the system's authorities are trusted. `head_bytes` bounds a reply's head.
    """

    __slots__ = (
        "_all",
        "_closed",
        "_dialer",
        "_emptied",
        "_head_bytes",
        "_idle",
        "_known",
        "_limits",
        "_loop",
        "_max_age_s",
        "_open",
        "_retired",
        "_sweep",
        "_timeouts",
        "_waiting",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        timeouts: Timeouts,
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
        ssl_context: ResumingContext | None = None,
        *,
        head_bytes: int = _HEAD_BYTES,
        max_age_s: float = _MAX_AGE_S,
    ) -> None:
        """Open nothing yet."""
        tls = None if endpoint.scheme == "http" else ssl_context or client_context()
        self._timeouts = timeouts
        self._limits = limits
        self._loop = loop
        self._head_bytes = head_bytes
        self._max_age_s = max_age_s
        self._known = KnownHeads()
        self._dialer = Dialer(endpoint, loop, tls, _ADDRESSES_TTL_S)
        self._open = 0
        self._idle: deque[Connection] = deque()
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._all: set[Connection] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False
        self._retired = False
        self._emptied: asyncio.Future[None] | None = None

    # The port.

    async def send(self, request: UpstreamRequest) -> HttpExchange:
        """Send `request`, and return its exchange when the head of the reply has come."""
        head = written(request)
        now = self._loop.time()
        total_at = now + self._timeouts.total_s
        connection = self._rested(now)
        if connection is None:
            connection = await self._obtain(now, total_at)
            now = self._loop.time()
        exchange = connection.start(request, head, now, total_at)
        if await exchange.answer():
            return exchange
        if exchange.repeatable:
            return await self.repeat(request, exchange)
        raise _failed(exchange)

    def begin(self, request: UpstreamRequest, answered: Callable[[HttpExchange], None]) -> HttpExchange | None:
        """Send `request` on a connection at rest; None when there is none."""
        if not self._idle:
            return None
        head = written(request)
        now = self._loop.time()
        connection = self._rested(now)
        if connection is None:
            return None
        exchange = connection.start(request, head, now, now + self._timeouts.total_s)
        exchange.answered = answered
        return exchange

    async def repeat(self, request: UpstreamRequest, exchange: Exchange) -> HttpExchange:
        """Send again what the upstream did not see (RFC 9110 section 9.2.2): it had closed the connection."""
        assert isinstance(exchange, HttpExchange)  # noqa: S101 - one of ours, as the port demands
        exchange.hand_over()
        total_at = exchange.total_at
        connection = await self._fill(total_at)
        repeated = connection.start(request, written(request), self._loop.time(), total_at)
        if await repeated.answer():
            return repeated
        raise _failed(repeated)

    async def aclose(self) -> None:
        """Cut every connection, and return when their sockets are closed."""
        self._closed = True
        self._dialer.close()
        if self._sweep is not None:
            self._sweep.cancel()
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(_closed())
        for connection in tuple(self._all):
            connection.cut()
        if self._all:
            self._emptied = self._loop.create_future()
            await self._emptied

    def retire(self) -> None:
        """Let nothing rest any more: another pool takes what is new, and who has begun here ends here.

        A request that was given this pool before may still come and is served; its connection closes behind it.
        """
        self._retired = True
        while self._idle:
            self._open -= 1
            self._idle.popleft().close()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        self._let_go()

    @property
    def deserted(self) -> bool:
        """Whether no connection is open or being made, and nobody waits for one."""
        return not self._open and not self._waiting and not self._all

    def stats(self) -> Stats:
        """Return how the pool stands now."""
        tunnels = sum(connection.tunnelled for connection in self._all)
        return Stats(open=self._open, idle=len(self._idle), waiting=len(self._waiting), tunnels=tunnels)

    # What connections say.

    def made(self, connection: Connection) -> None:
        """Know of a connection whose socket is open."""
        self._all.add(connection)

    def released(self, connection: Connection) -> None:
        """Take back a connection, and the place it has, from an exchange."""
        now = self._loop.time()
        if not connection.usable or self._closed:
            self._pass_on(None)
        elif now - connection.born_at >= self._max_age_s:
            connection.close()
            self._pass_on(None)
        else:
            connection.rested_at = now
            self._pass_on(connection)

    def lost(self, connection: Connection) -> None:
        """Forget a connection whose socket is closed; one at rest gives its place up."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
            self._open -= 1
        if self._emptied is not None and not self._all and not self._emptied.done():
            self._emptied.set_result(None)
        self._let_go()

    # Inside.

    def _rested(self, now: float) -> Connection | None:
        """Take the connection that rested least, if one is fit for use."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and now - connection.born_at < self._max_age_s:
                return connection
            self._open -= 1
            connection.close()
        return None

    async def _obtain(self, now: float, total_at: float) -> Connection:
        """Return a connection with a place: one that was handed on, or a new one."""
        connection = await self._place(now, total_at)
        if connection is not None and connection.usable:
            return connection
        return await self._fill(total_at)

    async def _fill(self, total_at: float) -> Connection:
        """Make a new connection in a place that is held; the place goes on to the next where that fails."""
        try:
            return await self._dial(total_at)
        except BaseException:
            self._pass_on(None)
            raise

    async def _place(self, now: float, total_at: float) -> Connection | None:
        """Get a place, perhaps with a connection in it. Raises TransportFailure (CONNECTION_LIMIT_REACHED)."""
        self._refuse_when_closed()
        if self._open < self._limits.max_connections:
            self._open += 1
            return None
        if len(self._waiting) >= self._limits.max_waiting:
            raise _saturated("no connection is free, and too many requests wait for one")
        waiter: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiting.append(waiter)
        timer = self._loop.call_at(min(now + self._limits.wait_s, total_at), self._give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            self._withdraw(waiter)
            raise
        finally:
            timer.cancel()

    def _give_up(self, waiter: asyncio.Future[Connection | None]) -> None:
        if not waiter.done():
            self._waiting.remove(waiter)
            waiter.set_exception(_saturated("no connection became free in time"))

    def _withdraw(self, waiter: asyncio.Future[Connection | None]) -> None:
        """Undo a wait whose task was cancelled, perhaps after it was given a place."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif not waiter.cancelled() and waiter.exception() is None:
            self._pass_on(waiter.result())

    def _pass_on(self, connection: Connection | None) -> None:
        """Give a place, with the connection in it or without one, to the next who waits; else let it rest or go."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        if connection is None or not connection.usable or self._retired:
            self._open -= 1
            if connection is not None:
                connection.close()
            return
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._limits.idle_s, self._close_rested)

    async def _dial(self, total_at: float) -> Connection:
        self._refuse_when_closed()
        connection = await self._dialer.dial(self._make, min(self._loop.time() + self._timeouts.connect_s, total_at))
        try:
            self._refuse_when_closed()
        except TransportFailure:
            connection.cut()
            raise
        return connection

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise _closed()

    def _make(self) -> Connection:
        return Connection(self, self._timeouts, self._loop, head_bytes=self._head_bytes, known=self._known)

    def _let_go(self) -> None:
        """Let go of what OpenSSL holds on to, once nobody is here any more for whom it would be kept."""
        if self._retired and self.deserted:
            self._dialer.close()

    def _close_rested(self) -> None:
        """Close what rested too long; called when the oldest may have."""
        self._sweep = None
        now = self._loop.time()
        while self._idle:
            left_s = self._idle[0].rested_at + self._limits.idle_s - now
            if left_s > 0:
                self._sweep = self._loop.call_later(left_s, self._close_rested)
                return
            self._open -= 1
            self._idle.popleft().close()


def _failed(exchange: HttpExchange) -> Exception:
    """Give up an exchange without a head, and return why it has none."""
    exchange.close()
    return exchange.failure or AssertionError("an exchange without a head has a failure")


def _saturated(detail: str) -> TransportFailure:
    return TransportFailure(TransportReason.CONNECTION_LIMIT_REACHED, detail)


def _closed() -> TransportFailure:
    return TransportFailure(TransportReason.CONNECTION_TERMINATED, "this gateway gave up its connections")
