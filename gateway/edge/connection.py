"""One client's connection: aiohttp's protocol and parser, with its requests taken up one by one by us.

It knows when a head has taken too long or grown too large, which request is under way, what becomes of bytes that are
not HTTP, and how a connection ends so that the last answer is still read. It knows nothing of routes or upstreams.

aiohttp 3.14 carries each request in a task of its own, made by another task of the connection; that costs as much as
parsing it, and most requests wait for nothing but one reply. So its loop (`start`) is not used: a request is handed to
`Terms.serve` as soon as its head is there, and what serves it asks for a task when it needs one. With the loop go three
things that must not show: answers to what cannot be parsed in aiohttp's own words, with a traceback in the log for
each; waiting for ever for a body whose chunk framing broke; and closing with unread bytes in the socket, so that the
reset overtakes the answer.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final, Protocol

from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from gateway.edge.refusals import LargeHead, MalformedBody, SlowHead, field_limit, refusal_code
from gateway.errors import ClientGone
from gateway.upstream import TunnelEnd

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web
    from aiohttp.http_exceptions import HttpProcessingError
    from aiohttp.streams import StreamReader

    from gateway.config.models import Bounds, ClientTimeouts
    from gateway.edge.message import Message
    from gateway.edge.seen import Seen

    Serve = Callable[["ClientConnection", Message, StreamReader], "Underway"]
    Refuse = Callable[["ClientConnection", str], "Underway"]

MAX_FIELDS: Final = 128
"""Header fields a request may have: more is 431. nginx and aiohttp stop near a hundred too; browsers send twenty."""

READ_BUFFER_BYTES: Final = 65_536
"""Body bytes a connection holds before it is read more slowly (aiohttp pauses it at twice this)."""

LINGER_S: Final = 2.0
"""How long a connection we are done with is still drained, so that a reset does not overtake the last answer."""


class Ending(Protocol):
    """What an answer leaves behind: see `gateway.edge.answer`."""

    keep_alive: bool
    unread: bool


class Underway(Protocol):
    """A request that is being answered: see `gateway.edge.turn`."""

    @property
    def answer(self) -> Ending:
        """Its answer."""

    @property
    def over(self) -> bool:
        """Whether the connection may go on."""

    def cancel(self) -> None:
        """Break it off."""

    async def ended(self) -> None:
        """Wait for what was cancelled."""


_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER for no time: what was not sent is dropped, and the other side sees a reset."""


@dataclass(slots=True, kw_only=True)
class Terms:
    """What holds for all connections of one port.

    `serve` answers a request; `refuse` answers what is none (the name of a code says why). Both return what they have
    begun, which may be over already. Once `draining` is set, each answer is its connection's last, unless its client
    has asked more already.
    """

    bounds: Bounds
    timeouts: ClientTimeouts
    serve: Serve
    refuse: Refuse
    draining: bool = False


def _look_at(waiter: asyncio.Future[None]) -> None:
    """Look at what became of a wait: whoever waited may have been cancelled, and the loop would log a traceback."""
    if not waiter.cancelled():
        waiter.exception()


class ClientConnection(RequestHandler):
    """One client's connection."""

    __slots__ = ("_body", "_head_bytes", "_head_timer", "_terms", "_turn", "head_bound_bytes", "peer", "seen")

    def __init__(self, server: web.Server, terms: Terms, *, loop: asyncio.AbstractEventLoop) -> None:
        """Set aiohttp's protocol up with the bounds of the port."""
        bounds = terms.bounds
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=terms.timeouts.keepalive_s,
            access_log=None,  # type: ignore[arg-type]  # aiohttp tests it for truth
            max_line_size=bounds.target_bytes,
            max_field_size=field_limit(bounds),
            max_headers=MAX_FIELDS,
            read_bufsize=READ_BUFFER_BYTES,
            lingering_time=LINGER_S,
            auto_decompress=False,
        )
        self._terms = terms
        self._body: StreamReader = EMPTY_PAYLOAD
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._turn: Underway | None = None
        self.head_bound_bytes = 0
        """No head that came on this connection was longer than this many bytes."""
        self.seen: Seen | None = None
        """The head of the last request, for the next one."""
        self.peer: str | None = None
        """The address at the other end of the connection; a Unix socket has none."""

    # ---- reading -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who is at the other end."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if isinstance(peer, tuple) else None

    async def start(self) -> None:
        """Leave out aiohttp's loop over requests."""

    def data_received(self, data: bytes) -> None:
        """Let aiohttp parse `data`, then see to heads that are not complete and to bodies that broke."""
        count = self._request_count
        in_head = self._body.is_eof()
        super().data_received(data)
        if self._request_count == count:
            if in_head and data and not self._force_close and not self._upgraded:
                self._head_goes_on(len(data))
            return
        size = self._head_bytes + len(data)
        self.head_bound_bytes = max(self.head_bound_bytes, size)
        self._head_ends()
        message, payload = self._messages[-1]
        if isinstance(message, _ErrInfo) and not self._body.is_eof():
            self._body.set_exception(MalformedBody())
        self._body = payload
        if self._turn is None:
            self._take_up()

    def _head_goes_on(self, count: int) -> None:
        """Count a head that is not complete, and start its clock with its first byte."""
        self._head_bytes += count
        if self._head_timer is None:
            self._head_timer = self._loop.call_later(self._terms.timeouts.head_s, self._head_is_late)
        if self._head_bytes > self._terms.bounds.head_bytes:
            self._give_up(LargeHead())

    def _head_ends(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        self._give_up(SlowHead())

    def _give_up(self, exc: HttpProcessingError) -> None:
        """Queue a refusal behind the answers that are still due, as aiohttp does for what it cannot parse."""
        self._head_ends()
        self._request_count += 1
        self._messages.append((_ErrInfo(status=400, exc=exc, message=""), EMPTY_PAYLOAD))
        if self._turn is None:
            self._take_up()

    def _process_keepalive(self) -> None:
        """Close an idle connection; one that has begun a head has the head's own clock."""
        self._keepalive_handle = None
        if self._force_close or self._turn is not None or self._head_timer is not None:
            return
        if self._loop.time() < self._next_keepalive_close_time:
            self._keepalive_handle = self._loop.call_at(self._next_keepalive_close_time, self._process_keepalive)
        else:
            self.force_close()

    # ---- one request after the other -----------------------------------------------------------------------------

    def _take_up(self) -> None:
        """Serve the requests that have come, in their order, until one has to be waited for."""
        while self._messages and not self._force_close:
            message, payload = self._messages.popleft()
            if self._parser is not None:
                self._parser.message_consumed()
            if self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
                self._resume_reading_if_drained()
            if isinstance(message, _ErrInfo):
                turn = self._terms.refuse(self, refusal_code(message.exc, self._terms.bounds))
            else:
                turn = self._terms.serve(self, message, payload)
            if not turn.over:
                self._turn = turn
                return
            self._goes_on(turn)

    def turn_over(self, turn: Underway) -> None:
        """Hear that a request that had to wait is answered."""
        if self._turn is turn:
            self._turn = None
            self._goes_on(turn)
            self._take_up()

    def _goes_on(self, turn: Underway) -> None:
        """Wait for the next request, unless the answer was the last."""
        answer = turn.answer
        if answer.keep_alive:
            close_at = self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
            if self._keepalive_handle is None:
                self._keepalive_handle = self._loop.call_at(close_at, self._process_keepalive)
        elif answer.unread:
            self.linger()
        elif not self._force_close:
            self.force_close()

    # ---- writing and ending --------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Hand `data` to the socket. Raises ClientGone when there is nobody to read it."""
        transport = self.transport
        if transport is None or transport.is_closing():
            raise ClientGone
        transport.write(data)

    def send_parts(self, parts: tuple[bytes, ...]) -> None:
        """Hand `parts` to the socket in one call, without joining what is large."""
        transport = self.transport
        if transport is None or transport.is_closing():
            raise ClientGone
        transport.writelines(parts)

    async def drained(self) -> None:
        """Wait until the socket takes more. Raises ClientGone when it took nothing for `write_s` seconds."""
        while self._paused:
            transport = self.transport
            if transport is None:
                raise ClientGone
            if self._drain_waiter is None:
                self._drain_waiter = self._loop.create_future()
                self._drain_waiter.add_done_callback(_look_at)
            waiter, before = self._drain_waiter, transport.get_write_buffer_size()
            # Not aiohttp's own wait: after one that timed out, the next would find its future cancelled.
            done, _ = await asyncio.wait((waiter,), timeout=self._terms.timeouts.write_s)
            if done:
                if waiter.exception() is not None:
                    raise ClientGone
            elif transport.get_write_buffer_size() >= before:
                self.cut()
                raise ClientGone

    @property
    def turn(self) -> Underway | None:
        """The request that is under way."""
        return self._turn

    @property
    def draining(self) -> bool:
        """Tell whether this answer is the connection's last: the gateway is about to stop, and no more was asked."""
        return self._terms.draining and not self._messages and self._head_timer is None

    def awaited_since(self, stopping_s: float) -> float:
        """Return since when a request may be on its way, by the loop's clock; the gateway stops since `stopping_s`.

        It may if none has come yet, if its head has begun, and since an answer that said that the connection stays.
        """
        if self.transport is None or self._force_close or self._turn is not None:
            return -inf
        answered_s = self._next_keepalive_close_time - self._keepalive_timeout
        if self._messages or not self._request_count or self._head_timer is not None:
            return max(stopping_s, answered_s)
        return answered_s

    def close_if_idle(self) -> None:
        """End the connection when no request is under way on it."""
        if self._turn is None and not self._messages:
            self.force_close()

    def tunnel(self) -> TunnelEnd:
        """Let a tunnel have the socket, with what came behind the request that asked for it. Raises ClientGone."""
        transport, early, self._message_tail = self.transport, self._message_tail, b""
        if transport is None or transport.is_closing():
            raise ClientGone
        return TunnelEnd(transport, self._tunnel_lost, early=early, writing_paused=self._paused)

    def _tunnel_lost(self, exc: Exception | None) -> None:
        """Forget the connection, but do not break its request off, which waits for the tunnel's other end."""
        self._turn = None
        self.connection_lost(exc)

    def linger(self) -> None:
        """End the connection: say no more, and throw away what still comes for a short time."""
        transport = self.transport
        if transport is None or self._force_close:
            return
        self._force_close = True
        if transport.can_write_eof():
            transport.write_eof()
        transport.resume_reading()
        self._loop.call_later(LINGER_S, transport.abort)

    def cut(self) -> None:
        """Reset the connection, so that a broken answer cannot be taken for a whole one."""
        self._force_close = True
        transport = self.transport
        if transport is None:
            return
        opened = transport.get_extra_info("socket")
        with suppress(OSError):  # gone already
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)  # else closing is a clean end
        transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop the clock of the head with the connection, and break off the request that is under way."""
        self._head_ends()
        turn, self._turn = self._turn, None
        super().connection_lost(exc)
        self._messages.clear()
        if turn is not None:
            turn.cancel()
