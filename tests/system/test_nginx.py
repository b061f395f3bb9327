"""nginx as an oracle on either side: what it serves and what it forwards passes through the gateway unchanged.

And what it refuses of an upstream, the gateway refuses too.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import os
from typing import TYPE_CHECKING, Any

from tests.integration.harness import gateway, get, on_uvloop, post, upstream
from tests.integration.origin import Conversation, Step, half_close, head, send, serve
from tests.integration.wire import Wire, ask, connect
from tests.system.nginx import nginx
from tests.system.ports import free_port
from tests.unit.upstream.samples import ACCEPTED, REFUSED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from tests.integration.wire import Reply

MODIFIED_S = 1_790_000_000
MODIFIED = "Mon, 21 Sep 2026 14:13:20 GMT"
FILES = {
    "hello.txt": b"hello, world\n",
    "empty.txt": b"",
    "page.html": b"<p>" + b"words and words " * 500,
    "film.mp4": bytes(range(256)) * 4096,
    "data.json": b'{"a": [1.50]}',
}
ORIGIN = """
server {{
    listen 127.0.0.1:{port};
    root {root};
    absolute_redirect on;
    location = /said {{ add_header X-A 1 always; add_header X-A 2 always; return 200 "said\\n"; }}
    location = /made {{ return 201; }}
    location = /nothing {{ return 204; }}
    location = /moved {{ return 301 /hello.txt?a=b%2Fc; }}
    location = /elsewhere {{ return 302 https://elsewhere.test/a; }}
    location = /forbidden {{ return 403; }}
    location = /teapot {{ return 418 "short and stout"; }}
    location = /broken {{ return 503 "later"; }}
    location = /closed {{ keepalive_timeout 0; return 200 "bye"; }}
    location = /zipped.html {{ gzip on; gzip_proxied any; gzip_min_length 1; gzip_vary on; alias {root}/page.html; }}
    location /echo/ {{ return 200 "$request_method $request_uri $content_length $http_x_kept\\n"; }}
    location /put/ {{ client_body_in_single_buffer on; proxy_pass http://127.0.0.1:{port}/echo/; }}
}}
"""
FRONT = """
upstream accord {{ server 127.0.0.1:{gateway}; keepalive 4; }}
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://accord/api$request_uri;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_request_buffering off;
        proxy_redirect off;
        client_max_body_size 0;
    }}
}}
"""
PROXY = """
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://127.0.0.1:{origin};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_next_upstream off;
        proxy_buffering off;
    }}
}}
"""
ETAG = f'"{MODIFIED_S:x}-{len(FILES["hello.txt"]):x}"'
LARGE = b"0123456789" * 50_000

REQUESTS: dict[str, bytes] = {
    "a file": get("/hello.txt"),
    "an empty file": get("/empty.txt"),
    "a large file": get("/film.mp4"),
    "JSON": get("/data.json"),
    "HEAD": get("/hello.txt", method="HEAD"),
    "HEAD of what is missing": get("/missing", method="HEAD"),
    "no such file": get("/missing"),
    "zipped, in chunks": get("/zipped.html", "Accept-Encoding: gzip"),
    "not zipped": get("/zipped.html"),
    "HEAD of what is zipped": get("/zipped.html", "Accept-Encoding: gzip", method="HEAD"),
    "not modified since": get("/hello.txt", f"If-Modified-Since: {MODIFIED}"),
    "not modified by ETag": get("/hello.txt", f"If-None-Match: {ETAG}"),
    "precondition failed": get("/hello.txt", 'If-Match: "other"'),
    "a range": get("/film.mp4", "Range: bytes=1000-1999"),
    "the end of a range": get("/film.mp4", "Range: bytes=-5"),
    "two ranges": get("/hello.txt", "Range: bytes=0-1,4-5"),
    "a range beyond the end": get("/hello.txt", "Range: bytes=5000-"),
    "If-Range": get("/film.mp4", "Range: bytes=0-9", f'If-Range: "{MODIFIED_S:x}-{len(FILES["film.mp4"]):x}"'),
    "repeated fields": get("/said"),
    "201": get("/made"),
    "204": get("/nothing"),
    "a redirect here": get("/moved"),
    "a redirect elsewhere": get("/elsewhere"),
    "403": get("/forbidden"),
    "418": get("/teapot"),
    "503": get("/broken"),
    "closed behind it": get("/closed"),
    "a target byte for byte": get("/echo/a%2Fb%20c//d?e=%3f&f", "X-Kept: a, b"),
    "POST": post("/echo/a", b"hello"),
    "POST of nothing": post("/echo/a", b""),
    "PUT": get("/echo/a", "Content-Length: 3", method="PUT") + b"abc",
    "PATCH": get("/echo/a", "Content-Length: 3", method="PATCH") + b"abc",
    "DELETE": get("/echo/a", method="DELETE"),
    "a method that files do not know": post("/hello.txt", b"x"),
    "a large POST": post("/put/a", LARGE),
}
_OF_ONE_HOP = frozenset({b"date", b"connection", b"keep-alive", b"transfer-encoding"})
_OURS = frozenset({b"via", b"x-request-id", b"accord-format"})
UNTOUCHED: dict[str, Any] = {
    "match": {"prefix": "/api"},
    "routes": [{"match": {"path": "/**"}, "success": "pass", "errors": "pass"}],
    "rewrite": {"location": False},
    "request": {"host": "gateway.test"},  # nginx makes addresses of it
}


@contextlib.asynccontextmanager
async def behind(folder: Path) -> AsyncIterator[int]:
    """Run nginx as an origin with real files; yield its port."""
    root = folder / "root"
    root.mkdir()
    for name, data in FILES.items():
        (root / name).write_bytes(data)
        os.utime(root / name, (MODIFIED_S, MODIFIED_S))
    port = free_port()
    async with nginx(folder / "behind", ORIGIN.format(port=port, root=root), port):
        yield port


async def apart(port: int, requests: Iterable[bytes]) -> list[Reply]:
    """Send requests each on a connection of its own: nginx closes some that it says it keeps (behind 412)."""
    return [await ask(port, request, head=request.startswith(b"HEAD")) for request in requests]


async def in_a_row(port: int, requests: Iterable[bytes]) -> list[Reply]:
    """Send requests on one connection, which must stay."""
    async with await connect(port) as wire:
        replies: list[Reply] = []
        for request in requests:
            await wire.send(request)
            replies.append(await wire.reply(head=request.startswith(b"HEAD")))
            assert replies[-1].header("Connection") != b"close"
        return replies


def end_to_end(reply: Reply) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return what a reply means, whoever carried it: no field of one hop, none of ours."""
    left_out = _OF_ONE_HOP | _OURS
    fields = sorted((name.lower(), value) for name, value in reply.headers if name.lower() not in left_out)
    return reply.status, fields, reply.body


def prefixed(request: bytes) -> bytes:
    """Return a request below the prefix of the upstream."""
    method, _, rest = request.partition(b" ")
    return method + b" /api" + rest


def told(name: str, direct: Reply, through: Reply) -> None:
    """Compare an answer with what nginx says when asked directly. The boundary between ranges is another each time."""
    expected, found = end_to_end(direct), end_to_end(through)
    if name == "two ranges":
        assert (found[0], len(found[2])) == (expected[0], len(expected[2]))
        return
    assert found == expected, name


@on_uvloop
async def test_what_nginx_serves_passes_unchanged(tmp_path: Path) -> None:
    """Status, end-to-end fields and body of each reply are those that nginx gives when it is asked directly."""
    async with (
        behind(tmp_path) as port,
        gateway(tmp_path, upstream(port, **UNTOUCHED)) as accord,
    ):
        direct = await apart(port, REQUESTS.values())
        through = await in_a_row(accord.port, map(prefixed, REQUESTS.values()))
        for name, expected, found in zip(REQUESTS, direct, through, strict=True):
            told(name, expected, found)
        assert {200, 201, 204, 206, 301, 302, 304, 403, 404, 405, 412, 416, 418, 503} == {
            reply.status for reply in through
        }
        zipped = through[list(REQUESTS).index("zipped, in chunks")]
        assert zipped.header("Transfer-Encoding") == b"chunked"
        assert gzip.decompress(zipped.body) == FILES["page.html"]


@on_uvloop
async def test_nginx_in_front_finds_no_fault(tmp_path: Path) -> None:
    """Through nginx, the gateway and nginx again the same arrives, and the first of them has nothing to complain of."""
    front = free_port()
    async with (
        behind(tmp_path) as port,
        gateway(tmp_path, upstream(port, **UNTOUCHED)) as accord,
        nginx(tmp_path / "front", FRONT.format(port=front, gateway=accord.port), front) as complaints,
    ):
        direct = await apart(port, REQUESTS.values())
        through = await apart(front, REQUESTS.values())
        for name, expected, found in zip(REQUESTS, direct, through, strict=True):
            told(name, expected, found)
        assert complaints.read_text() == ""


@on_uvloop
async def test_nginx_in_front_keeps_its_connection_to_us(tmp_path: Path) -> None:
    """Requests that follow each other come on one connection, translated answers and refusals of our own among them."""
    bad = b"HTTP/1.1 422 No\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    good = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    front = free_port()
    async with (
        serve((head(), send(bad), head(), send(good), head(), send(good))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        nginx(tmp_path / "front", FRONT.format(port=front, gateway=accord.port), front) as complaints,
    ):
        replies = await apart(front, [get("/a"), get("/b"), post("/c", b""), get("/d", "Via: 1.1 accord")])
        assert [reply.status for reply in replies] == [422, 200, 200, 502]
        assert [reply.body for reply in replies[1:3]] == [b"hello", b"hello"]
        assert replies[0].header("Content-Type") == b"application/problem+json"
        assert len(origin.conversations) == 1
        assert complaints.read_text() == ""


BOTH_REFUSE = frozenset({
    "obs-fold",
    "obs-fold with a tab",
    "obs-fold after nothing",
    "obs-fold in the first line",
    "space before the colon",
    "no name",
    "control character 0 in a value",
    "control character 13 in a value",
    "chunk size in words",
    "chunk size with 0x",
    "chunk size with a sign",
    "negative chunk size",
    "chunk size with an underscore",
    "space before the chunk size",
    "no chunk size",
    "chunk size beyond 64 bits",
    "chunk longer than its size",
    "bare LF in a chunk extension",
})  # fmt: skip
"""What nginx 1.22 refuses of what the gateway refuses; in all other rows of `REFUSED` the gateway is the stricter one.

Lengths that are repeated, lists or no numbers; transfer codings other than `chunked` alone, on HTTP/1.1, without a
length; other protocols and versions, which nginx passes on as HTTP/0.9; statuses outside 200 to 599, and an unasked
101; names that are no tokens, and most control characters; bare LF; white space, control characters and line ends
around chunks and trailers.
"""
OTHERWISE = frozenset({
    "a status line without a reason",  # nginx passes it on without the space that RFC 9112 section 4 asks for
    "100 first",  # nginx 1.22 takes an interim reply for the final one
    "100, then chunks",
    "103 with fields, then 102",
    "100, then HEAD's",
})  # fmt: skip
"""Good replies of which nginx 1.22 makes something that is wrong."""
_SHORT = "short: "
SAMPLES = (
    {name: (b"GET", data) for name, data in REFUSED.items()}
    | {name: (sample.method, sample.data) for name, sample in ACCEPTED.items()}
    | {_SHORT + name: (sample.method, sample.data[:-1]) for name, sample in ACCEPTED.items()}
)
NAMES = list(SAMPLES)


def chosen() -> Step:
    """Answer with the sample whose place among all the target names, and close this side."""

    async def step(conversation: Conversation) -> None:
        await head()(conversation)
        place = int(conversation.received.split(b" ")[1].removeprefix(b"/"))
        await send(SAMPLES[NAMES[place]][1])(conversation)
        await half_close()(conversation)

    return step


async def seen(port: int, request: bytes) -> tuple[int, bytes] | None:
    """Return the status and the body of an answer, None for one that is cut, status 0 for one that is no HTTP."""
    async with await connect(port) as wire:
        await wire.send(request)
        data = await wire.at_end()
        whole = asyncio.StreamReader()
        whole.feed_data(data)
        whole.feed_eof()
        try:
            reply = await Wire(whole, wire.writer).reply(head=request.startswith(b"HEAD"))
        except asyncio.IncompleteReadError:
            return (0, data) if data and not data.startswith(b"HTTP/1.1 ") else None
        except (AssertionError, ValueError):
            return 0, data
        return reply.status, reply.body


def refused(answer: tuple[int, bytes] | None) -> bool:
    """Tell whether a reply was not let through."""
    return answer is None or answer[0] == 502


@on_uvloop
async def test_what_nginx_refuses_of_an_upstream_is_refused(tmp_path: Path) -> None:
    """What nginx does not let through, the gateway does not let through either; of good replies both make the same."""
    front = free_port()
    by_nginx: dict[str, tuple[int, bytes] | None] = {}
    by_us: dict[str, tuple[int, bytes] | None] = {}
    async with (
        serve((chosen(),)) as origin,
        gateway(tmp_path, upstream(origin, **UNTOUCHED)) as accord,
        nginx(tmp_path / "front", PROXY.format(port=front, origin=origin.port), front),
    ):
        for place, (name, (method, _)) in enumerate(SAMPLES.items()):
            by_nginx[name] = await seen(front, get(f"/{place}", "Connection: close", method=method.decode()))
            by_us[name] = await seen(accord.port, get(f"/api/{place}", "Connection: close", method=method.decode()))
    too_lenient = [name for name in SAMPLES if refused(by_nginx[name]) and not refused(by_us[name])]
    assert too_lenient == []
    assert [name for name in REFUSED if not refused(by_us[name])] == []
    assert {name for name in REFUSED if refused(by_nginx[name])} >= BOTH_REFUSE
    agreed = ACCEPTED.keys() - OTHERWISE
    assert {name: by_us[name] for name in agreed} == {name: by_nginx[name] for name in agreed}
