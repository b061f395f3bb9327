"""Every row of "Failures of our own" in the reference of the format: what happened, and what the client is told."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.integration.harness import LoopClock, gateway, get, on_uvloop, post, upstream
from tests.integration.loops import in_virtual_time
from tests.integration.origin import OK, Step, close, head, reset, send, serve, wait
from tests.integration.wire import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.wire import Reply

SHORT = {"connect": "500ms", "first_byte": "500ms", "idle": "500ms", "total": "5s"}


def told(answer: Reply, status: int, code: str, error: str, origin: str, fault: str) -> None:
    """Check what a failure of our own says, in every place where it says it."""
    document = answer.json()
    assert (answer.status, document["status"], document["code"]) == (status, status, code)
    assert answer.header("Proxy-Status") == f"accord; error={error}".encode()
    assert (document["source"]["origin"], document["source"]["fault"]) == (origin, fault)
    assert answer.header("Content-Type") == b"application/problem+json"
    assert answer.header("Cache-Control") == b"no-store"
    assert answer.header("Via") == b"1.1 accord"
    assert document["instance"] == f"urn:uuid:{document['request_id']}"
    assert answer.header("X-Request-Id") == document["request_id"].encode()
    assert "upstream" not in document


@on_uvloop
async def test_no_route(tmp_path: Path) -> None:
    """404, and the log says that nothing was there."""
    async with gateway(tmp_path, upstream(1)) as accord:
        told(await accord.get("/apis"), 404, "route_not_found", "http_request_denied", "gateway", "client")
        told(await accord.get("/-/other"), 404, "route_not_found", "http_request_denied", "gateway", "client")
        assert (await accord.outcomes.next()).outcome == "no_route"


@on_uvloop
async def test_method_not_on_the_route(tmp_path: Path) -> None:
    """405, with the methods that are."""
    only = upstream(1, match={"prefix": "/api", "methods": ["GET", "PUT"]})
    async with gateway(tmp_path, only) as accord:
        answer = await accord.ask(post("/api/a", b"x"))
        told(answer, 405, "method_not_allowed", "http_request_denied", "gateway", "client")
        assert answer.header("Allow") == b"GET, HEAD, PUT"


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"\x00\r\n\r\n", 400, "malformed_request"),
        (get("/" + "a" * 3000), 414, "target_too_large"),
        (get("/api", "X-A: " + "a" * 9000), 431, "head_too_large"),
        (get("/api", "Content-Length: 3000", method="POST"), 413, "body_too_large"),
        (get("/api", "Transfer-Encoding: chunked", method="POST") + b"fff\r\n" + b"a" * 4095, 413, "body_too_large"),
        (get("/api", "Expect: the-impossible"), 417, "expectation_failed"),
    ],
    ids=["malformed", "target", "head", "body by length", "body by count", "expectation"],
)
@on_uvloop
async def test_requests_that_are_malformed_or_too_large(
    tmp_path: Path, request_bytes: bytes, status: int, code: str
) -> None:
    """400, 414, 431 and 413."""
    bounds = {"target": "2KiB", "head": "8KiB", "body": "2KiB"}
    async with gateway(tmp_path, upstream(1), bounds=bounds) as accord:
        told(await accord.ask(request_bytes), status, code, "http_request_error", "gateway", "client")


@on_uvloop
async def test_our_limit(tmp_path: Path) -> None:
    """429, with the fields that say when to come again; they stand on what is admitted, too."""
    limits = [{"name": "few", "key": "ip", "requests": 1, "per": "60s"}]
    async with (
        serve((head(), send(OK), head(), send(OK))) as origin,
        gateway(tmp_path, upstream(origin), limits=limits) as accord,
    ):
        first = await accord.get("/api/a")
        assert (first.status, first.header("RateLimit-Policy")) == (200, b'"few";q=1;w=60')
        answer = await accord.get("/api/a")
        told(answer, 429, "rate_limited", "http_request_denied", "gateway", "client")
        assert answer.header("RateLimit") == b'"few";r=0;t=60'
        assert answer.header("Retry-After") == b"60"
        assert answer.json()["retry"]["retryable"] is True
        assert 59 < answer.json()["retry"]["after"] <= 60
        assert (await accord.outcomes.next()).outcome == "ok"
        assert (await accord.outcomes.next()).outcome == "rate_limited"


@on_uvloop
async def test_the_pool_is_full(tmp_path: Path) -> None:
    """503: ours to say, the upstream's to mend."""
    over = asyncio.Event()
    pool = {"max_connections": 1, "max_waiting": 0}
    async with (
        serve((head(), wait(over), send(OK))) as origin,
        gateway(tmp_path, upstream(origin, pool=pool)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a"))
        await origin.conversation(0)
        answer = await accord.get("/api/b")
        told(answer, 503, "upstream_saturated", "connection_limit_reached", "gateway", "upstream")
        over.set()
        assert (await wire.reply()).status == 200


@on_uvloop
async def test_nobody_listens(tmp_path: Path) -> None:
    """503, and not a word of the address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with gateway(tmp_path, upstream(port)) as accord:
        answer = await accord.get("/api/a")
        told(answer, 503, "upstream_unreachable", "connection_refused", "transport", "upstream")
        assert b"127.0.0.1" not in answer.body
        assert str(port).encode() not in answer.body


@on_uvloop
async def test_no_such_host(tmp_path: Path) -> None:
    """503, and not a word of the name."""
    async with gateway(tmp_path, upstream(1, base_url="http://no-such-host.invalid")) as accord:
        answer = await accord.get("/api/a")
        told(answer, 503, "upstream_unreachable", "dns_error", "transport", "upstream")
        assert b"no-such-host" not in answer.body


@on_uvloop
async def test_tls_fails(tmp_path: Path) -> None:
    """503: what answers speaks no TLS."""
    async with (
        serve((send(b"HTTP/1.1 400 No\r\n\r\n"), close())) as origin,
        gateway(tmp_path, upstream(origin, base_url=f"https://127.0.0.1:{origin.port}")) as accord,
    ):
        answer = await accord.get("/api/a")
        told(answer, 503, "upstream_tls_failed", "tls_protocol_error", "transport", "upstream")


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that takes no connection: its queue is full, and nobody accepts."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(address)
        yield address[1]


@in_virtual_time
async def test_no_connection_in_time(tmp_path: Path, deaf_port: int) -> None:
    """504."""
    async with gateway(tmp_path, upstream(deaf_port, timeouts=SHORT)) as accord:
        answer = await accord.get("/api/a")
        told(answer, 504, "upstream_timeout", "connection_timeout", "transport", "upstream")
        assert (await accord.outcomes.next()).outcome == "timeout"


@pytest.mark.parametrize(
    "script",
    [(head(),), (head(), send(b"HTTP/1.1 422 No\r\nContent-Length: 9\r\n\r\n{"))],
    ids=["no head", "no more of a body that must be read"],
)
@in_virtual_time
async def test_no_answer_in_time(tmp_path: Path, script: tuple[Step, ...]) -> None:
    """504."""
    async with serve(script) as origin, gateway(tmp_path, upstream(origin, timeouts=SHORT)) as accord:
        answer = await accord.get("/api/a")
        told(answer, 504, "upstream_timeout", "http_response_timeout", "transport", "upstream")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ((head(), close()), "connection_terminated"),
        ((head(), reset()), "connection_terminated"),
        ((head(), send(b"HTTP/1.1 422 No\r\nContent-Length: 9\r\n\r\n{"), close()), "http_response_incomplete"),
        ((head(), send(b"SSH-2.0-nonsense\r\n\r\n")), "http_protocol_error"),
        ((head(), send(b"HTTP/1.1 101 Surprise\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")), "http_protocol_error"),
        ((head(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")), "http_protocol_error"),
        ((head(), send(b"HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n")), "http_protocol_error"),
    ],
    ids=["closed", "reset", "error cut short", "not HTTP", "unasked 101", "two lengths", "status 999"],
)
@on_uvloop
async def test_the_reply_is_broken(tmp_path: Path, script: tuple[Step, ...], error: str) -> None:
    """502; the upstream's broken reply lends neither its text nor its status."""
    async with serve(script) as origin, gateway(tmp_path, upstream(origin)) as accord:
        answer = await accord.ask(post("/api/a", b"x"))
        document = answer.json()
        assert (answer.status, document["code"]) == (502, "upstream_protocol_error")
        assert answer.header("Proxy-Status") == b"accord; error=" + error.encode()
        assert document["source"] == {
            "origin": "transport",
            "fault": "upstream",
            "upstream": "api",
            "stage": "response",
        }
        assert b"nonsense" not in answer.body
        assert (await accord.outcomes.next()).reason == error


@on_uvloop
async def test_a_request_that_came_through_us_already(tmp_path: Path) -> None:
    """502: a loop."""
    async with gateway(tmp_path, upstream(1)) as accord:
        answer = await accord.get("/api/a", "Via: 1.1 other, 1.1 Accord")
        told(answer, 502, "loop_detected", "proxy_loop_detected", "gateway", "gateway")


class BrokenClock(LoopClock):
    """A clock that fails once when it is `broken`."""

    broken = False

    def now_s(self) -> float:
        """Fail once."""
        if self.broken:
            self.broken = False
            raise RuntimeError("the hands fell off")
        return super().now_s()


class FixedId:
    """A source of ids that needs no clock."""

    def mint(self) -> str:
        """Return the same id each time."""
        return "019ab4c2-77aa-7d2e-9e0b-3d1f5f1c2a10"


@on_uvloop
async def test_a_bug_of_ours(tmp_path: Path) -> None:
    """500, without a trace in the answer, and with one in the log."""
    bad = b"HTTP/1.1 422 No\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    clock = BrokenClock()
    async with (
        serve((head(), send(bad))) as origin,
        gateway(tmp_path, upstream(origin), clock=clock, ids=FixedId()) as accord,
    ):
        clock.broken = True
        answer = await accord.get("/api/a")
        told(answer, 500, "internal", "proxy_internal_error", "gateway", "gateway")
        assert b"hands" not in answer.body
        assert b"Traceback" not in answer.body
        assert (await accord.outcomes.next()).outcome == "gateway_error"
        trace, line = accord.log()
    assert "the hands fell off" in trace["exception"]
    assert trace["request_id"] == line["request_id"]


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
    ],
    ids=["short of its length", "without its last chunk", "with a broken chunk"],
)
@on_uvloop
async def test_an_answer_that_was_begun_is_cut(tmp_path: Path, reply: bytes) -> None:
    """Nothing is appended to a body that has begun, and nothing is padded: the connection ends, and the log says so."""
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(serve((head(), send(reply), close())))
        accord = await stack.enter_async_context(gateway(tmp_path, upstream(origin)))
        wire = await stack.enter_async_context(await connect(accord.port))
        await wire.send(get("/api/a"))
        seen = await wire.at_end()
        outcome = await accord.outcomes.next()
    assert seen.startswith(b"HTTP/1.1 200 OK") or not seen
    assert b"problem" not in seen
    assert b"0\r\n\r\n" not in seen
    assert (outcome.outcome, outcome.status) == ("cut", 200)
