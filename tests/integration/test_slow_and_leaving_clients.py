"""Clients that are slow, and clients that leave: neither holds what others need."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from tests.integration.harness import gateway, get, on_uvloop, post, upstream
from tests.integration.loops import in_virtual_time
from tests.integration.origin import OK, body, head, repeat, send, serve, wait
from tests.integration.wire import PATIENCE_S, connect

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.origin import Origin

MOST_AHEAD_BYTES = 20 * 2**20
"""What may be on the way when nobody reads: the buffers of two sockets, and little of ours."""
STRICT = {"head": "1s", "body": "1s", "min_rate": 100, "keepalive": "3s", "write": "1s"}


async def _left(origin: Origin) -> None:
    """Wait until the gateway has ended its connection to the origin."""
    async with asyncio.timeout(PATIENCE_S):
        await (await origin.conversation(0)).gone.wait()


@pytest.mark.parametrize(
    "begun", [b"GET", b"GET /api/a HTTP/1.1\r\nHost: a", b"\r\n"], ids=["line", "field", "nothing"]
)
@in_virtual_time
async def test_a_head_that_never_ends_is_given_up(tmp_path: Path, begun: bytes) -> None:
    """408 after the head's own time, counted from its first byte."""
    async with gateway(tmp_path, upstream(1), client_timeouts=STRICT) as accord, await connect(accord.port) as wire:
        await wire.send(begun)
        began_s = asyncio.get_running_loop().time()
        answer = await wire.reply()
        assert (answer.status, answer.json()["code"]) == (408, "request_timeout")
        assert 0.9 < asyncio.get_running_loop().time() - began_s < 1.5
        assert await wire.at_end() == b""


@in_virtual_time
async def test_a_head_that_trickles_is_given_up(tmp_path: Path) -> None:
    """A byte now and then buys no time, on a connection that served a request before, too."""
    async with (
        serve((head(), send(OK))) as origin,
        gateway(tmp_path, upstream(origin), client_timeouts=STRICT) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a"))
        assert (await wire.reply()).status == 200
        answered = asyncio.create_task(wire.reply())
        began_s = asyncio.get_running_loop().time()
        for byte in get("/api/" + "b" * 1000):
            if answered.done():
                break
            await wire.send(bytes([byte]))
            await asyncio.wait([answered], timeout=0.1)
        assert answered.done()
        assert (await answered).json()["code"] == "request_timeout"
        assert 0.9 < asyncio.get_running_loop().time() - began_s < 1.5


@in_virtual_time
async def test_a_connection_at_rest_is_closed(tmp_path: Path) -> None:
    """Without a word: nothing was asked."""
    async with gateway(tmp_path, upstream(1), client_timeouts=STRICT) as accord:
        async with await connect(accord.port) as fresh:
            assert await fresh.at_end() == b""
            assert 2.9 < asyncio.get_running_loop().time() < 3.5
        async with await connect(accord.port) as used:
            await used.send(get("/-/health"))
            assert (await used.reply()).status == 200
            assert await used.at_end() == b""


@in_virtual_time
async def test_a_head_that_was_begun_in_time_is_not_cut_off(tmp_path: Path) -> None:
    """The rest of a connection ends with the first byte of a request, not with its last."""
    async with gateway(tmp_path, upstream(1), client_timeouts=STRICT) as accord, await connect(accord.port) as wire:
        request = get("/-/health")
        await asyncio.sleep(2.9)  # of virtual time
        await wire.send(request[:20])
        await asyncio.sleep(0.5)
        await wire.send(request[20:])
        assert (await wire.reply()).status == 200


@in_virtual_time
async def test_a_body_that_stalls_is_given_up(tmp_path: Path) -> None:
    """408, and no upstream was troubled."""
    async with (
        serve((head(), send(OK))) as origin,
        gateway(tmp_path, upstream(origin), client_timeouts=STRICT) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a", "Content-Length: 10", method="POST") + b"12345")
        answer = await wire.reply()
        assert (answer.status, answer.json()["code"]) == (408, "request_timeout")
        assert answer.header("Connection") == b"close"
        assert origin.conversations == []
        assert (await accord.outcomes.next()).request_bytes == 5


@in_virtual_time
async def test_a_body_that_trickles_is_given_up(tmp_path: Path) -> None:
    """A byte every now and then is under the minimum rate."""
    async with gateway(tmp_path, upstream(1), client_timeouts=STRICT) as accord, await connect(accord.port) as wire:
        await wire.send(get("/api/a", "Content-Length: 1000", method="POST"))
        answered = asyncio.create_task(wire.reply())
        sent = 0
        while not answered.done():
            await wire.send(b"x")
            sent += 1
            await asyncio.wait([answered], timeout=0.5)
        assert (await answered).json()["code"] == "request_timeout"
        assert sent < 5


@in_virtual_time
async def test_a_slow_body_above_the_minimum_rate_is_taken(tmp_path: Path) -> None:
    """However long it takes in all."""
    async with (
        serve((head(), body(1000), send(OK))) as origin,
        gateway(tmp_path, upstream(origin), client_timeouts=STRICT) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a", "Content-Length: 1000", method="POST"))
        for _ in range(10):
            await asyncio.sleep(0.9)  # of virtual time
            await wire.send(b"x" * 100)
        assert (await wire.reply()).status == 200


@in_virtual_time
async def test_a_large_body_that_stalls_midway_is_given_up(tmp_path: Path) -> None:
    """What went upstream is broken off there, not completed."""
    async with (
        serve((head(), body(200_000), send(OK))) as origin,
        gateway(tmp_path, upstream(origin), client_timeouts=STRICT) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a", "Content-Length: 200000", method="POST") + b"x" * 100_000)
        assert (await wire.reply()).json()["code"] == "request_timeout"
        await _left(origin)


@in_virtual_time
async def test_an_answer_that_nobody_reads_is_cut(tmp_path: Path) -> None:
    """A client that stops reading holds neither memory nor an upstream connection for long."""
    script = (head(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"), repeat(b"x" * 65_536, 20_000))
    async with (
        serve(script) as origin,
        gateway(tmp_path, upstream(origin), client_timeouts=STRICT) as accord,
        await connect(accord.port) as wire,
    ):
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await wire.send(get("/api/a"))
        assert (await accord.outcomes.next()).outcome == "cancelled"
        await _left(origin)
        assert origin.conversations[0].sent_bytes < MOST_AHEAD_BYTES


@in_virtual_time
async def test_a_client_that_reads_slowly_is_served(tmp_path: Path) -> None:
    """As long as it reads at all: what counts is the time without a byte, not that of the whole answer."""
    data = b'{"status":200,"success":true,"data":"' + b"x" * 30_000_000 + b'"}'
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data) + data
    async with (
        serve((head(), send(reply))) as origin,
        gateway(tmp_path, upstream(origin, capture={"success": "64MiB"}), client_timeouts={"write": "5s"}) as accord,
        await connect(accord.port, limit=65_536) as wire,
    ):
        await wire.send(get("/api/a"))
        seen = 0
        while seen < 30_000_000:
            piece = await wire.reader.read(100_000)
            assert piece
            seen += len(piece)
            await asyncio.sleep(0.1)  # of virtual time
        assert (await accord.outcomes.next()).outcome == "ok"


@on_uvloop
async def test_a_hundred_slow_uploads_hold_no_upstream_connection(tmp_path: Path) -> None:
    """Each would have held one of the pool's; other requests go on."""
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(serve((head(), send(OK))))
        accord = await stack.enter_async_context(gateway(tmp_path, upstream(origin, pool={"max_connections": 2})))
        for _ in range(100):
            wire = await stack.enter_async_context(await connect(accord.port))
            await wire.send(get("/api/slow", "Content-Length: 1000", method="POST") + b"x")
        assert (await accord.get("/api/quick")).status == 200
        assert len(origin.conversations) == 1


@pytest.mark.parametrize("politely", [True, False], ids=["closed", "reset"])
@on_uvloop
async def test_a_client_that_leaves_before_the_reply_ends_the_call(tmp_path: Path, politely: bool) -> None:
    """The upstream's connection is cut, and the pool forgets it."""
    async with serve((head(),)) as origin, gateway(tmp_path, upstream(origin)) as accord:
        async with await connect(accord.port) as wire:
            await wire.send(get("/api/a"))
            await origin.conversation(0)
            if not politely:
                wire.leave()
        await _left(origin)
        outcome = await accord.outcomes.next()
        assert (outcome.outcome, outcome.status, outcome.upstream) == ("cancelled", 499, "api")


@on_uvloop
async def test_a_client_that_leaves_while_uploading_ends_the_call(tmp_path: Path) -> None:
    """Before its body is complete, upstream too."""
    async with serve((head(), body(10**6))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        async with await connect(accord.port) as wire:
            await wire.send(get("/api/a", "Content-Length: 1000000", method="POST") + b"x" * 200_000)
            await origin.conversation(0)
        await _left(origin)
        assert (await accord.outcomes.next()).outcome == "cancelled"


@on_uvloop
async def test_a_client_that_leaves_before_its_body_is_there_troubles_nobody(tmp_path: Path) -> None:
    """No upstream connection was taken yet."""
    async with serve((head(),)) as origin, gateway(tmp_path, upstream(origin)) as accord:
        async with await connect(accord.port) as wire:
            await wire.send(get("/api/a", "Content-Length: 1000", method="POST") + b"x")
        assert (await accord.outcomes.next()).outcome == "cancelled"
        assert origin.conversations == []


@on_uvloop
async def test_a_client_that_leaves_while_it_is_answered_ends_the_call(tmp_path: Path) -> None:
    """In the middle of a body that streams."""
    script = (head(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"), repeat(b"x" * 65_536, 20_000))
    async with serve(script) as origin, gateway(tmp_path, upstream(origin)) as accord:
        async with await connect(accord.port) as wire:
            await wire.send(get("/api/a"))
            await wire.reader.readexactly(500_000)
        await _left(origin)
        outcome = await accord.outcomes.next()
        assert (outcome.outcome, outcome.status) == ("cancelled", 200)


@on_uvloop
async def test_a_client_that_leaves_while_its_reply_is_read_ends_the_call(tmp_path: Path) -> None:
    """An error is being captured; nobody will read the problem."""
    script = (head(), send(b"HTTP/1.1 422 No\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"))
    async with serve(script) as origin, gateway(tmp_path, upstream(origin)) as accord:
        async with await connect(accord.port) as wire:
            await wire.send(get("/api/a"))
            await origin.conversation(0)
        await _left(origin)
        assert (await accord.outcomes.next()).outcome == "cancelled"


@on_uvloop
async def test_a_client_that_closes_its_side_has_left(tmp_path: Path) -> None:
    """A half-closed connection cannot be told from one whose client is gone, and that must end the upstream call."""
    async with (
        serve((head(),)) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a"))
        await origin.conversation(0)
        wire.writer.write_eof()
        assert await wire.at_end() == b""
        await _left(origin)


@on_uvloop
async def test_permission_to_send_is_given_when_the_body_is_wanted(tmp_path: Path) -> None:
    """100 comes after the checks, and never where the answer is a refusal (RFC 9110 section 10.1.1)."""
    async with serve((head(), body(5), send(OK))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        async with await connect(accord.port) as wire:
            await wire.send(get("/api/a", "Expect: 100-continue", "Content-Length: 5", method="POST"))
            assert (await wire.reply()).status == 100
            await wire.send(b"12345")
            assert (await wire.reply()).status == 200
        assert b"Expect" not in origin.conversations[0].received
        async with await connect(accord.port) as wire:
            await wire.send(get("/nowhere", "Expect: 100-continue", "Content-Length: 5", method="POST"))
            answer = await wire.reply()
            assert (answer.status, answer.header("Connection")) == (404, b"close")


@on_uvloop
async def test_a_body_that_is_there_needs_no_permission(tmp_path: Path) -> None:
    """A client that did not wait gets no 100 (RFC 9110 section 10.1.1)."""
    async with serve((head(), body(5), send(OK))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        answer = await accord.ask(post("/api/a", b"12345", "Expect: 100-continue"))
        assert answer.status == 200


@on_uvloop
async def test_an_early_answer_ends_the_upload(tmp_path: Path) -> None:
    """An upstream that answers before it has read the body is not waited for, and the connection is not used again."""
    early = b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"
    async with (
        serve((head(), send(early))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a", "Content-Length: 10000000", method="POST") + b"x" * 100_000)
        answer = await wire.reply()
        assert (answer.status, answer.header("Connection")) == (413, b"close")
        assert answer.json()["source"]["origin"] == "upstream"


@on_uvloop
async def test_the_head_of_an_answer_does_not_wait_for_its_body(tmp_path: Path) -> None:
    """A stream of events begins when the upstream begins it."""
    over = asyncio.Event()
    script = (
        head(),
        send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"),
        wait(over),
        send(b"1\r\na\r\n0\r\n\r\n"),
    )
    async with (
        serve(script) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a"))
        async with asyncio.timeout(PATIENCE_S):
            seen = await wire.reader.readuntil(b"\r\n\r\n")
        assert seen.startswith(b"HTTP/1.1 200 OK\r\n")
        over.set()
        async with asyncio.timeout(PATIENCE_S):
            assert await wire.reader.readuntil(b"0\r\n\r\n") == b"1\r\na\r\n0\r\n\r\n"
