"""A client may leave at any phase of its request: the pool is as it must be, and no task and no socket is left over.

Sockets are counted as the descriptors of this process, in which client, gateway and origin all run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway.upstream import Stats
from tests.integration.harness import gateway, get, on_uvloop, post, upstream
from tests.integration.origin import Step, body, gone, head, repeat, send, serve, wait
from tests.integration.pools import turns
from tests.integration.talks import HELLO
from tests.integration.wire import PATIENCE_S, ask, connect
from tests.unit.upstream.samples import CHUNKED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.integration.harness import Running
    from tests.integration.origin import Origin
    from tests.integration.wire import Wire

DESCRIPTORS = Path("/proc/self/fd")
EMPTY = Stats(open=0, idle=0, waiting=0)
BUSY = Stats(open=1, idle=0, waiting=0)
RESTING = Stats(open=1, idle=1, waiting=0)
ERROR = b"HTTP/1.1 422 No\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
SUCCESS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
LARGE_BODY = get("/api/a", "Content-Length: 1000000", method="POST") + b"x" * 200_000

pytestmark = [
    pytest.mark.platform,
    pytest.mark.skipif(not DESCRIPTORS.exists(), reason="counts descriptors in /proc/self/fd"),
]


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A moment of a request. `sent` is what the client sent by then, `script` what the origin did;
    None where it was not reached.

    `stats` is how the pool stands in that moment, `taken` how many bytes of an answer the client has read by then.
    `outcome` is what observers hear; None where no request came to be. `scheme`: how the upstream is reached.
    """

    sent: bytes = get("/api/a")
    script: tuple[Step, ...] | None = (head(),)
    stats: Stats = BUSY
    taken: int = 0
    outcome: str | None = "cancelled"
    scheme: str = "http"
    after: Stats = EMPTY


def phases(over: asyncio.Event) -> dict[str, Phase]:
    """Return each phase; who holds on in one does so until `over`."""
    return {
        "nothing sent": Phase(script=None, sent=b"", stats=EMPTY, outcome=None),
        "within the head": Phase(script=None, sent=b"GET /api/a HTTP/1.1\r\nHost: gat", stats=EMPTY, outcome=None),
        "within a body that is collected": Phase(
            script=None, sent=get("/api/a", "Content-Length: 1000", method="POST") + b"x", stats=EMPTY
        ),
        "before a body it was allowed to send": Phase(
            script=None,
            sent=get("/api/a", "Content-Length: 10", "Expect: 100-continue", method="POST"),
            stats=EMPTY,
            taken=25,
        ),
        "within a chunked body": Phase(
            script=None, sent=get("/api/a", "Transfer-Encoding: chunked", method="POST") + b"5\r\nab", stats=EMPTY
        ),
        "within a body that streams": Phase(sent=LARGE_BODY, script=(head(), body(10**6))),
        "within a body that nobody takes": Phase(sent=LARGE_BODY, script=(head(), wait(over))),
        "during the handshake": Phase(scheme="https", script=(gone(),)),
        "before the reply": Phase(),
        "with the next request sent": Phase(sent=get("/api/a") + get("/api/next")),
        "behind an interim reply": Phase(script=(head(), send(b"HTTP/1.1 103 Early Hints\r\n\r\n"))),
        "within the reply's head": Phase(script=(head(), send(b"HTTP/1.1 200 OK\r\nX: 1\r\n"))),
        "behind the head of a reply that streams": Phase(script=(head(), send(CHUNKED)), taken=12),
        "within a body that is streamed": Phase(script=(head(), send(CHUNKED + b"9\r\nhello")), taken=12),
        "within a body that it does not read": Phase(
            script=(head(), send(ENDLESS), repeat(b"x" * 65_536, 20_000)), taken=100_000
        ),
        "within an error that is read": Phase(script=(head(), send(ERROR))),
        "within a success that is read": Phase(script=(head(), send(SUCCESS))),
        "behind its answer": Phase(script=(head(), send(HELLO)), stats=RESTING, taken=12, outcome="ok", after=RESTING),
        "behind an early answer to half its body": Phase(
            sent=LARGE_BODY, script=(head(), send(HELLO)), stats=EMPTY, taken=12, outcome="ok"
        ),
        "within a body that was refused": Phase(
            script=None,
            sent=get("/nowhere", "Content-Length: 1000000", method="POST") + b"x",
            stats=EMPTY,
            taken=12,
            outcome="no_route",
        ),
    }


NAMES = sorted(phases(asyncio.Event()))


async def stats_of(accord: Running) -> Stats:
    """Return how the pool stands, as the operator is told."""
    answer = await ask(accord.application.admin_port, get("/status"))
    pool: dict[str, Any] = answer.json()["upstreams"][0]["pool"]
    return Stats(**pool)


async def until(reached: Callable[[], bool], what: Callable[[], object]) -> None:
    """Let the loop turn until something holds; where it never does, fail with what is there instead."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while not reached():  # noqa: ASYNC110 - nothing tells of descriptors that close
                await asyncio.sleep(0)
    assert reached(), what()


async def until_stats(accord: Running, expected: Stats) -> None:
    """Wait until the pool stands so."""
    seen = await stats_of(accord)
    for _ in range(2000):
        if seen == expected:
            return
        seen = await stats_of(accord)
    assert seen == expected


async def until_asked(origin: Origin, scheme: str) -> None:
    """Wait until the origin has the beginning of a request, or of a handshake."""
    conversation = await origin.conversation(0)
    mark = b"\r\n\r\n" if scheme == "http" else b"\x16"
    await until(lambda: mark in conversation.received, lambda: conversation.received)


def descriptors() -> dict[str, str]:
    """Return what this process has open, by number."""
    found: dict[str, str] = {}
    for number in os.listdir(DESCRIPTORS):  # noqa: PTH208 - a Path each would be made and dropped
        with contextlib.suppress(OSError):  # the folder's own, closed by now
            found[number] = os.readlink(DESCRIPTORS / number)  # noqa: PTH115 - as above
    return found


@contextlib.asynccontextmanager
async def nothing_left(accord: Running, *, pairs: int = 0) -> AsyncIterator[None]:
    """Check that as many tasks and descriptors are there in the end as before.

    `pairs` more connections between gateway and origin may rest, each with a descriptor at either end, and the task of
    the origin's script.
    """
    await until_stats(accord, EMPTY)
    await turns(50)
    tasks, files = asyncio.all_tasks(), len(descriptors())
    yield
    await until(
        lambda: len(asyncio.all_tasks() - tasks) == pairs and len(descriptors()) == files + 2 * pairs,
        lambda: (asyncio.all_tasks() - tasks, files, descriptors()),
    )


def leave(wire: Wire, *, politely: bool) -> None:
    """End a client's connection, in order or by a reset."""
    if politely:
        wire.writer.close()
    else:
        opened: socket.socket = wire.writer.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        wire.leave()


@pytest.mark.parametrize("politely", [True, False], ids=["closed", "reset"])
@pytest.mark.parametrize("name", NAMES)
@on_uvloop
async def test_nothing_is_left_of_a_client_that_left(tmp_path: Path, name: str, politely: bool) -> None:
    """Neither a place in the pool, nor a task, nor a descriptor; and the next client is served."""
    over = asyncio.Event()
    phase = phases(over)[name]
    scripts = () if phase.script is None else (phase.script,)
    async with serve(*scripts, (head(), send(HELLO))) as origin:
        settings = upstream(origin, base_url=f"{phase.scheme}://127.0.0.1:{origin.port}")
        async with gateway(tmp_path, settings) as accord:
            async with nothing_left(accord, pairs=phase.after.idle), await connect(accord.port, limit=65_536) as wire:
                await wire.send(phase.sent)
                async with asyncio.timeout(PATIENCE_S):
                    await wire.reader.readexactly(phase.taken)
                if scripts:
                    await until_asked(origin, phase.scheme)
                await turns(50)
                await until_stats(accord, phase.stats)
                leave(wire, politely=politely)
                if phase.outcome is not None:
                    assert (await accord.outcomes.next()).outcome == phase.outcome
                over.set()
                await until_stats(accord, phase.after)
            if phase.scheme == "http":
                await _is_served(accord, origin, phase)


async def _is_served(accord: Running, origin: Origin, phase: Phase) -> None:
    """Check that the next client gets its own answer, on a connection that is fit for it."""
    if phase.after.idle:
        return
    assert (await accord.get("/api/after")).body == b"hello"
    assert not any(b"GET /next " in conversation.received for conversation in origin.conversations)


@pytest.mark.parametrize("politely", [True, False], ids=["closed", "reset"])
@on_uvloop
async def test_a_client_that_leaves_the_queue_takes_no_place(tmp_path: Path, politely: bool) -> None:
    """Who waits behind it gets the connection."""
    over = asyncio.Event()
    async with (
        serve((head(), wait(over), send(HELLO), head(), send(HELLO))) as origin,
        gateway(tmp_path, upstream(origin, pool={"max_connections": 1})) as accord,
        nothing_left(accord, pairs=1),
        await connect(accord.port) as first,
        await connect(accord.port) as second,
        await connect(accord.port) as third,
    ):
        for place, wire in enumerate((first, second, third)):
            await wire.send(post(f"/api/{place}", b"x"))
            await until_stats(accord, Stats(open=1, idle=0, waiting=place))
        leave(second, politely=politely)
        await until_stats(accord, Stats(open=1, idle=0, waiting=1))
        over.set()
        assert [(await wire.reply()).body for wire in (first, third)] == [b"hello", b"hello"]
        assert b"POST /1 " not in origin.conversations[0].received
        await until_stats(accord, RESTING)
        assert len(origin.conversations) == 1


@pytest.mark.parametrize("politely", [True, False], ids=["closed", "reset"])
@on_uvloop
async def test_a_client_that_leaves_while_its_connection_is_made_ends_that(tmp_path: Path, politely: bool) -> None:
    """A connection that nobody accepts is given up with the request, not at its deadline."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        async with (
            gateway(tmp_path, upstream(listener.getsockname()[1])) as accord,
            nothing_left(accord),
            await connect(accord.port) as wire,
        ):
            await wire.send(get("/api/a"))
            await until_stats(accord, BUSY)
            leave(wire, politely=politely)
            assert (await accord.outcomes.next()).outcome == "cancelled"
            await until_stats(accord, EMPTY)


@on_uvloop
async def test_many_clients_that_leave_in_many_phases_leave_nothing(tmp_path: Path) -> None:
    """All at once, on a pool too small for them."""
    over = asyncio.Event()
    every = [phase for phase in phases(over).values() if phase.scheme == "http"]
    scripts = [phase.script for phase in every if phase.script is not None]
    async with (
        serve(*scripts, (head(), send(HELLO))) as origin,
        gateway(tmp_path, upstream(origin, pool={"max_connections": 3, "max_waiting": 5})) as accord,
        nothing_left(accord),
        contextlib.AsyncExitStack() as stack,
    ):
        wires = [await stack.enter_async_context(await connect(accord.port)) for _ in range(3 * len(every))]
        for place, wire in enumerate(wires):
            await wire.send(every[place % len(every)].sent)
            await turns(place % 5)
        for place, wire in enumerate(wires):
            leave(wire, politely=place % 2 == 0)
            await turns(place % 3)
        await until(lambda: accord.application.lifecycle.in_flight == 0, lambda: "requests are under way")
        over.set()
        stats = await stats_of(accord)
        assert (stats.open, stats.waiting) == (stats.idle, 0)
        for conversation in origin.conversations:  # those that rest end with the origin
            conversation.writer.close()
        await until_stats(accord, EMPTY)
