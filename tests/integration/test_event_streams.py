"""Streams of events, and long polls: nothing is held back, and only the upstream's own deadlines end them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.upstream.request import chunk
from tests.integration.harness import gateway, get, on_uvloop, upstream
from tests.integration.loops import in_virtual_time
from tests.integration.origin import head, send, serve, wait
from tests.integration.wire import PATIENCE_S, connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.origin import Step

EVENTS = [b"id: 1\ndata: one\n\n", b": heartbeat\n\n", b"event: end\ndata: two\ndata: three\n\n"]
OPEN = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
BACKS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "chunked": (OPEN + b"Transfer-Encoding: chunked\r\n\r\n", chunk),
    "to the end of the connection": (OPEN + b"Connection: close\r\n\r\n", bytes),
}


def told(told_of: list[asyncio.Event], *pieces: bytes) -> list[Step]:
    """Send each piece when the test says so."""
    return [step for event, piece in zip(told_of, pieces, strict=True) for step in (wait(event), send(piece))]


@pytest.mark.parametrize("framing", BACKS)
@pytest.mark.parametrize("errors", ["translate", "pass"])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@on_uvloop
async def test_each_event_arrives_as_it_came(tmp_path: Path, framing: str, errors: str, version: str) -> None:
    """The next one is sent only when the client has the last: nothing waits for company, and no byte is changed."""
    start, framed = BACKS[framing]
    go = [asyncio.Event() for _ in EVENTS]
    script = (head(), send(start), *told(go, *map(framed, EVENTS)))
    routes = [{"match": {"path": "/**"}, "errors": errors}]
    async with (
        serve(script) as origin,
        gateway(tmp_path, upstream(origin, routes=routes)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(
            get("/api/events", "Accept: text/event-stream").replace(b"HTTP/1.1", b"HTTP/" + version.encode())
        )
        async with asyncio.timeout(PATIENCE_S):
            answer = await wire.reader.readuntil(b"\r\n\r\n")
            assert b"\r\nContent-Type: text/event-stream\r\n" in answer
            assert b"\r\nCache-Control: no-store\r\n" in answer
            for event, sent in zip(go, EVENTS, strict=True):
                event.set()
                expected = chunk(sent) if version == "1.1" else sent
                assert await wire.reader.readexactly(len(expected)) == expected


@in_virtual_time
async def test_a_stream_lives_as_long_as_its_upstream_may(tmp_path: Path) -> None:
    """With `idle` above the heartbeat and `total` above its life; beyond them it is cut."""
    go = [asyncio.Event() for _ in range(20)]
    start, framed = BACKS["chunked"]
    script = (head(), send(start), *told(go, *[framed(EVENTS[1])] * 20))
    timeouts = {"idle": "60s", "total": "1h"}
    async with (
        serve(script) as origin,
        gateway(tmp_path, upstream(origin, timeouts=timeouts)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/events"))
        await wire.reader.readuntil(b"\r\n\r\n")
        for event in go:
            await asyncio.sleep(50)  # of virtual time
            event.set()
            await wire.reader.readuntil(b"heartbeat\n\n\r\n")
        began_s = asyncio.get_running_loop().time()
        with pytest.raises(ConnectionResetError):
            await wire.reader.read()
        assert 59 < asyncio.get_running_loop().time() - began_s < 61
        outcome = await accord.outcomes.next()
        assert (outcome.outcome, outcome.reason) == ("cut", "http_response_timeout")


@in_virtual_time
async def test_a_long_poll_has_the_time_that_its_upstream_is_given(tmp_path: Path) -> None:
    """`first_byte` is the wait for an answer; beyond it, 504."""
    ready, never = asyncio.Event(), asyncio.Event()
    answered = send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nnew")
    async with (
        serve((head(), wait(ready), answered), (head(), wait(never))) as origin,
        gateway(tmp_path, upstream(origin, timeouts={"first_byte": "90s"})) as accord,
        await connect(accord.port) as one,
        await connect(accord.port) as other,
    ):
        await one.send(get("/api/poll"))
        await origin.conversation(0)
        await other.send(get("/api/poll"))
        await asyncio.sleep(80)  # of virtual time
        ready.set()
        answer = await one.reply()
        assert (answer.status, answer.body) == (200, b"new")
        async with asyncio.timeout(20):
            await other.reader.readuntil(b"504 Gateway Timeout")
