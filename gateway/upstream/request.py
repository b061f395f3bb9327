"""How a request is written, and what may be said of it before it is sent. No I/O here.

The head is written anew from parsed parts: one request line, the end-to-end fields, one framing field. What must not
stand in it is refused, not repaired.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_UPGRADE = (b"Connection: Upgrade", b"Upgrade: websocket")  # RFC 6455 section 4.1

LAST_CHUNK = b"0\r\n\r\n"

_IDEMPOTENT = frozenset({b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"TRACE"})  # RFC 9110 section 9.2.2
_BODY_EXPECTED = frozenset({b"POST", b"PUT", b"PATCH"})


def replayable(request: UpstreamRequest) -> bool:
    """Say whether `request` can be sent a second time without anybody noticing (RFC 9110 section 9.2.2)."""
    return request.rest is None and request.method in _IDEMPOTENT


def written(request: UpstreamRequest) -> bytes:
    """Return the request's head and the part of its body that is at hand, as bytes for the wire.

    Raises ValueError when a line break or NUL in the method, the target or a field would make it another request than
    it looks (RFC 9112 sections 3 and 5.5), and when the method or the target contains a space.
    """
    lines = [b"%b %b HTTP/1.1" % (request.method, request.target)]
    for field in request.headers:
        name = field[0]
        if len(name) in _OUR_SIZES and name.lower() in _OURS:
            continue
        lines.append(b": ".join(field))
    if request.upgrade:
        lines += _UPGRADE
    framing = _framing(request)
    if framing is not None:
        lines.append(framing)
    head = b"\r\n".join(lines)
    breaks = len(lines) - 1
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head or lines[0].count(b" ") != 2:
        raise ValueError("a request head with a control character or space where none may be")
    return b"".join((head, b"\r\n\r\n", _at_hand(request)))


def chunk(data: bytes) -> bytes:
    """Return `data`, which must not be empty, as one chunk (RFC 9112 section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _framing(request: UpstreamRequest) -> bytes | None:
    if request.rest is not None:
        return b"Transfer-Encoding: chunked" if request.length is None else b"Content-Length: %d" % request.length
    if request.body is not None:
        return b"Content-Length: %d" % len(request.body)
    # RFC 9110 section 8.6: a method that expects content says when there is none.
    return b"Content-Length: 0" if request.method in _BODY_EXPECTED else None


def _at_hand(request: UpstreamRequest) -> bytes:
    body = request.body
    if not body:
        return b""
    return body if request.rest is None or request.length is not None else chunk(body)
