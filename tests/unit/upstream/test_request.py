"""Writing requests: what goes on the wire, what is left out, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.upstream.port import UpstreamRequest
from gateway.upstream.request import chunk, replayable, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = (b"Host", b"a.example")


async def nothing() -> AsyncIterator[bytes]:
    """A streamed remainder of one empty piece."""
    yield b""


def test_an_upgrade_is_asked_for_in_our_words() -> None:
    """RFC 6455 section 4.1; what the fields say of it is not copied."""
    headers = ((b"Host", b"a"), (b"upgrade", b"h2c"), (b"Connection", b"x"), (b"Sec-WebSocket-Key", b"k"))
    request = UpstreamRequest(method=b"GET", target=b"/", headers=headers, upgrade=True)
    assert written(request) == (
        b"GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )


def test_a_request_is_written_from_its_parts() -> None:
    """One request line, the fields in order and spelling, one empty line."""
    request = UpstreamRequest(method=b"GET", target=b"/a?b", headers=(HOST, (b"x-b", b"1"), (b"X-B", b"\xff ")))
    assert written(request) == b"GET /a?b HTTP/1.1\r\nHost: a.example\r\nx-b: 1\r\nX-B: \xff \r\n\r\n"


@pytest.mark.parametrize("target", [b"/", b"//evil/x", b"/%2F%2e%2E/;a/../b", b"/?", b"/\xd9\xa5", b"*"])
def test_a_target_goes_out_byte_for_byte(target: bytes) -> None:
    """Nothing in a target is resolved, joined or encoded."""
    assert written(UpstreamRequest(method=b"OPTIONS", target=target)) == b"OPTIONS " + target + b" HTTP/1.1\r\n\r\n"


@pytest.mark.parametrize("target", [b"", b"a", b"http://evil/", b"@evil/x", b"**", b"?a", b" /"])
def test_a_target_begins_with_a_slash(target: bytes) -> None:
    """A target that could name another host cannot be."""
    with pytest.raises(ValueError, match="begins with"):
        UpstreamRequest(method=b"GET", target=target)


@pytest.mark.parametrize(
    "name",
    [
        b"Connection",
        b"Content-Length",
        b"content-length",
        b"EXPECT",
        b"Keep-Alive",
        b"Proxy-Connection",
        b"TE",
        b"Trailer",
        b"Transfer-Encoding",
        b"Upgrade",
    ],
)
def test_fields_of_the_connection_are_never_copied(name: bytes) -> None:
    """Framing and connection fields are ours to write, and Expect is never forwarded."""
    request = UpstreamRequest(method=b"GET", target=b"/", headers=(HOST, (name, b"7")))
    assert written(request) == b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "body", "length", "expected"),
    [
        (b"GET", None, None, b"\r\n\r\n"),
        (b"DELETE", None, None, b"\r\n\r\n"),
        (b"POST", None, None, b"\r\nContent-Length: 0\r\n\r\n"),
        (b"PUT", None, None, b"\r\nContent-Length: 0\r\n\r\n"),
        (b"PATCH", None, None, b"\r\nContent-Length: 0\r\n\r\n"),
        (b"POST", b"", 0, b"\r\nContent-Length: 0\r\n\r\n"),
        (b"GET", b"", None, b"\r\nContent-Length: 0\r\n\r\n"),
        (b"POST", b"abc", None, b"\r\nContent-Length: 3\r\n\r\nabc"),
        (b"GET", b"abc", 3, b"\r\nContent-Length: 3\r\n\r\nabc"),
    ],
)
def test_a_body_at_hand_has_a_length(method: bytes, body: bytes | None, length: int | None, expected: bytes) -> None:
    """What is at hand goes out with its length, and a method that expects content says when there is none."""
    request = UpstreamRequest(method=method, target=b"/", body=body, length=length)
    assert written(request) == method + b" / HTTP/1.1" + expected


@pytest.mark.parametrize(
    ("body", "length", "expected"),
    [
        (None, 7, b"\r\nContent-Length: 7\r\n\r\n"),
        (b"abc", 7, b"\r\nContent-Length: 7\r\n\r\nabc"),
        (None, None, b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (b"", None, b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (b"abc", None, b"\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
    ],
)
def test_a_streamed_body_has_its_declared_length_or_chunks(
    body: bytes | None, length: int | None, expected: bytes
) -> None:
    """A remainder goes behind what is at hand, in the framing that the client chose."""
    request = UpstreamRequest(method=b"POST", target=b"/", body=body, rest=nothing(), length=length)
    assert written(request) == b"POST / HTTP/1.1" + expected


@pytest.mark.parametrize(("body", "length"), [(b"abc", 2), (b"abc", 4), (None, 1), (b"", 1)])
def test_a_length_must_be_true(body: bytes | None, length: int) -> None:
    """A body that is all at hand cannot be declared as another length."""
    with pytest.raises(ValueError, match="declared"):
        UpstreamRequest(method=b"POST", target=b"/", body=body, length=length)


def test_a_length_must_hold_what_is_at_hand() -> None:
    """What is at hand cannot be more than the whole."""
    with pytest.raises(ValueError, match="declared"):
        UpstreamRequest(method=b"POST", target=b"/", body=b"abc", rest=nothing(), length=2)


@pytest.mark.parametrize(
    ("method", "target", "field"),
    [
        (b"GET", b"/\r\nX: 1", HOST),
        (b"GET", b"/\n", HOST),
        (b"GET", b"/\r", HOST),
        (b"GET", b"/a b", HOST),
        (b"GET", b"/\0", HOST),
        (b"GE T", b"/", HOST),
        (b"GET\r\n", b"/", HOST),
        (b"GET", b"/", (b"X", b"1\r\nY: 2")),
        (b"GET", b"/", (b"X", b"1\r\n\r\nGET / HTTP/1.1")),
        (b"GET", b"/", (b"X", b"1\n2")),
        (b"GET", b"/", (b"X", b"1\r2")),
        (b"GET", b"/", (b"X", b"1\0")),
        (b"GET", b"/", (b"X\r\nY", b"1")),
        (b"GET", b"/", (b"X: 1\nY", b"1")),
    ],
)
def test_a_head_that_would_split_is_refused(method: bytes, target: bytes, field: tuple[bytes, bytes]) -> None:
    """No part of a head can end a line, or hold a NUL, and the request line has three parts."""
    with pytest.raises(ValueError, match="control character"):
        written(UpstreamRequest(method=method, target=target, headers=(field,)))


def test_a_body_may_hold_anything() -> None:
    """What is refused in a head is nobody's business in a body."""
    assert written(UpstreamRequest(method=b"PUT", target=b"/", body=b"\r\n\0")).endswith(b"3\r\n\r\n\r\n\0")


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        (b"GET", None, True),
        (b"HEAD", None, True),
        (b"OPTIONS", None, True),
        (b"TRACE", None, True),
        (b"PUT", b"a", True),
        (b"DELETE", b"a", True),
        (b"POST", None, False),
        (b"PATCH", b"a", False),
        (b"get", None, False),
        (b"PURGE", None, False),
    ],
)
def test_what_may_be_sent_twice(method: bytes, body: bytes | None, expected: bool) -> None:
    """Only idempotent methods, and only a body that is all at hand, may be sent a second time."""
    assert replayable(UpstreamRequest(method=method, target=b"/", body=body)) is expected
    assert not replayable(UpstreamRequest(method=method, target=b"/", body=body, rest=nothing()))


def test_a_chunk_has_its_size_in_hex() -> None:
    """A chunk is its size, itself, and a line end."""
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
