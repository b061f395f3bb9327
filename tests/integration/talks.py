"""Whole conversations as data: what a client sends, what an origin answers, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.integration.harness import get, post
from tests.integration.origin import Conversation, Step, body, head, last_chunk
from tests.unit.upstream.samples import ACCEPTED, CHUNKED, OK, REFUSED

TEXT = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
HELLO = TEXT + b"Content-Length: 5\r\n\r\nhello"
BAD = b'{"status":422,"success":false,"error":{"code":"error","message":"No","fields":{"a":["b"]}}}'
GOOD = b'{"status":200,"success":true,"data":{"a":[1.50]}}'
PROTOCOL = "upstream_protocol_error"
LARGE = bytes(range(256)) * 400
"""More than is collected before an upstream is asked, and binary."""


@dataclass(frozen=True, kw_only=True)
class Talk:
    """A client's bytes, and the origin's reply to each of its requests; then what the client must see.

    `takes` is what the origin reads before each reply, `ends` says that it closes its side behind the last one.
    `status` is that of every answer, None where the last is cut; `body` and `code` are the last one's. `kept`: the
    client's connection stays. `reused`: so does the upstream's.
    """

    request: bytes = get("/api/a")
    takes: tuple[Step, ...] = (head(),)
    replies: tuple[bytes, ...]
    ends: bool = False
    to_head: bool = False
    whole_request: bool = True
    status: int | None = 200
    body: bytes | None = None
    code: str | None = None
    kept: bool = True
    reused: bool = True


def json_reply(status: bytes, data: bytes, *, chunked: bool = False) -> bytes:
    """Return a reply in JSON, by length or in chunks of seven bytes."""
    start = b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\n"
    if not chunked:
        return start + b"Content-Length: %d\r\n\r\n" % len(data) + data
    return start + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(data, 7) + b"0\r\n\r\n"


def chunks(data: bytes, size: int) -> bytes:
    """Return `data` in chunks, without the last."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


def whole_body(size: int) -> Step:
    """Read a body of `size` bytes, or to its last chunk, as its head says."""

    async def step(conversation: Conversation) -> None:
        framed = b"Transfer-Encoding: chunked" in conversation.received
        await (last_chunk() if framed else body(size))(conversation)

    return step


def _posted(data: bytes) -> bytes:
    return get("/api/a", "Transfer-Encoding: chunked", method="POST") + data


_HEAD = get("/api/a", method="HEAD")
_EARLY = get("/api/a", "Content-Length: 300000", method="POST") + LARGE
_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

TALKS: dict[str, Talk] = {
    # Framing of the reply
    "length": Talk(replies=(HELLO,), body=b"hello"),
    "chunks": Talk(replies=(TEXT + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",), body=b"hello"),
    "chunks with extensions and trailers": Talk(
        replies=(CHUNKED + b"2;a=b\r\nhe\r\n3\r\nllo\r\n0;c\r\nX-Sum: 1\r\nX-Empty:\r\n\r\n",), body=b"hello"
    ),
    "close-delimited": Talk(replies=(TEXT + b"\r\nhello",), ends=True, body=b"hello", reused=False),
    "HTTP/1.0": Talk(replies=(b"HTTP/1.0 200 OK\r\n\r\nhello",), ends=True, body=b"hello", reused=False),
    "Connection: close": Talk(
        replies=(OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello",), ends=True, body=b"hello", reused=False
    ),
    "binary in large chunks": Talk(replies=(CHUNKED + chunks(LARGE, 40_000) + b"0\r\n\r\n",), body=LARGE),
    "no body": Talk(replies=(OK + b"Content-Length: 0\r\n\r\n",), body=b""),
    "204": Talk(replies=(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",), status=204, body=b""),
    "304": Talk(replies=(b'HTTP/1.1 304 Same\r\nETag: "a"\r\nContent-Length: 5\r\n\r\n',), status=304, body=b""),
    "HEAD with a length": Talk(request=_HEAD, replies=(TEXT + b"Content-Length: 5\r\n\r\n",), to_head=True, body=b""),
    "HEAD with chunks": Talk(request=_HEAD, replies=(CHUNKED,), to_head=True, body=b""),
    # Interim replies
    "100 and 103": Talk(replies=(_CONTINUE + _HINTS + _HINTS + HELLO,), body=b"hello"),
    "103, then 204": Talk(replies=(_HINTS + b"HTTP/1.1 204 X\r\n\r\n",), status=204, body=b""),
    "only 100": Talk(replies=(_CONTINUE,), ends=True, status=502, code=PROTOCOL, reused=False),
    # Replies that are read
    "error": Talk(replies=(json_reply(b"422 X", BAD),), status=422, code="validation_failed"),
    "error in chunks": Talk(replies=(json_reply(b"422 X", BAD, chunked=True),), status=422, code="validation_failed"),
    "success": Talk(replies=(json_reply(b"200 OK", GOOD),)),
    "success in chunks": Talk(replies=(json_reply(b"200 OK", GOOD, chunked=True),)),
    "error to HEAD": Talk(
        request=_HEAD, replies=(b"HTTP/1.1 404 X\r\nContent-Length: 9\r\n\r\n",), to_head=True, status=404, body=b""
    ),
    # Endings before their time
    "half a head": Talk(replies=(b"HTTP/1.1 200 OK\r\nX",), ends=True, status=502, code=PROTOCOL, reused=False),
    "short of its length": Talk(
        replies=(TEXT + b"Content-Length: 9\r\n\r\nhello",), ends=True, status=None, kept=False, reused=False
    ),
    "half a chunk": Talk(replies=(CHUNKED + b"9\r\nhello",), ends=True, status=None, kept=False, reused=False),
    "no last chunk": Talk(replies=(CHUNKED + b"5\r\nhello\r\n",), ends=True, status=None, kept=False, reused=False),
    "half an end": Talk(replies=(CHUNKED + b"5\r\nhello\r\n0\r\n",), ends=True, status=None, kept=False, reused=False),
    "error short of its length": Talk(
        replies=(json_reply(b"422 X", BAD)[:-1],), ends=True, status=502, code=PROTOCOL, reused=False
    ),
    "error with a broken chunk": Talk(
        replies=(json_reply(b"422 X", BAD, chunked=True)[:-6] + b"zz\r\n",), status=502, code=PROTOCOL, reused=False
    ),
    # More than a reply
    "a byte too many": Talk(replies=(HELLO + b"!",), body=b"hello", reused=False),
    "two replies": Talk(replies=(HELLO + TEXT + b"Content-Length: 4\r\n\r\nevil",), body=b"hello", reused=False),
    "two replies in chunks": Talk(
        replies=(CHUNKED + b"5\r\nhello\r\n0\r\n\r\n" + CHUNKED + b"4\r\nevil\r\n0\r\n\r\n",),
        body=b"hello",
        reused=False,
    ),
    "a smuggled reply in a 204": Talk(
        replies=(b"HTTP/1.1 204 X\r\nContent-Length: 80\r\n\r\n" + HELLO,), status=204, body=b"", reused=False
    ),
    "a smuggled reply in a 304": Talk(
        replies=(b"HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n" + HELLO,), status=304, body=b"", reused=False
    ),
    "a smuggled reply in HEAD's": Talk(request=_HEAD, replies=(HELLO + HELLO,), to_head=True, body=b"", reused=False),
    # Ways in
    "body by length": Talk(
        request=post("/api/a", b"0123456789" * 9), takes=(head(), body(90)), replies=(HELLO,), body=b"hello"
    ),
    "body in chunks with trailers": Talk(
        request=_posted(chunks(b"0123456789" * 3, 7) + b"0\r\nX-Sum: 1\r\n\r\n"),
        takes=(head(), body(30)),
        replies=(HELLO,),
        body=b"hello",
        kept=False,
    ),
    "large body by length": Talk(
        request=post("/api/a", LARGE), takes=(head(), body(len(LARGE))), replies=(HELLO,), body=b"hello"
    ),
    "large body in chunks": Talk(
        request=_posted(chunks(b"x" * 100_000, 9_999) + b"0\r\n\r\n"),
        takes=(head(), whole_body(100_000)),
        replies=(HELLO,),
        body=b"hello",
        kept=False,
        whole_request=False,  # read whole when it came at once, it goes on by length
    ),
    "100-continue": Talk(
        request=post("/api/a", b"hello", "Expect: 100-continue"),
        takes=(head(), body(5)),
        replies=(_CONTINUE + HELLO,),
        body=b"hello",
    ),
    "HTTP/1.0 client": Talk(
        request=b"GET /api/a HTTP/1.0\r\nHost: gateway.test\r\n\r\n", replies=(HELLO,), body=b"hello", kept=False
    ),
    "three in a row": Talk(
        request=get("/api/a") + post("/api/b", b"") + get("/api/c"),
        replies=(HELLO, CHUNKED + b"1\r\na\r\n0\r\n\r\n", TEXT + b"Content-Length: 3\r\n\r\nend"),
        body=b"end",
    ),
    # Early replies, to a request that is never completed
    "early 413": Talk(
        request=_EARLY,
        replies=(b"HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n",),
        status=413,
        code="body_too_large",
        kept=False,
        reused=False,
        whole_request=False,
    ),
    "early 200": Talk(request=_EARLY, replies=(HELLO,), body=b"hello", kept=False, reused=False, whole_request=False),
    "early nonsense": Talk(
        request=_EARLY,
        replies=(b"nonsense\r\n\r\n",),
        status=502,
        code=PROTOCOL,
        kept=False,
        reused=False,
        whole_request=False,
    ),
}
"""Each with what must come of it, however the network cuts it."""

SAMPLES: dict[str, Talk] = {
    f"accepted: {name}": Talk(
        request=get("/api/a", method=sample.method.decode()),
        replies=(sample.data,),
        ends=sample.to_close,
        to_head=sample.method == b"HEAD",
        status=sample.status,
        body=sample.body if sample.status < 400 else None,
        reused=sample.persistent,
    )
    for name, sample in ACCEPTED.items()
}
"""What the upstream side takes, through the whole gateway."""

MALFORMED: dict[str, Talk] = {
    name: Talk(replies=(data,), status=None if data.startswith(CHUNKED) else 502, kept=False, reused=False)
    for name, data in REFUSED.items()
}
"""What it refuses: a 502 where nothing was sent yet, else a cut."""
