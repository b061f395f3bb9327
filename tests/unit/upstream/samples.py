"""Replies as bytes, and what must become of each: the refused by name, the accepted as values."""

from __future__ import annotations

from dataclasses import dataclass

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def _length(value: bytes) -> bytes:
    return OK + b"Content-Length: " + value + b"\r\n\r\nhello"


def _coding(value: bytes) -> bytes:
    return OK + b"Transfer-Encoding: " + value + b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


def _value(value: bytes) -> bytes:
    return OK + b"X-Note: a" + value + b"b\r\nContent-Length: 0\r\n\r\n"


def _status(status: bytes) -> bytes:
    return b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"


REFUSED: dict[str, bytes] = {
    # Content-Length, RFC 9112 section 6.3
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 4\r\n\r\nhello",
    "one length twice": OK + b"Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "a list of lengths": _length(b"5, 5"),
    "a length with a plus": _length(b"+5"),
    "a negative length": _length(b"-5"),
    "a length in hex": _length(b"0x5"),
    "a length with an underscore": _length(b"1_0"),
    "a length of two words": _length(b"5 5"),
    "an empty length": _length(b""),
    "a length in other digits": _length("٥".encode()),
    "a length beyond all measure": _length(b"9" * 30),
    "a length at the edge of 64 bits": _length(b"18446744073709551615"),
    # Transfer-Encoding, sections 6.1 and 7
    "a length with chunked": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked with a length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "gzip, chunked": _coding(b"gzip, chunked"),
    "chunked, gzip": _coding(b"chunked, gzip"),
    "chunked twice in one": _coding(b"chunked, chunked"),
    "chunked after nothing": _coding(b",chunked"),
    "chunked before nothing": _coding(b"chunked,"),
    "chunked with a parameter": _coding(b"chunked;q=1"),
    "identity": _coding(b"identity"),
    "gzip": _coding(b"gzip"),
    "xchunked": _coding(b"xchunked"),
    "no coding": _coding(b""),
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "gzip and chunked": OK + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked on 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    # Status lines, section 4
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.10": b"HTTP/1.10 200 OK\r\nContent-Length: 0\r\n\r\n",
    "http/1.1": b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "RTSP": b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "ICE": b"ICE/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a body without a head": b"<html>",
    "a leading empty line": b"\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    "status 099": _status(b"099 X"),
    "status 000": _status(b"000 X"),
    "status 600": _status(b"600 X"),
    "status 999": _status(b"999 X"),
    "status of two digits": _status(b"20 X"),
    "status of four digits": _status(b"2000 X"),
    "status that is no number": _status(b"20x X"),
    "status with a sign": _status(b"+20 X"),
    "two spaces before the status": _status(b" 200 X"),
    "unsolicited 101": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "101 without a word": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "CR in the reason": b"HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n",
    # Fields, section 5
    "obs-fold": OK + b"X-Note: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "obs-fold with a tab": OK + b"X-Note: a\r\n\tb\r\nContent-Length: 0\r\n\r\n",
    "obs-fold after nothing": OK + b"X-Note:\r\n b\r\nContent-Length: 0\r\n\r\n",
    "obs-fold in the first line": OK + b" X-Note: b\r\nContent-Length: 0\r\n\r\n",
    "space before the colon": OK + b"X-Note : b\r\nContent-Length: 0\r\n\r\n",
    "no colon": OK + b"X-Note\r\nContent-Length: 0\r\n\r\n",
    "no name": OK + b": b\r\nContent-Length: 0\r\n\r\n",
    "a name that is no token": OK + b"X(Note: b\r\nContent-Length: 0\r\n\r\n",
    "a name beyond ASCII": OK + b"X\xffNote: b\r\nContent-Length: 0\r\n\r\n",
    "bare LF in the status line": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "bare LF between fields": OK + b"X-Note: b\nContent-Length: 0\r\n\r\n",
    "bare LF at the end": OK + b"Content-Length: 0\r\n\n",
    **{f"control character {code} in a value": _value(bytes([code])) for code in (*range(9), *range(10, 32), 127)},
    # Chunks, section 7.1
    "chunk size in words": CHUNKED + b"g\r\nabc\r\n0\r\n\r\n",
    "chunk size with 0x": CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "chunk size with a sign": CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n",
    "negative chunk size": CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
    "chunk size with an underscore": CHUNKED + b"3_0\r\nabc\r\n0\r\n\r\n",
    "space before the chunk size": CHUNKED + b" 3\r\nabc\r\n0\r\n\r\n",
    "space after the chunk size": CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n",
    "no chunk size": CHUNKED + b"\r\nabc\r\n0\r\n\r\n",
    "chunk size beyond 64 bits": CHUNKED + b"fffffffffffffffff\r\nabc",
    "bare LF after the chunk size": CHUNKED + b"3\nabc\r\n0\r\n\r\n",
    "bare LF after the chunk": CHUNKED + b"3\r\nabc\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n",
    "chunk shorter than its size": CHUNKED + b"3\r\nab\r\n0\r\n\r\n",
    "control character in a chunk extension": CHUNKED + b"3;a=\0\r\nabc\r\n0\r\n\r\n",
    "bare LF in a chunk extension": CHUNKED + b"3;a=\n\r\nabc\r\n0\r\n\r\n",
    "bare LF at the end of the chunks": CHUNKED + b"3\r\nabc\r\n0\r\n\n",
    "a length in a trailer": CHUNKED + b"3\r\nabc\r\n0\r\nContent-Length: 7\r\n\r\n",
    "obs-fold in a trailer": CHUNKED + b"3\r\nabc\r\n0\r\nX-Note: a\r\n b\r\n\r\n",
    "control character in a trailer": CHUNKED + b"3\r\nabc\r\n0\r\nX-Note: \x01\r\n\r\n",
}
"""Each must be HTTP_PROTOCOL_ERROR, whatever pieces it comes in; none ends a connection in order."""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A well-formed reply. `persistent`: its connection may carry another; `to_close`: the end of stream ends it."""

    data: bytes
    status: int = 200
    body: bytes = b""
    method: bytes = b"GET"
    persistent: bool = True
    to_close: bool = False
    length: int | None = None


ACCEPTED: dict[str, Accepted] = {
    "a length": Accepted(data=_length(b"5"), body=b"hello", length=5),
    "a length with zeros": Accepted(data=_length(b"005"), body=b"hello", length=5),
    "a length with white space around": Accepted(data=_length(b" \t5 \t"), body=b"hello", length=5),
    "no body": Accepted(data=OK + b"Content-Length: 0\r\n\r\n", length=0),
    "a head without fields": Accepted(data=b"HTTP/1.1 204 No Content\r\n\r\n", status=204),
    "a status line without a reason": Accepted(data=b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", length=0),
    "a body of line ends": Accepted(data=OK + b"Content-Length: 8\r\n\r\n" + b"\r\n" * 4, body=b"\r\n" * 4, length=8),
    "status 599": Accepted(data=b"HTTP/1.1 599 X\r\nContent-Length: 0\r\n\r\n", status=599, length=0),
    # Chunks
    "chunks": Accepted(data=_coding(b"chunked"), body=b"abc"),
    "Chunked": Accepted(data=_coding(b"Chunked"), body=b"abc"),
    "chunked with white space around": Accepted(data=_coding(b"\tchunked "), body=b"abc"),
    "many chunks": Accepted(
        data=CHUNKED + b"1\r\na\r\n" * 300 + b"A\r\n0123456789\r\n0\r\n\r\n", body=b"a" * 300 + b"0123456789"
    ),
    "no chunk": Accepted(data=CHUNKED + b"0\r\n\r\n"),
    "zeros": Accepted(data=CHUNKED + b"003\r\nabc\r\n000\r\n\r\n", body=b"abc"),
    "chunk extensions": Accepted(data=CHUNKED + b'3;a=b;c="d\\"e"\r\nabc\r\n0;x\r\n\r\n', body=b"abc"),
    "trailers": Accepted(data=CHUNKED + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Empty:\r\n\r\n", body=b"abc"),
    "chunks of line ends": Accepted(data=CHUNKED + b"4\r\n\r\n\r\n\r\n0\r\n\r\n", body=b"\r\n\r\n"),
    "a chunk that looks like the end": Accepted(data=CHUNKED + b"7\r\n0\r\n\r\n0\r\r\n0\r\n\r\n", body=b"0\r\n\r\n0\r"),
    # No body, whatever the head says: RFC 9112 section 6.3
    "HEAD with a length": Accepted(data=OK + b"Content-Length: 5\r\n\r\n", method=b"HEAD", length=5),
    "HEAD with chunks": Accepted(data=CHUNKED, method=b"HEAD"),
    "HEAD with neither": Accepted(data=OK + b"\r\n", method=b"HEAD"),
    "204 with a length": Accepted(data=b"HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n", status=204, length=5),
    "204 with chunks": Accepted(data=b"HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n", status=204),
    "304 with a length": Accepted(data=b"HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n", status=304, length=5),
    "304 with neither": Accepted(data=b"HTTP/1.1 304 X\r\n\r\n", status=304),
    # Interim replies: RFC 9110 section 15.2
    "100 first": Accepted(data=b"HTTP/1.1 100 Continue\r\n\r\n" + _length(b"5"), body=b"hello", length=5),
    "100, then chunks": Accepted(data=b"HTTP/1.1 100 Continue\r\n\r\n" + _coding(b"chunked"), body=b"abc"),
    "103 with fields, then 102": Accepted(
        data=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 9\r\n\r\nHTTP/1.1 102 X\r\n\r\n"
        + _length(b"5"),
        body=b"hello",
        length=5,
    ),
    "100, then HEAD's": Accepted(
        data=b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\n", method=b"HEAD", length=5
    ),
    # Persistence: section 9.3
    "Connection: close": Accepted(
        data=OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello", body=b"hello", length=5, persistent=False
    ),
    "close in a list": Accepted(
        data=OK + b"Connection: x,\tCLOSE ,y\r\nContent-Length: 0\r\n\r\n", length=0, persistent=False
    ),
    "close in a second field": Accepted(
        data=OK + b"Connection: keep-alive\r\nconnection: close\r\nContent-Length: 0\r\n\r\n",
        length=0,
        persistent=False,
    ),
    "closed is not close": Accepted(data=OK + b"Connection: closed\r\nContent-Length: 0\r\n\r\n", length=0),
    "HTTP/1.0": Accepted(data=b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", length=0, persistent=False),
    "HTTP/1.0 kept alive": Accepted(
        data=b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", length=0
    ),
    "HTTP/1.0 undecided": Accepted(
        data=b"HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 0\r\n\r\n",
        length=0,
        persistent=False,
    ),
    # The end of the stream is the end of the body
    "close-delimited": Accepted(data=OK + b"\r\nhello", body=b"hello", persistent=False, to_close=True),
    "close-delimited and empty": Accepted(data=OK + b"\r\n", persistent=False, to_close=True),
    "close-delimited 1.0": Accepted(
        data=b"HTTP/1.0 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        body=b"HTTP/1.1 200 OK\r\n\r\n",
        persistent=False,
        to_close=True,
    ),
    # Bytes behind a reply leave it whole, and cost the connection
    "a byte too many": Accepted(data=_length(b"5") + b"!", body=b"hello", length=5, persistent=False),
    "an empty line too many": Accepted(data=_length(b"5") + b"\r\n", body=b"hello", length=5, persistent=False),
    "two replies": Accepted(data=_length(b"5") * 2, body=b"hello", length=5, persistent=False),
    "an empty line behind chunks": Accepted(data=_coding(b"chunked") + b"\r\n", body=b"abc", persistent=False),
    "an LF behind chunks": Accepted(data=_coding(b"chunked") + b"\n", body=b"abc", persistent=False),
    "a word behind chunks": Accepted(data=_coding(b"chunked") + b"oops", body=b"abc", persistent=False),
    "two replies in chunks": Accepted(data=_coding(b"chunked") * 2, body=b"abc", persistent=False),
    "a bare head behind chunks": Accepted(data=_coding(b"chunked") + OK + b"\r\n", body=b"abc", persistent=False),
    "a body on HEAD": Accepted(data=_length(b"5"), method=b"HEAD", length=5, persistent=False),
    "chunks on HEAD": Accepted(data=CHUNKED + b"0\r\n\r\n", method=b"HEAD", persistent=False),
    "a body on 204": Accepted(
        data=b"HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\nhello", status=204, length=5, persistent=False
    ),
    "an empty line behind 304": Accepted(data=b"HTTP/1.1 304 X\r\n\r\n\r\n", status=304, persistent=False),
}
