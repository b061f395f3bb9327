"""The socket's side of an exchange: one HTTP/1.1 connection, one exchange at a time.

Invariants: bytes that come while no exchange is under way end the connection; so does every failure of an exchange. A
connection says once that it is free (`released`) for each exchange that it carried, and once that it is gone (`lost`).
All of an exchange's waits are kept by one coarse timer (`deadline`), not by a task or a timer for each request.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from math import inf
from typing import TYPE_CHECKING, Protocol, cast

from gateway.errors import TransportFailure, TransportReason
from gateway.upstream.deadline import Deadline
from gateway.upstream.exchange import HttpExchange
from gateway.upstream.failures import refused
from gateway.upstream.request import replayable
from gateway.upstream.tunnel import TunnelEnd

if TYPE_CHECKING:
    from gateway.upstream.port import UpstreamRequest
    from gateway.upstream.reply import KnownHeads
    from gateway.upstream.settings import Timeouts

_SALVAGE_BYTES = 64 * 1024
_SALVAGE_READS = 16


class Owner(Protocol):
    """Who keeps connections."""

    def made(self, connection: Connection) -> None:
        """Hear that a connection's socket is open."""

    def released(self, connection: Connection) -> None:
        """Take back a connection that an exchange held; see `usable`."""

    def lost(self, connection: Connection) -> None:
        """Hear that a connection's socket is closed."""


class Connection(asyncio.Protocol):
    """One connection to an upstream. Times are the loop's, in seconds.

    `born_at`: when it was made. `rested_at`: when its last exchange ended. `used`: an exchange was begun on it.
    `tunnelled`: it was given to a tunnel.
    """

    __slots__ = (
        "_backlog_bytes",
        "_deadline",
        "_drain",
        "_exchange",
        "_head_bytes",
        "_known",
        "_loop",
        "_lost",
        "_owner",
        "_refusal",
        "_timeouts",
        "_transport",
        "born_at",
        "reading_paused",
        "rested_at",
        "tunnelled",
        "used",
        "writing_paused",
    )

    _transport: asyncio.Transport

    def __init__(
        self,
        owner: Owner,
        timeouts: Timeouts,
        loop: asyncio.AbstractEventLoop,
        *,
        head_bytes: int,
        known: KnownHeads | None = None,
    ) -> None:
        """Wait to be connected; `head_bytes` bounds the head of a reply, `known` are heads that were read before."""
        self.born_at = self.rested_at = loop.time()
        self.used = self.tunnelled = self.reading_paused = self.writing_paused = False
        self._owner = owner
        self._timeouts = timeouts
        self._loop = loop
        self._head_bytes = head_bytes
        self._known = known
        self._deadline = Deadline(loop, min(timeouts.first_byte_s, timeouts.idle_s), self._expired)
        self._exchange: HttpExchange | None = None
        self._refusal: TransportFailure | None = None
        self._drain: asyncio.Future[None] | None = None
        self._backlog_bytes = 0
        self._lost = False

    # For the pool.

    @property
    def usable(self) -> bool:
        """Whether an exchange can begin on it."""
        return not self._lost and not self._transport.is_closing()

    @property
    def refusal(self) -> TransportFailure:
        """Why a connection that was just made is not usable."""
        return self._refusal or TransportFailure(TransportReason.CONNECTION_TERMINATED, "closed before any request")

    def miscarry(self) -> None:
        """Be gone before anybody had it: uvloop does not say `connection_lost` when connecting is cancelled."""
        self._lost = True
        self._owner.lost(self)

    def start(self, request: UpstreamRequest, head: bytes, now: float, total_at: float) -> HttpExchange:
        """Write `head`, the written form of `request`, and return its exchange. It must be `usable`."""
        exchange = self._exchange = HttpExchange(
            self,
            to_head=request.method == b"HEAD",
            head_bytes=self._head_bytes,
            known=self._known,
            upgrade=request.upgrade,
            again=self.used and replayable(request),
            total_at=total_at,
        )
        self.used = True
        self._deadline.limit_at = total_at
        streams = request.rest is not None and request.length != len(request.body or b"")
        exchange.sent = not streams
        self._deadline.set(now, inf if streams else self._timeouts.first_byte_s)
        self._transport.write(head)
        if streams:
            exchange.upload(request, self._loop)
        return exchange

    def close(self) -> None:
        """End a connection at rest, in order."""
        self._transport.close()

    def cut(self) -> None:
        """Close the socket at once, with all that waits to be written."""
        self._deadline.close()
        self._transport.abort()

    # For the exchange.

    def pause_reading(self) -> None:
        """Let no more of the reply come in; whoever takes it may be as slow as the total allows."""
        if self.usable:
            self.reading_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Let it come in again."""
        self.reading_paused = False
        if self.usable:
            self._transport.resume_reading()
            self._deadline.set(self._loop.time(), self._timeouts.idle_s)

    def write(self, data: bytes) -> None:
        """Write a piece of the request, unless the connection is ending, which its exchange will hear next.

        Never by `writelines`: asyncio's, in Python 3.12 and 3.13, forgets to pause us.
        """
        if self.usable:
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the upstream has taken enough; cancelled with the upload when the connection ends."""
        self._drain = self._loop.create_future()
        try:
            await self._drain
        finally:
            self._drain = None

    def request_sent(self) -> None:
        """Begin to wait for the reply's head."""
        if not self.writing_paused:
            self._deadline.set(self._loop.time(), self._timeouts.first_byte_s)

    def hand_over(self, early: bytes) -> TunnelEnd:
        """Let a tunnel have the socket: no deadline of ours holds for it, and only its loss comes back here."""
        self._deadline.close()
        self.tunnelled = True
        end = TunnelEnd(self._transport, self.connection_lost, early=early, writing_paused=self.writing_paused)
        if self._lost:
            self._loop.call_soon(end.connection_lost, None)
        return end

    def release(self, *, reusable: bool) -> None:
        """Be free of the exchange; unless it is reusable and all was written, be cut."""
        self._exchange = None
        self._deadline.clear()
        if not reusable or self.reading_paused or self._transport.get_write_buffer_size():
            self.cut()
        self._owner.released(self)

    # For the loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._owner.made(self)

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the exchange."""
        exchange = self._exchange
        if exchange is None:
            self._refusal = refused("bytes before any request")
            self.cut()
            return
        exchange.receive(data)
        if self._exchange is not exchange:  # it was closed meanwhile, and another one may have begun
            return
        if exchange.complete:
            self._deadline.clear()
        elif self.reading_paused:
            self._deadline.set(self._loop.time(), inf)
        elif exchange.headed:
            self._deadline.set(self._loop.time(), self._timeouts.idle_s)

    def eof_received(self) -> None:
        """Take the end of the stream: the upstream will say nothing more, so nothing more is said to it."""
        exchange = self._exchange
        if exchange is not None:
            if self._said_goodbye():
                exchange.ended()
            else:
                exchange.broken(None)
        self.cut()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        self._lost = True
        self._deadline.close()
        exchange = self._exchange
        if exchange is not None:
            if exc is not None and not exchange.headed:
                self._salvage(exchange)
            exchange.broken(exc)
        self._owner.lost(self)

    def pause_writing(self) -> None:
        """Note that the upstream takes the request more slowly than it comes."""
        self.writing_paused = True
        self._backlog_bytes = self._transport.get_write_buffer_size()
        if self._exchange is not None and not self._exchange.headed:
            self._deadline.set(self._loop.time(), self._timeouts.idle_s)

    def resume_writing(self) -> None:
        """Go on sending."""
        self.writing_paused = False
        if self._drain is not None and not self._drain.done():
            self._drain.set_result(None)
        exchange = self._exchange
        if exchange is not None and not exchange.headed:
            self._deadline.set(self._loop.time(), self._timeouts.first_byte_s if exchange.sent else inf)

    # Inside.

    def _said_goodbye(self) -> bool:
        """Say whether the stream was ended by the upstream itself: over TLS by `close_notify`.

        asyncio reports any end of a TLS stream alike (uvloop does not); without that alert it may have been cut off by
        anybody (RFC 9112 section 9.8), and there is more to wait for, as far as OpenSSL knows.
        """
        session = self._transport.get_extra_info("ssl_object")
        if session is None:
            return True
        try:
            return not session.read(1)
        except ssl.SSLZeroReturnError:
            return True
        except ssl.SSLError:
            return False

    def _salvage(self, exchange: HttpExchange) -> None:
        """Read what the kernel still holds of a reply, up to a bound: who is not gone could send more for ever.

        An upstream that answers early and closes resets the connection (RFC 9112 section 9.6). When a write meets that
        reset first, the loop drops the transport without reading the answer, which is there all the same.
        """
        if self._transport.get_extra_info("sslcontext") is not None:
            return
        descriptor = self._transport.get_extra_info("socket").fileno()
        with contextlib.suppress(OSError):
            for _ in range(_SALVAGE_READS):
                if exchange.complete or not (data := os.read(descriptor, _SALVAGE_BYTES)):
                    return
                exchange.receive(data)

    def _expired(self) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        now = self._loop.time()
        total_passed = now >= self._deadline.limit_at
        if not total_passed and not exchange.headed and self._backlog_shrinks():
            self._deadline.set(now, self._timeouts.idle_s)
            return
        what = "in total" if total_passed else _WAITS[exchange.headed, self.writing_paused]
        exchange.fail(TransportFailure(TransportReason.HTTP_RESPONSE_TIMEOUT, f"took too long {what}"))

    def _backlog_shrinks(self) -> bool:
        """Say whether the upstream took some of what waits to be written since this was last asked."""
        before, self._backlog_bytes = self._backlog_bytes, self._transport.get_write_buffer_size()
        return self.writing_paused and self._backlog_bytes < before


_WAITS = {
    (False, False): "to give the head of a reply",
    (False, True): "to take the request",
    (True, False): "between two pieces of a reply",
    (True, True): "between two pieces of a reply",
}
