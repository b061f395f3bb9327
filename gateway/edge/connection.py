"""One client's connection: aiohttp's protocol, with its waits bounded and its refusals written by us.

It knows when a head has taken too long or grown too large, what becomes of bytes that are not HTTP, and how a
connection ends so that the last answer is still read. It knows nothing of routes or upstreams.

Three things that aiohttp 3.14 does and that must not show are put right here: it answers what it cannot parse in its
own words and logs a traceback for each; it lets a handler wait for ever for a body whose chunk framing broke; and it
closes with unread bytes in the socket, so that the reset overtakes the answer.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from gateway.edge.refusals import LargeHead, MalformedBody, SlowHead, field_limit, refusal_code
from gateway.errors import ClientGone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web
    from aiohttp.http_exceptions import HttpProcessingError
    from aiohttp.streams import StreamReader

    from gateway.config.models import Bounds, ClientTimeouts

    Refuse = Callable[["ClientConnection", web.BaseRequest, str], Awaitable[web.StreamResponse]]

MAX_FIELDS: Final = 128
"""Header fields a request may have: more is 431. nginx and aiohttp stop near a hundred too; browsers send twenty."""

READ_BUFFER_BYTES: Final = 65_536
"""Body bytes a connection holds before it is read more slowly (aiohttp pauses it at twice this)."""

LINGER_S: Final = 2.0
"""How long a connection we are done with is still drained, so that a reset does not overtake the last answer."""


_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER for no time: what was not sent is dropped, and the other side sees a reset."""


@dataclass(slots=True, kw_only=True)
class Terms:
    """What holds for all connections of one port. `refuse` answers what is no request (the name of a code says why).

    Once `draining` is set, each answer is its connection's last.
    """

    bounds: Bounds
    timeouts: ClientTimeouts
    refuse: Refuse
    draining: bool = False


def _look_at(waiter: asyncio.Future[None]) -> None:
    """Look at what became of a wait: whoever waited may have been cancelled, and the loop would log a traceback."""
    if not waiter.cancelled():
        waiter.exception()


class ClientConnection(RequestHandler):
    """One client's connection."""

    __slots__ = ("_body", "_head_bytes", "_head_timer", "_terms", "head_bound_bytes")

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
        self.head_bound_bytes = 0
        """No head that came on this connection was longer than this many bytes."""

    # ---- reading -------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Let aiohttp parse `data`, then see to heads that are not complete and to bodies that broke."""
        count = self._request_count
        in_head = self._body.is_eof()
        super().data_received(data)
        if self._request_count == count:
            if in_head and data and not self._force_close:
                self._head_goes_on(len(data))
            return
        self.head_bound_bytes = max(self.head_bound_bytes, self._head_bytes + len(data))
        self._head_ends()
        message, payload = self._messages[-1]
        if isinstance(message, _ErrInfo) and not self._body.is_eof():
            self._body.set_exception(MalformedBody())
        self._body = payload

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
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _process_keepalive(self) -> None:
        """Close an idle connection; one that has begun a head has the head's own clock."""
        if self._head_timer is not None:
            self._keepalive_handle = None
            return
        super()._process_keepalive()

    # ---- refusing ------------------------------------------------------------------------------------------------

    def _make_error_handler(self, err_info: _ErrInfo) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
        """Answer what could not be parsed in our words."""
        code = refusal_code(err_info.exc, self._terms.bounds)

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            return await self._terms.refuse(self, request, code)

        return handler

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,  # noqa: ARG002 - aiohttp's signature
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's signature
    ) -> web.StreamResponse:
        """Cut the connection: our handler answers every exception itself, so this one came from writing."""
        self.log_exception("Error while answering %s", request.remote, exc_info=exc)
        self.cut()
        raise ConnectionAbortedError

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

    def may_stay(self, request: web.BaseRequest) -> bool:
        """Tell whether the connection can serve another request after `request`.

        Not after a chunked one: aiohttp 3.14.5 gives its trailer fields to the next request as header fields. Nor after
        one that asked for an upgrade: what follows it in the same segment is lost.
        """
        message = request._message  # noqa: SLF001 - aiohttp has no public name for these flags
        return not (message.should_close or message.chunked or message.upgrade)

    @property
    def handler(self) -> asyncio.Task[None] | None:
        """The task that answers this connection's requests."""
        return self._task_handler

    @property
    def draining(self) -> bool:
        """Tell whether the gateway is about to stop, so that each answer is the connection's last."""
        return self._terms.draining

    @property
    def awaited(self) -> bool:
        """Tell whether a request is to come: the first, one whose head has begun, or one not yet taken up."""
        if self.transport is None or self._force_close:
            return False
        if self._messages and self._current_request is None:
            return True
        return not self._request_count or self._head_timer is not None

    def close_if_idle(self) -> None:
        """End the connection when no request is under way on it."""
        if self._current_request is None and not self._messages and not self._request_in_progress:
            self.force_close()

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
        """Stop the clock of the head with the connection."""
        self._head_ends()
        super().connection_lost(exc)
