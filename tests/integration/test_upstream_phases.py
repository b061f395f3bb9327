"""What an upstream does at each phase of an exchange, and what the client of the whole gateway sees of it.

Time is virtual: it leaps whenever nothing else can happen.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.integration.harness import gateway, get, on_uvloop, post, upstream
from tests.integration.loops import in_virtual_time
from tests.integration.origin import Step, body, close, gone, head, reset, send, serve, wait
from tests.integration.pools import turns
from tests.integration.talks import BAD, HELLO, LARGE, TEXT, json_reply
from tests.integration.wire import PATIENCE_S, connect
from tests.unit.upstream.samples import CHUNKED, OK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.origin import Conversation
    from tests.integration.wire import Wire

TIMES = {"connect": "1s", "first_byte": "2s", "idle": "3s", "total": "9s"}
UPLOAD = get("/api/a", "Content-Length: 50000000", method="POST") + b"x" * 30_000_000
"""More than the buffers of four sockets hold."""
TIMEOUT = (504, "upstream_timeout", "http_response_timeout")
TERMINATED = (502, "upstream_protocol_error", "connection_terminated")
INCOMPLETE = (502, "upstream_protocol_error", "http_response_incomplete")
PROTOCOL = (502, "upstream_protocol_error", "http_protocol_error")
FULL = (503, "upstream_saturated", "connection_limit_reached")


def pause(seconds: float) -> Step:
    """Let virtual time pass."""

    async def step(_conversation: Conversation) -> None:
        await asyncio.sleep(seconds)

    return step


def slowly(*pieces: bytes) -> tuple[Step, ...]:
    """Send a piece a second."""
    return tuple(step for piece in pieces for step in (pause(1), send(piece)))


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A script, and what a client sees: a failure of ours `told` to it, a `whole` body, or, without both, a cut.

    `at_s` is when that is known, in seconds from the request on. `reused`: the upstream's connection stays.
    """

    script: tuple[Step, ...]
    told: tuple[int, str, str] | None = None
    whole: bytes | None = None
    at_s: float = 0.0
    reused: bool = False
    request: bytes = field(default=get("/api/a"))


ERROR = json_reply(b"422 X", BAD)
PHASES = {
    # Slow
    "no head": Phase(script=(head(),), told=TIMEOUT, at_s=2),
    "half a head": Phase(script=(head(), send(OK + b"X: 1\r\n")), told=TIMEOUT, at_s=2),
    "a head that trickles": Phase(script=(head(), *slowly(b"H", b"T", b"T", b"P")), told=TIMEOUT, at_s=2),
    "only 100": Phase(script=(head(), send(b"HTTP/1.1 100 X\r\n\r\n")), told=TIMEOUT, at_s=2),
    "a head in time": Phase(script=(head(), *slowly(HELLO)), whole=b"hello", at_s=1, reused=True),
    "a body that stalls": Phase(script=(head(), send(TEXT + b"Content-Length: 9\r\n\r\nhello")), at_s=3),
    "half a chunk": Phase(script=(head(), send(CHUNKED + b"9\r\nhello")), at_s=3),
    "half a chunk size": Phase(script=(head(), send(CHUNKED + b"5\r\nhello\r\n1")), at_s=3),
    "no last chunk": Phase(script=(head(), send(CHUNKED + b"5\r\nhello\r\n")), at_s=3),
    "trailers without an end": Phase(script=(head(), send(CHUNKED + b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n")), at_s=3),
    "a close-delimited body that stalls": Phase(script=(head(), send(TEXT + b"\r\nhello")), at_s=3),
    "a slow body": Phase(
        script=(head(), send(TEXT + b"Content-Length: 5\r\n\r\n"), *slowly(b"h", b"e", b"l", b"l", b"o")),
        whole=b"hello",
        at_s=5,
        reused=True,
    ),
    "chunks cut anywhere, slowly": Phase(
        script=(head(), send(CHUNKED), *slowly(b"5", b"\r", b"\nhel", b"lo\r", b"\n0\r\n", b"X: 1", b"\r\n\r", b"\n")),
        whole=b"hello",
        at_s=8,
        reused=True,
    ),
    "a body without end": Phase(script=(head(), send(CHUNKED), *slowly(*[b"1\r\nx\r\n"] * 11)), at_s=9),
    "an error that stalls": Phase(script=(head(), send(ERROR[:-1])), told=TIMEOUT, at_s=3),
    "an upload that is not taken": Phase(script=(head(), pause(60)), request=UPLOAD, told=TIMEOUT, at_s=3),
    # Gone
    "closed before the reply": Phase(script=(head(), close()), told=TERMINATED),
    "reset before the reply": Phase(script=(head(), reset()), told=TERMINATED),
    "reset before the request": Phase(script=(reset(),), told=TERMINATED),
    "closed within the head": Phase(script=(head(), send(OK + b"X"), close()), told=INCOMPLETE),
    "reset within the head": Phase(script=(head(), send(OK + b"X"), pause(1), reset()), told=INCOMPLETE, at_s=1),
    "reset behind 100": Phase(
        script=(head(), send(b"HTTP/1.1 100 X\r\n\r\n"), pause(1), reset()), told=INCOMPLETE, at_s=1
    ),
    "closed within a body": Phase(script=(head(), send(TEXT + b"Content-Length: 9\r\n\r\nhello"), close())),
    "reset within a body": Phase(
        script=(head(), send(TEXT + b"Content-Length: 9\r\n\r\nhello"), pause(1), reset()), at_s=1
    ),
    "reset within a chunk": Phase(script=(head(), send(CHUNKED + b"9\r\nhello"), pause(1), reset()), at_s=1),
    "reset of a close-delimited body": Phase(script=(head(), send(TEXT + b"\r\nhello"), pause(1), reset()), at_s=1),
    "closed within an error": Phase(script=(head(), send(ERROR[:-1]), close()), told=INCOMPLETE),
    "reset within an error": Phase(script=(head(), send(ERROR[:-1]), pause(1), reset()), told=INCOMPLETE, at_s=1),
    "closed within an upload": Phase(script=(head(), close()), request=UPLOAD, told=TERMINATED),
    "reset within an upload": Phase(script=(head(), body(100_000), reset()), request=UPLOAD, told=TERMINATED),
    "reset behind the reply": Phase(script=(head(), send(HELLO), reset()), whole=b"hello"),
    # Wrong
    "nonsense behind 100": Phase(script=(head(), send(b"HTTP/1.1 100 X\r\n\r\nnonsense")), told=PROTOCOL),
    "nonsense within an error": Phase(
        script=(head(), send(json_reply(b"422 X", BAD, chunked=True)[:-5] + b"nonsense")), told=PROTOCOL
    ),
    "nonsense within a body": Phase(script=(head(), send(CHUNKED), *slowly(b"5\r\nhello\r\n", b"nonsense")), at_s=2),
}


def now() -> float:
    """Return the virtual time."""
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("name", PHASES)
@in_virtual_time
async def test_what_an_upstream_does_is_told_or_shown(tmp_path: Path, name: str) -> None:
    """A failure before the answer's head is a problem, one behind it a cut; neither waits longer than it must."""
    phase = PHASES[name]
    async with (
        serve((*phase.script, head(), send(HELLO)), (head(), send(HELLO))) as origin,
        gateway(tmp_path, upstream(origin, timeouts=TIMES)) as accord,
        await connect(accord.port) as wire,
    ):
        began_s = now()
        sending = asyncio.ensure_future(wire.send(phase.request))
        await _sees(wire, phase)
        outcome = await accord.outcomes.next()
        assert now() - began_s == pytest.approx(phase.at_s, abs=0.3)
        assert (outcome.outcome == "cut") == (phase.told is None and phase.whole is None)
        sending.cancel()
        await asyncio.wait([sending])
        await turns(50)
        assert (await accord.get("/api/after")).body == b"hello"
        assert len(origin.conversations) == (1 if phase.reused else 2)


async def _sees(wire: Wire, phase: Phase) -> None:
    """Check what the client sees."""
    if phase.told is None and phase.whole is None:
        assert not (await wire.at_end()).endswith(b"0\r\n\r\n")
        return
    answer = await wire.reply()
    if phase.told is None:
        assert (answer.status, answer.body) == (200, phase.whole)
        return
    status, code, error = phase.told
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert answer.header("Proxy-Status") == f"accord; error={error}".encode()


# -------------------------------------------------------------------------------------- requests that meet each other


@pytest.mark.parametrize(
    "poison", [HELLO, TEXT + b"Content-Length: 4\r\n\r\nevil", b"HTTP/1.1 100 Continue\r\n\r\n", b"\r\n"]
)
@pytest.mark.parametrize("late", [False, True], ids=["at once", "at rest"])
@on_uvloop
async def test_a_reply_that_nobody_asked_for_reaches_nobody(tmp_path: Path, poison: bytes, late: bool) -> None:
    """Neither behind another reply nor on a connection at rest: the next client gets its own answer, on a new one."""
    first = TEXT + b"Content-Length: 5\r\n\r\nfirst"
    rested, poisoned = asyncio.Event(), asyncio.Event()

    async def done(_conversation: Conversation) -> None:
        poisoned.set()

    script = (head(), send(first), wait(rested), send(poison), done) if late else (head(), send(first + poison), done)
    async with (
        serve((*script, gone()), (head(), send(HELLO))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        assert (await accord.get("/api/a")).body == b"first"
        rested.set()
        await poisoned.wait()
        await turns(50)
        assert (await accord.get("/api/b")).body == b"hello"
        assert b"GET /b" not in origin.conversations[0].received


@on_uvloop
async def test_a_stale_connection_costs_no_get_and_repeats_no_post(tmp_path: Path) -> None:
    """Where the upstream closes as the request comes: GET goes out again on a new connection, POST is told 502."""
    dying = (head(), send(HELLO), head(), close())
    async with (
        serve(dying, dying, (head(), send(HELLO))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        assert (await accord.get("/api/a")).status == 200
        assert (await accord.get("/api/b")).status == 200
        answer = await accord.ask(post("/api/c", b"x"))
        assert (answer.status, answer.json()["code"]) == (502, "upstream_protocol_error")
        assert len(origin.conversations) == 2


@in_virtual_time
async def test_a_wait_for_the_pool_has_an_end(tmp_path: Path) -> None:
    """Who waits longer than the pool's own patience is told 503, and the one before it is answered."""
    pool = {"max_connections": 1, "wait": "1s"}
    async with (
        serve((head(), pause(1.5), send(HELLO), head(), send(HELLO))) as origin,
        gateway(tmp_path, upstream(origin, pool=pool)) as accord,
        await connect(accord.port) as first,
    ):
        await first.send(get("/api/a"))
        await origin.conversation(0)
        began_s = now()
        answer = await accord.get("/api/b")
        assert now() - began_s == pytest.approx(1, abs=0.1)
        assert (answer.status, answer.json()["code"]) == FULL[:2]
        assert answer.header("Proxy-Status") == f"accord; error={FULL[2]}".encode()
        assert (await first.reply()).body == b"hello"


@on_uvloop
async def test_an_interim_reply_to_an_upload_lets_it_go_on(tmp_path: Path) -> None:
    """100 Continue from the upstream does not reach the client, and all of the body goes out."""
    script = (
        head(),
        send(b"HTTP/1.1 100 Continue\r\n\r\n"),
        body(len(LARGE) // 2),
        send(b"HTTP/1.1 102 Processing\r\n\r\n"),
        body(len(LARGE) // 2),
    )
    async with (
        serve((*script, send(HELLO), head(), send(HELLO))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a", f"Content-Length: {len(LARGE)}", "Expect: 100-continue", method="PUT"))
        assert (await wire.reply()).status == 100
        await wire.send(LARGE[:70_000])
        await (await origin.conversation(0)).until_sent()
        await wire.send(LARGE[70_000:])
        assert (await wire.reply()).body == b"hello"
        assert origin.conversations[0].received.endswith(LARGE)
        await wire.send(get("/api/b"))
        assert (await wire.reply()).body == b"hello"
        assert len(origin.conversations) == 1


@on_uvloop
async def test_an_early_413_stops_the_upload(tmp_path: Path) -> None:
    """The client is told, the upstream's connection is cut in the middle of the body, and no more of it is taken."""
    early = b"HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n"
    async with (
        serve((head(), body(1000), send(early), gone()), (head(), send(HELLO))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a", "Content-Length: 1000000", method="POST") + LARGE)
        answer = await wire.reply()
        assert (answer.status, answer.header("Connection")) == (413, b"close")
        async with asyncio.timeout(PATIENCE_S):
            await origin.conversations[0].gone.wait()
        assert (await accord.get("/api/b")).body == b"hello"
        assert len(origin.conversations) == 2
