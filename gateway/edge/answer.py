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

from gateway.errors import ClientGone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.edge.clock import Clock
    from gateway.edge.connection import ClientConnection
    from gateway.edge.message import Message
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


class Lines:
    """Header fields as lines of a head, each with its line break; `dated` when `Date` is among them."""

    __slots__ = ("dated", "text")

    def __init__(self, text: bytes, *, dated: bool = False) -> None:
        self.text = text
        self.dated = dated


def lines_of(headers: Iterable[Header]) -> Lines:
    """Write header fields."""
    fields = tuple(headers)
    text = b"".join([b"%b: %b\r\n" % field for field in fields])
    return Lines(text, dated=any(name.lower() == b"date" for name, _ in fields))


class DateLine:
    """The `Date` field (RFC 9110 section 6.6.1), made once a second."""

    def __init__(self, clock: Clock) -> None:
        """Take the time from `clock`."""
        self._now_s = clock.now_s
        self._second = -1
        self._line = b""

    def line(self) -> bytes:
        """Return the field as a line of a head."""
        second = int(self._now_s())
        if second != self._second:
            self._second = second
            self._line = _date_line(second)
        return self._line


def _date_line(second: int) -> bytes:
    """Spell a moment as IMF-fixdate (RFC 9110 section 5.6.7), in English whatever the locale."""
    t = gmtime(second)
    day = f"{_DAYS[t.tm_wday]}, {t.tm_mday:02} {_MONTHS[t.tm_mon - 1]} {t.tm_year}"
    return f"Date: {day} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT\r\n".encode("ascii")


class Answer:
    """One answer: sent at once by `send`, or begun with `begin`, continued with `push` and ended with `end`.

    Without a `message` it answers what could not be read as a request. `keep_alive` tells afterwards whether the
    connection can serve another request, `unread` that the client may still be sending this one.
    """

    _pending = b""
    _chunks = False
    _left: int | None = None
    head_sent = False
    unread = False
    sent_bytes = 0

    def __init__(self, connection: ClientConnection, message: Message | None, date: DateLine) -> None:
        self._connection = connection
        self._date = date
        if message is None:
            self._old = self._headless_method = self.keep_alive = False
            return
        self._old = message.version[1] == 0
        self._headless_method = message.method == "HEAD"
        # Not after a chunked request: aiohttp 3.14.5 gives its trailer fields to the next one as header fields. Nor
        # after one that asked for an upgrade: what follows it in the same segment is lost.
        self.keep_alive = not (message.should_close or message.chunked or message.upgrade)

    def leave_unread(self) -> None:
        """Close the connection after this answer, although the client may still be sending."""
        self.keep_alive = False
        self.unread = True

    def bodiless(self, status: int) -> bool:
        """Tell whether this answer has no body, whatever its headers say (RFC 9110 section 6.4.1)."""
        return self._headless_method or status in _BODILESS_STATUSES

    def send(self, status: int, lines: Lines, body: bytes) -> None:
        """Write a whole answer in one piece. Raises ClientGone."""
        bodiless = self._headless_method or status in _BODILESS_STATUSES
        length = b"" if status in _BODILESS_STATUSES else b"Content-Length: %d\r\n" % len(body)
        sent = b"" if bodiless else body
        self._connection.send(
            b"%b%b%b%b%b\r\n%b"
            % (
                _STATUS_LINES[status],
                lines.text,
                b"" if lines.dated else self._date.line(),
                length,
                self._persistence(),
                sent,
            )
        )
        self.sent_bytes = len(sent)
        self.head_sent = True

    def switch(self, lines: Lines) -> TunnelEnd:
        """Switch to WebSocket: write the head of a 101, and give the connection away. Raises ClientGone."""
        self._connection.send(b"".join((_STATUS_LINES[101], lines.text, _SWITCH)))
        self.head_sent = True
        self.keep_alive = False
        return self._connection.tunnel()

    def begin(self, status: int, lines: Lines, length: int | None) -> None:
        """Start an answer whose body follows; `length` is in bytes, None when it is not known.

        The head leaves together with the first bytes of the body if those are at hand before the loop turns, else
        alone.
        """
        frame = self._frame(status, length)
        date = b"" if lines.dated else self._date.line()
        self._pending = b"".join((_STATUS_LINES[status], lines.text, date, frame, self._persistence(), b"\r\n"))
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
        self.keep_alive = False
        self._connection.cut()

    # ---- inside --------------------------------------------------------------------------------------------------

    def _persistence(self) -> bytes:
        """Say whether the connection stays, where the client's version has another rule (RFC 9112 section 9.3)."""
        if not self.keep_alive or self._connection.draining:
            self.keep_alive = False
            return _CLOSE
        return _KEEP_FOR_OLD if self._old else b""

    def _frame(self, status: int, length: int | None) -> bytes:
        """Choose how the end of a body is told: its length, chunks, or, for HTTP/1.0, the end of the connection."""
        if self.bodiless(status):
            self._left = 0
            return b"" if length is None or status in _BODILESS_STATUSES else b"Content-Length: %d\r\n" % length
        if length is not None:
            self._left = length
            return b"Content-Length: %d\r\n" % length
        if self._old:
            self.keep_alive = False
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
