"""Reading one reply: bytes in, head and body out. No I/O, no clock.

Invariants: whatever the bytes are split into, the same reply or the same refusal comes out. llhttp, without
leniencies, reads heads and chunks, each head fed to its exact end; lengths are counted here, because llhttp cannot be
told that a reply answers HEAD and says nothing about where a reply ended. A head whose bytes are those of one that was
read before is not read again: the same bytes have the same meaning. What llhttp lets by is refused here:

- any opening but `HTTP/1.0 ` and `HTTP/1.1 ` (it reads 0.9, 2.0, RTSP, ICE and leading empty lines);
- a final status outside 200 to 599, and a 101 that nobody asked for (what follows one that was is no HTTP);
- `Transfer-Encoding` that is not exactly `chunked`, or is repeated, or comes with HTTP/1.0;
- heads and trailers without a bound.

RFC 9112 sections 6.1 to 6.3 (framing), 7.1 (chunks), 9.3 (persistence); RFC 9110 section 15.2 (interim replies).
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway.upstream.failures import refused
from gateway.upstream.port import ReplyHead

if TYPE_CHECKING:
    from gateway.errors import TransportFailure
    from gateway.model import Header

_HTTP_11 = b"HTTP/1.1 "
_HTTP_10 = b"HTTP/1.0 "
_OPENING_BYTES = len(_HTTP_11)
_HEAD_END = b"\r\n\r\n"
_CHUNKS_END_BYTES = 5  # the end of a chunked body, and the byte before it, which is never CR or LF
_LONGEST_LENGTH = 18  # digits: under an exbibyte, and far from the edge of 64 bits
_MESSAGE_FIELDS = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_MESSAGE_FIELD_SIZES = frozenset(map(len, _MESSAGE_FIELDS))


class Framing(IntEnum):
    """How the end of a body is told."""

    NONE = 0
    LENGTH = 1
    CHUNKED = 2
    CLOSE = 3


class KnownHeads(dict[bytes, "ReadHead"]):
    """Heads of one upstream that were read lately, by their bytes, empty line included; bounded in number and length.

    Most replies of an API differ from others within the same second in nothing but their body.
    """

    MOST: ClassVar = 128
    LONGEST_BYTES: ClassVar = 2_048

    def learn(self, written: bytes, head: ReadHead) -> None:
        """Remember a head; all are forgotten at once when there are too many."""
        if len(written) > self.LONGEST_BYTES:
            return
        if len(self) >= self.MOST:
            self.clear()
        self[written] = head


class ReadHead(NamedTuple):
    """A head as it was read: what callers see of it, how its body ends, and whether its connection lasts."""

    head: ReplyHead
    framing: Framing
    persistent: bool


class ReplyReader:
    """One reply being read.

    `headed`: the final head is complete, and `head` is it. `chunks` holds the body that nobody took yet, `buffered` its
    bytes; both are the taker's to reduce. `complete`: the reply has ended as promised. `persistent`: as far as the
    reply says, its connection can carry another. `started`: a byte of it has come.
    """

    buffered = 0
    headed = False
    complete = False
    persistent = False
    started = False
    _left = 0
    _ended = False
    _opening = b""
    _tail = b""
    _written = b""
    _parser: HttpResponseParser | None = None

    def __init__(
        self, *, to_head: bool, head_bytes: int, known: KnownHeads | None = None, upgrade: bool = False
    ) -> None:
        """Read a reply, to HEAD or not; `head_bytes` bounds all of its heads together, and is a security limit.

        `upgrade`: the request asked to switch protocols; what follows a 101 is then its body, up to the end.
        """
        self.head = _NO_HEAD
        self._framing = Framing.NONE
        self.chunks: deque[bytes] = deque()
        self._to_head = to_head
        self._head_bytes = self._budget = head_bytes
        self._known = None if to_head or upgrade else known
        self._upgrade = upgrade
        self._fields: list[Header] = []
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take the next bytes off the wire. Bytes after a complete reply only cost it its persistence.

        Raises TransportFailure (HTTP_PROTOCOL_ERROR); what was read before stays readable, and nothing may be fed
        again.
        """
        if not self.started:
            self.started = True
            if self._known is not None:
                data = self._recognise(data, self._known)
        while data and not self.headed:
            data = self._feed_head(data)
        if data:
            self._feed_body(data)

    def end(self) -> bool:
        """Take the end of the stream, and say whether the reply is complete with it."""
        if self.headed and self._framing is Framing.CLOSE:
            self.complete = True
        self.persistent = False
        return self.complete

    # What llhttp calls.

    def on_message_begin(self) -> None:
        """Note a second reply behind a chunked one."""
        if self._ended:
            self.persistent = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field; llhttp has checked its bytes, but leaves the white space behind a value."""
        self._fields.append((name, value.rstrip(b" \t")))

    def on_body(self, piece: bytes) -> None:
        """Take a piece of a chunk."""
        if not self._ended:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """Note the end of the last chunk (it is also called for heads without a body, where nobody asks)."""
        self._ended = True

    # Heads.

    def _recognise(self, data: bytes, known: KnownHeads) -> bytes:
        """Take a head that is known, and return what stands behind it."""
        at = data.find(_HEAD_END) + len(_HEAD_END)
        if at < len(_HEAD_END):
            return data
        written = data[:at]
        read = known.get(written)
        if read is None:
            self._written = written
            return data
        self._begin_body(read)
        return data[at:]

    def _feed_head(self, data: bytes) -> bytes:
        """Take bytes up to the end of a head, at most, and return those behind it."""
        tail = self._tail
        at = (tail + data).find(_HEAD_END) if tail else data.find(_HEAD_END)
        end = len(data) if at < 0 else at + len(_HEAD_END) - len(tail)
        piece = data[:end]
        self._budget -= end
        if self._budget < 0:
            raise refused(f"a head of more than {self._head_bytes} bytes")
        if len(self._opening) < _OPENING_BYTES:
            self._take_opening(piece)
        if (broken := self._parse(piece)) is not None:
            raise broken
        if at < 0:
            self._tail = (tail + piece)[-len(_HEAD_END) + 1 :]
            return b""
        self._take_head()
        return data[end:]

    def _take_opening(self, piece: bytes) -> None:
        opening = self._opening = (self._opening + piece)[:_OPENING_BYTES]
        if not _HTTP_11.startswith(opening) and not _HTTP_10.startswith(opening):
            raise refused(f"not a reply in HTTP/1.1 or 1.0: {opening!r}")

    def _parse(self, data: bytes) -> TransportFailure | None:
        """Feed llhttp, and return what it finds wrong."""
        parser = self._parser
        if parser is None:
            parser = self._parser = HttpResponseParser(self)
        try:
            parser.feed_data(data)
        except HttpParserUpgrade:
            return None if self._upgrade else refused("a 101 that nobody asked for")
        except HttpParserError as error:
            return refused(f"llhttp: {error}")
        return None

    def _take_head(self) -> None:
        status = 0 if self._parser is None else self._parser.get_status_code()
        self._tail = b""
        self._ended = False
        if 100 <= status <= 199 and status != 101:
            self._fields.clear()
            self._opening = self._written = b""
            return
        if status == 101 and self._upgrade and self._opening == _HTTP_11:
            self._begin_body(ReadHead(ReplyHead(101, tuple(self._fields), None), Framing.CLOSE, persistent=False))
            self._release_parser()
            return
        if not 200 <= status <= 599:
            raise refused(f"status {status}")
        read = self._read(status)
        if self._known is not None and self._written and read.framing is not Framing.CHUNKED:  # llhttp reads chunks
            self._known.learn(self._written, read)
        self._begin_body(read)

    def _read(self, status: int) -> ReadHead:
        """Decide how the body ends, and whether the connection lasts."""
        length, coding, options = self._message_fields()
        newer = self._opening == _HTTP_11
        persistent = b"close" not in options and (newer or b"keep-alive" in options)
        if coding is not None and (length is not None or not newer or coding.lower() != b"chunked"):
            raise refused("Transfer-Encoding that is not chunked alone, on HTTP/1.1, without Content-Length")
        size = None if length is None else _length(length)
        if self._to_head or status in {204, 304} or size == 0:
            framing = Framing.NONE
        elif coding is not None:
            framing = Framing.CHUNKED
        else:
            framing = Framing.CLOSE if size is None else Framing.LENGTH
        return ReadHead(ReplyHead(status, tuple(self._fields), size), framing, persistent)

    def _begin_body(self, read: ReadHead) -> None:
        self.head, self._framing, self.persistent = read
        self.headed = True
        if self._framing is Framing.NONE:
            self._finish()
        elif self._framing is Framing.LENGTH:
            self._left = self.head.content_length or 0

    def _message_fields(self) -> tuple[bytes | None, bytes | None, list[bytes]]:
        """Return Content-Length and Transfer-Encoding, which may come once each, and the options of Connection."""
        length = coding = None
        options: list[bytes] = []
        for name, value in self._fields:
            if len(name) not in _MESSAGE_FIELD_SIZES:
                continue
            lower = name.lower()
            if lower == b"connection":
                options += [option.strip(b" \t") for option in value.lower().split(b",")]
            elif lower == b"content-length":
                if length is not None:
                    raise refused("repeated Content-Length")
                length = value
            elif lower == b"transfer-encoding":
                if coding is not None:
                    raise refused("repeated Transfer-Encoding")
                coding = value
        return length, coding, options

    # Bodies.

    def _feed_body(self, data: bytes) -> None:
        match self._framing:
            case Framing.LENGTH:
                self._feed_length(data)
            case Framing.CHUNKED:
                self._feed_chunked(data)
            case Framing.CLOSE:
                self._push(data)
            case Framing.NONE:  # bytes that belong to no reply
                self.persistent = False

    def _feed_length(self, data: bytes) -> None:
        left = self._left - len(data)
        if left > 0:
            self._left = left
            self._push(data)
            return
        self._finish()
        if left < 0:
            self.persistent = False
            data = data[:left]
        self._push(data)

    def _feed_chunked(self, data: bytes) -> None:
        broken = self._parse(data)
        pieces, self._pieces = self._pieces, []
        self._push(b"".join(pieces))
        tail = self._tail = (self._tail + data[-_CHUNKS_END_BYTES:])[-_CHUNKS_END_BYTES:]
        if self._ended:
            # llhttp passes over empty lines behind a reply; what else it finds there, it calls the begin of a message.
            if not tail.endswith(_HEAD_END) or tail[0] in b"\r\n":
                self.persistent = False
            self._finish()
        elif broken is not None:
            raise broken
        else:
            self._bound_overhead(0 if pieces else len(data))

    def _finish(self) -> None:
        self._framing = Framing.NONE
        self.complete = True
        self._release_parser()

    def _release_parser(self) -> None:
        """Break the cycle between llhttp's object and this one, so that neither waits for the garbage collector."""
        self._parser = None

    def _bound_overhead(self, size: int) -> None:
        """Bound what may come without a byte of body: chunk extensions and trailers."""
        self._budget = self._budget - size if size else self._head_bytes
        if self._budget < 0:
            raise refused(f"more than {self._head_bytes} bytes of chunk extensions or trailers")

    def _push(self, data: bytes) -> None:
        if data:
            self.chunks.append(data)
            self.buffered += len(data)


_NO_HEAD: Final = ReplyHead(0, (), None)


def _length(value: bytes) -> int:
    # bytes.isdigit() is ASCII only, and false for b"". int() alone would take "+5" and "1_0".
    if not value.isdigit() or len(value) > _LONGEST_LENGTH:
        raise refused("Content-Length that is no number of bytes")
    return int(value)
