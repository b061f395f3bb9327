"""How a request is written, and what may be said of it before it is sent. No I/O here.

The head is written anew from parsed parts: one request line, the end-to-end fields, one framing field. What must not
stand in it is refused, not repaired.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import Header
    from gateway.upstream.port import UpstreamRequest

_OURS = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",  # RFC 9110 section 10.1.1: what we have read needs no permission to be sent
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields that speak of one connection (RFC 9110 section 7.6.1) or frame a message: never copied."""
_OUR_SIZES = frozenset(map(len, _OURS))

_FORBIDDEN = b"\0\r\n "

_UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"  # RFC 6455 section 4.1

LAST_CHUNK = b"0\r\n\r\n"

_IDEMPOTENT = frozenset({b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"TRACE"})  # RFC 9110 section 9.2.2
_BODY_EXPECTED = frozenset({b"POST", b"PUT", b"PATCH"})


def replayable(request: UpstreamRequest) -> bool:
    """Say whether `request` can be sent a second time without anybody noticing (RFC 9110 section 9.2.2)."""
    return request.rest is None and request.method in _IDEMPOTENT


def field_lines(headers: Iterable[Header]) -> bytes:
    """Return fields as lines of a head, less those that a connection writes itself.

    Raises ValueError when a line break or NUL in a field would make it another one (RFC 9112 section 5.5).
    """
    lines = [
        b"%b: %b\r\n" % field for field in headers if len(field[0]) not in _OUR_SIZES or field[0].lower() not in _OURS
    ]
    text = b"".join(lines)
    if text.count(b"\n") != len(lines) or text.count(b"\r") != len(lines) or b"\0" in text:
        raise ValueError("a field with a control character where none may be")
    return text


def written(request: UpstreamRequest) -> bytes:
    """Return the request's head and the part of its body that is at hand, as bytes for the wire.

    Raises ValueError when a line break, NUL or space in the method or the target would make it another request than it
    looks (RFC 9112 section 3), and what `field_lines` raises.
    """
    method, target = request.method, request.target
    if len(method.translate(None, _FORBIDDEN)) != len(method) or len(target.translate(None, _FORBIDDEN)) != len(target):
        raise ValueError("a request line with a control character or space where none may be")
    head = b"%b %b HTTP/1.1\r\n%b%b%b\r\n" % (
        method,
        target,
        request.lines,
        field_lines(request.headers) if request.headers else b"",
        _UPGRADE if request.upgrade else _framing(request),
    )
    return head + _at_hand(request) if request.body else head


def chunk(data: bytes) -> bytes:
    """Return `data`, which must not be empty, as one chunk (RFC 9112 section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _framing(request: UpstreamRequest) -> bytes:
    if request.rest is not None:
        if request.length is None:
            return b"Transfer-Encoding: chunked\r\n"
        return b"Content-Length: %d\r\n" % request.length
    if request.body is not None:
        return b"Content-Length: %d\r\n" % len(request.body)
    # RFC 9110 section 8.6: a method that expects content says when there is none.
    return b"Content-Length: 0\r\n" if request.method in _BODY_EXPECTED else b""


def _at_hand(request: UpstreamRequest) -> bytes:
    body = request.body or b""
    return body if request.rest is None or request.length is not None else chunk(body)
