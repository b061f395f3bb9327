"""Two sockets joined: whatever comes in at one end goes out at the other, as it came.

Invariants: no byte is looked at, kept longer than it must, or moved to another place in its stream. An end whose
buffer is full stops the other from reading, so that the slower side sets the pace. What ends at one end in order ends
in order at the other, behind all that came before it; a reset becomes a reset. Both directions count as life: only a
tunnel in which nothing moves for its limit is idle. A tunnel is over when both sockets are closed, never before.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from gateway.upstream.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

CLOSING_S: Final = 10.0
"""How long an end may take nothing and say nothing once the other has ended, or the tunnel was closed."""
FAREWELL_S: Final = 1.0
"""How long a tunnel that is broken off waits for its ends to take what was sent to them."""

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER for no time: what was not sent is dropped, and the other side sees a reset."""


class TunnelEnd(asyncio.Protocol):
    """One socket of a tunnel, taken over from the protocol that it had until then.

    `early` are bytes that came before it was taken over; `writing_paused` tells that its buffer was full then. `lost`
    hears of the end of the connection, which nobody else tells the former protocol. `received_bytes` counts what came
    in, the early bytes among it.
    """

    __slots__ = ("_early", "_lost", "_tunnel", "ended", "gone", "peer", "received_bytes", "transport", "writing_paused")

    peer: TunnelEnd

    def __init__(
        self,
        transport: asyncio.Transport,
        lost: Callable[[Exception | None], None],
        *,
        early: bytes = b"",
        writing_paused: bool = False,
    ) -> None:
        """Take the socket over, to be joined to another before the loop turns: until then, what comes is lost."""
        self.transport = transport
        self.received_bytes = 0
        self.writing_paused = writing_paused
        self.ended = self.gone = False
        self._early = early
        self._lost = lost
        self._tunnel: Tunnel | None = None
        transport.set_protocol(self)

    # For the tunnel.

    def join(self, peer: TunnelEnd, tunnel: Tunnel) -> None:
        """Be joined to `peer`."""
        self.peer = peer
        self._tunnel = tunnel

    def open(self) -> None:
        """Let bytes through, the early ones first."""
        if self._early:
            self.data_received(self._early)
            self._early = b""
        if not self.peer.writing_paused:
            self.transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send bytes, unless the socket is closing. Never by `writelines`: see `Connection.write`."""
        if not self.transport.is_closing():
            self.transport.write(data)

    def finish(self) -> None:
        """Say that nothing more will be sent; where a transport cannot (TLS), be closed."""
        if self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def close(self) -> None:
        """Close the socket, in order, once all is sent."""
        self.transport.close()

    def cut(self) -> None:
        """Reset the connection, unless it is closed."""
        if self.gone:
            return
        opened = self.transport.get_extra_info("socket")
        with suppress(OSError):  # gone already
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)  # else closing is a clean end
        self.transport.abort()

    # For the loop.

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        self.received_bytes += len(data)
        if self._tunnel is not None:
            self._tunnel.moved()
            self.peer.write(data)

    def eof_received(self) -> bool:
        """Pass the end of a stream on, and stay open for the other direction; over TLS that cannot be."""
        if self._tunnel is not None:
            self._tunnel.end_came(self)
        return self.transport.can_write_eof()

    def pause_writing(self) -> None:
        """Let the peer take nothing more in."""
        self.writing_paused = True
        if self._tunnel is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        """Let it go on."""
        self.writing_paused = False
        if self._tunnel is not None:
            self._tunnel.moved()
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        self.gone = True
        self._lost(exc)
        if self._tunnel is not None:
            self._tunnel.lost(self, exc)


class Ending(Struct, frozen=True):
    """How a tunnel ended: by the word of one `end`, in order or with an `error`; by none when it was idle."""

    end: TunnelEnd | None = None
    error: Exception | None = None


class Tunnel:
    """Two ends, joined from the start: it must be made in the turn of the loop in which its ends were taken over."""

    def __init__(self, client: TunnelEnd, upstream: TunnelEnd, idle_s: float) -> None:
        """Join the ends and let bytes through; `idle_s` is how long nothing may move."""
        self.client = client
        self.upstream = upstream
        self._loop = asyncio.get_running_loop()
        self._ends = (client, upstream)
        self._limit_s = idle_s
        self._closing_s = min(idle_s, CLOSING_S)
        self._deadline = Deadline(self._loop, idle_s, self._expired)
        self._ending: Ending | None = None
        self._unsent_bytes = 0
        self._over: asyncio.Future[None] = self._loop.create_future()
        client.join(upstream, self)
        upstream.join(client, self)
        self.moved()
        for end in self._ends:
            end.open()

    async def run(self) -> Ending:
        """Wait until both ends are closed, and return what ended it.

        Cancelled, it closes both ends in order, and gives them a moment to take what was sent to them.
        """
        try:
            await asyncio.wait((self._over,))
        except asyncio.CancelledError:
            self._close(Ending())
            await asyncio.wait((self._over,), timeout=FAREWELL_S)
            raise
        finally:
            self._deadline.close()
            for end in self._ends:
                end.cut()
        return self._ending or Ending()

    # For the ends.

    def moved(self) -> None:
        """Note that the tunnel lives."""
        self._deadline.set(self._loop.time(), self._limit_s)

    def end_came(self, end: TunnelEnd) -> None:
        """Pass the end of one direction on; the second one ends the tunnel."""
        end.ended = True
        if end.peer.ended:
            self._close(Ending(end))
            return
        self._hurry(Ending(end))
        end.peer.finish()

    def lost(self, end: TunnelEnd, error: Exception | None) -> None:
        """Take the loss of one end: the other goes the same way."""
        self._hurry(Ending(end, error))
        peer = end.peer
        if peer.gone:
            if not self._over.done():
                self._over.set_result(None)
        elif error is None:
            peer.close()
        else:
            peer.cut()

    # Inside.

    def _hurry(self, ending: Ending) -> None:
        """Note what ended the tunnel, the first time, and bound what is left to do."""
        if self._ending is None:
            self._ending = ending
            self._limit_s = self._closing_s
            self.moved()

    def _close(self, ending: Ending) -> None:
        self._hurry(ending)
        for end in self._ends:
            end.close()

    def _expired(self) -> None:
        """Close an idle tunnel; cut one that should be closed by now, unless an end still takes what waits for it."""
        if self._ending is None:
            self._close(Ending())
            return
        unsent = sum(end.transport.get_write_buffer_size() for end in self._ends if not end.gone)
        before, self._unsent_bytes = self._unsent_bytes, unsent
        if unsent and (not before or unsent < before):
            self.moved()
            return
        for end in self._ends:
            end.cut()
