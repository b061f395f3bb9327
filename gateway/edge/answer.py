"""An answer on its way to the client, as ready bytes.

aiohttp's own response costs as much as all the rest of its server, and it decodes header values; this one writes head
and body as they are. It owns the framing (RFC 9112 section 6), the `Date`, and the waiting for a client that reads
slowly. What the answer says was decided before it got here.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus
from time import gmtime
from typing import TYPE_CHECKING, Final

from aiohttp import web

from gateway.errors import ClientGone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.edge.clock import Clock
    from gateway.edge.connection import ClientConnection
    from gateway.model import Header
    from gateway.upstream import TunnelEnd

_REASONS: Final = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Content Too Large",
    414: "URI Too Long",
    422: "Unprocessable Content",
}
"""By RFC 9110 section 15; Python before 3.13 has older phrases."""
_STATUS_LINES: Final = {
    status: f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\n".encode("ascii") for status in range(100, 600)
}
_BODILESS_STATUSES: Final = frozenset((*range(100, 200), 204, 304))
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_CLOSE: Final = b"Connection: close\r\n"
_KEEP_FOR_OLD: Final = b"Connection: keep-alive\r\n"
_CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
_SWITCH: Final = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
_LAST_CHUNK: Final = b"0\r\n\r\n"
_HTTP_10: Final = (1, 0)


class DateLine:
    """The `Date` field (RFC 9110 section 6.6.1), made once a second."""

    def __init__(self, clock: Clock) -> None:
        """Take the time from `clock`."""
        self._clock = clock
        self._second = -1
        self._line = b""

    def line(self) -> bytes:
        """Return the field as a line of a head."""
        second = int(self._clock.now_s())
        if second != self._second:
            self._second = second
            self._line = _date_line(second)
        return self._line


def _date_line(second: int) -> bytes:
    """Spell a moment as IMF-fixdate (RFC 9110 section 5.6.7), in English whatever the locale."""
    t = gmtime(second)
    day = f"{_DAYS[t.tm_wday]}, {t.tm_mday:02} {_MONTHS[t.tm_mon - 1]} {t.tm_year}"
    return f"Date: {day} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT\r\n".encode("ascii")


class Answer(web.StreamResponse):
    """One answer: sent at once by `send`, or begun with `begin`, continued with `push` and ended with `end`.

    aiohttp sees a response that is prepared already; of the rest it asks only whether the connection stays. Its own
    initialiser is not called: it builds a header map that nobody reads.
    """

    def __init__(self, connection: ClientConnection, request: web.BaseRequest, date: DateLine) -> None:
        self._connection = connection
        self._old = request.version == _HTTP_10
        self._headless_method = request.method == "HEAD"
        self._keep_alive = connection.may_stay(request)
        self._date = date
        self._pending = b""
        self._chunks = False
        self._left: int | None = None
        self._unread = False
        self.head_sent = False
        self.sent_bytes = 0

    # ---- what aiohttp calls --------------------------------------------------------------------------------------

    async def prepare(self, request: web.BaseRequest) -> None:
        """Do nothing: the head was written, or waits for the first bytes of the body."""

    async def write_eof(self, data: bytes = b"") -> None:  # noqa: ARG002 - aiohttp's signature
        """Wait for a client that reads slowly, before its next request is taken; then end the connection if it must."""
        self._eof_sent = True
        connection = self._connection
        if connection.writing_paused:
            try:
                await connection.drained()
            except ClientGone:
                return
        if self._unread:
            connection.linger()

    # ---- what the proxy calls ------------------------------------------------------------------------------------

    def leave_unread(self) -> None:
        """Close the connection after this answer, although the client may still be sending."""
        self._keep_alive = False
        self._unread = True

    def bodiless(self, status: int) -> bool:
        """Tell whether this answer has no body, whatever its headers say (RFC 9110 section 6.4.1)."""
        return self._headless_method or status in _BODILESS_STATUSES

    def send(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """Write a whole answer in one piece. Raises ClientGone."""
        parts = self._head(status, headers)
        if status not in _BODILESS_STATUSES:
            parts.append(b"Content-Length: %d\r\n" % len(body))
        parts.append(b"\r\n")
        if not self.bodiless(status):
            parts.append(body)
            self.sent_bytes = len(body)
        self._connection.send(b"".join(parts))
        self.head_sent = True

    def switch(self, headers: Iterable[Header]) -> TunnelEnd:
        """Switch to WebSocket: write the head of a 101, and give the connection away. Raises ClientGone."""
        lines = [b"%b: %b\r\n" % field for field in headers]
        self._connection.send(b"".join((_STATUS_LINES[101], *lines, _SWITCH)))
        self.head_sent = True
        self._keep_alive = False
        return self._connection.tunnel()

    def begin(self, status: int, headers: Iterable[Header], length: int | None) -> None:
        """Start an answer whose body follows; `length` is in bytes, None when it is not known.

        The head leaves together with the first bytes of the body if those are at hand before the loop turns, else
        alone.
        """
        parts = self._head(status, headers, framed=self._frame(status, length))
        parts.append(b"\r\n")
        self._pending = b"".join(parts)
        self.head_sent = True
        asyncio.get_running_loop().call_soon(self._flush)

    async def push(self, data: bytes) -> None:
        """Send bytes of the body; waits while the client does not read. Raises ClientGone."""
        if not data:
            return
        self._count(len(data))
        connection = self._connection
        if self._chunks:
            connection.send_parts((b"%s%x\r\n" % (self._take_pending(), len(data)), data, b"\r\n"))
        elif self._pending:
            connection.send_parts((self._take_pending(), data))
        else:
            connection.send(data)
        if connection.writing_paused:
            await connection.drained()

    def end(self) -> None:
        """End a body. Raises ClientGone; an answer shorter than it promised is cut."""
        if self._left:
            self.cut()
            return
        rest = self._take_pending() + (_LAST_CHUNK if self._chunks else b"")
        if rest:
            self._connection.send(rest)

    def cut(self) -> None:
        """Break the answer off by a reset: it must not be taken for a whole one."""
        self._pending = b""
        self._keep_alive = False
        self._connection.cut()

    # ---- inside --------------------------------------------------------------------------------------------------

    def _head(self, status: int, headers: Iterable[Header], framed: bytes = b"") -> list[bytes]:
        """Make the lines of a head, less the empty one at its end."""
        parts = [_STATUS_LINES[status]]
        dated = False
        for name, value in headers:
            if len(name) == 4 and name.lower() == b"date":
                dated = True
            parts += (name, b": ", value, b"\r\n")
        if not dated:
            parts.append(self._date.line())
        if framed:
            parts.append(framed)
        if not self._keep_alive or self._connection.draining:
            self._keep_alive = False
            parts.append(_CLOSE)
        elif self._old:
            parts.append(_KEEP_FOR_OLD)
        return parts

    def _frame(self, status: int, length: int | None) -> bytes:
        """Choose how the end of a body is told: its length, chunks, or, for HTTP/1.0, the end of the connection."""
        if self.bodiless(status):
            self._left = 0
            return b"" if length is None or status in _BODILESS_STATUSES else b"Content-Length: %d\r\n" % length
        if length is not None:
            self._left = length
            return b"Content-Length: %d\r\n" % length
        if self._old:
            self._keep_alive = False
            return b""
        self._chunks = True
        return _CHUNKED

    def _count(self, count: int) -> None:
        """Count bytes of the body; more than were promised would be read as the next answer."""
        self.sent_bytes += count
        if self._left is not None:
            self._left -= count
            if self._left < 0:
                self.cut()
                raise ClientGone

    def _take_pending(self) -> bytes:
        pending, self._pending = self._pending, b""
        return pending

    def _flush(self) -> None:
        """Send a head that has waited for one turn of the loop."""
        if self._pending:
            with suppress(ClientGone):
                self._connection.send(self._take_pending())
