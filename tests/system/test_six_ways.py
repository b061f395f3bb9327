"""Upstreams break in six ways under load: the overview's own queries tell which, by whose fault, and since when."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.integration.harness import get, on_uvloop, upstream, written
from tests.integration.wire import connect
from tests.system.accord import accord, until
from tests.system.grafana import SCRAPE, SCRAPE_S, Board, Look
from tests.system.moods import (
    CREDENTIAL,
    GARBAGE,
    GOOD,
    HANGS,
    HASTY,
    OURS,
    SPENT,
    TRUNCATED,
    Mood,
    error,
    origins,
    says,
)
from tests.system.prometheus import prometheus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.system.accord import Served
    from tests.system.moods import Origin
    from tests.system.prometheus import Prometheus

WHO = "Who fails, and since when?"
WHEN = "When did whose fault begin?"
ALL = {"cluster": ".*", "namespace": ".*", "job": ".+", "instance": ".+", "upstream": ".+"}


class Way(NamedTuple):
    """One way to break: what the upstream does from then on (None: it is gone), and whose fault that is."""

    mood: Mood | None
    fault: str
    settings: dict[str, Any] = {}  # noqa: RUF012 - never changed


WAYS = {
    "refuses": Way(None, "upstream"),
    "hangs": Way(HANGS, "upstream", {"timeouts": HASTY}),
    "fails": Way(says("500 Internal Server Error", error(500, "Out of order")), "upstream"),
    "masks": Way(says("200 OK", error(500, "Out of order")), "upstream"),
    "babbles": Way(GARBAGE, "upstream"),
    "breaks-off": Way(TRUNCATED, "upstream"),
    "is-spent": Way(says("429 Too Many Requests", error(429, "Slower"), *SPENT), "upstream", {"credentials": OURS}),
    # Those that are none of the upstream's: it says so, and what clients send, or our own credential, is to blame.
    "is-asked-wrong": Way(says("422 Unprocessable Entity", error(422, "No such size")), "client"),
    "does-not-know-us": Way(
        says("401 Unauthorized", error(401, "The access token is invalid")), "gateway", {"credentials": OURS}
    ),
}
WELL = "is-well"


class Found(NamedTuple):
    """A row of the table: who fails by whose fault, and since when."""

    upstream: str
    fault: str
    since_s: float


@contextlib.asynccontextmanager
async def load(port: int, names: list[str]) -> AsyncIterator[None]:
    """Ask every upstream again and again, each by a client of its own, whatever the answers are."""

    async def client(name: str) -> None:
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, AssertionError):
                async with await connect(port) as wire:
                    while True:
                        await wire.send(get(f"/{name}/a"))
                        await wire.reply()
                        await asyncio.sleep(0.02)  # so that ten clients leave the machine something
            await asyncio.sleep(0.02)

    clients = [asyncio.ensure_future(client(name)) for name in names]
    try:
        yield
    finally:
        for one in clients:
            one.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


class Reader:
    """Somebody who sees the overview, and nothing else."""

    def __init__(self, watching: Prometheus, since_s: float) -> None:
        self._watching = watching
        self._since_s = since_s
        self._board = Board("overview")

    async def table(self) -> set[Found]:
        """Read the table: its columns are joined by their labels."""
        shares, moments, _ = await self._board.ask(self._watching, WHO, await self._look())
        rows = {(row.labels["upstream"], row.labels["fault"]): row.value / 1000 for row in moments}
        return {Found(*key, rows[key]) for key in ((row.labels["upstream"], row.labels["fault"]) for row in shares)}

    async def until(self, holds: Callable[[set[tuple[str, str]]], bool]) -> set[Found]:
        """Look at the table until what it says of upstreams and faults holds."""
        found: set[Found] = await until(
            self.table, lambda seen: holds({(row.upstream, row.fault) for row in seen}), every_s=SCRAPE_S
        )
        return found

    async def changes(self) -> dict[str, list[tuple[float, float]]]:
        """Read the timeline: when each upstream came into which state."""
        [rows] = await self._board.ask(self._watching, WHEN, await self._look())
        return {row.labels["upstream"]: _changes(row.points) for row in rows}

    async def _look(self) -> Look:
        return Look(self._since_s, await self._watching.now_s(), ALL)


def _changes(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that differ from the one before."""
    before = [(0.0, -1.0), *points]
    return [point for point, last in zip(points, before, strict=False) if point[1] != last[1]]


async def begun(watching: Prometheus, upstreams: int) -> float:
    """Wait until every upstream was fine for a while, and return when that began."""
    since_s = await watching.now_s()
    asked = "count(sum by (upstream) (rate(accord_requests_total{outcome='ok'}[1s])) > 0)"
    await watching.until(asked, lambda rows: [row.value for row in rows] == [upstreams])
    await watching.until("time()", lambda rows: rows[0].value > since_s + 2)
    return since_s


async def broken(reader: Reader, watching: Prometheus, name: str, origin: Origin) -> tuple[float, float]:
    """Break an upstream, wait until it is seen, and return between which moments that was."""
    before_s, way = await watching.now_s(), WAYS[name]
    if way.mood is None:
        await origin.go()
    else:
        origin.mood = way.mood
    await reader.until(lambda seen: (name, way.fault) in seen)
    return before_s, await watching.now_s()


def served(folder: Path, there: dict[str, Origin]) -> contextlib.AbstractAsyncContextManager[Served]:
    """Run a gateway before all of them."""
    settings = {name: way.settings for name, way in WAYS.items()} | {WELL: {}}
    config = written(folder, *[upstream(there[name].port, name, **settings[name]) for name in there])
    return accord(config, 1, **CREDENTIAL)


@on_uvloop
async def test_the_overview_tells_who_fails_by_whose_fault_and_since_when(tmp_path: Path) -> None:
    """One upstream after the other breaks, each in a way of its own: the table has exactly their rows, with the moment
    to a second, and the timeline shows the same. What clients or our credential are to blame for is not the upstream's.
    """
    async with contextlib.AsyncExitStack() as stack:
        there = await stack.enter_async_context(origins(**dict.fromkeys([*WAYS, WELL], GOOD)))
        gateway = await stack.enter_async_context(served(tmp_path, there))
        await stack.enter_async_context(load(gateway.port, list(there)))
        jobs = {"accord": [gateway.admin_port]}
        watching = await stack.enter_async_context(prometheus(tmp_path / "prometheus", jobs, every=SCRAPE))
        reader = Reader(watching, await begun(watching, len(there)))
        assert await reader.table() == set()
        moments = {name: await broken(reader, watching, name, there[name]) for name in WAYS}
        expected = {(name, way.fault) for name, way in WAYS.items()}
        rows = await reader.until(lambda seen: seen == expected)
        ranks = {"client": 1.0, "upstream": 2.0, "gateway": 3.0}
        timeline = await reader.changes()
        for name, fault, since_s in rows:
            before_s, after_s = moments[name]
            assert before_s - 2 * SCRAPE_S < since_s < after_s, name
            [good, (changed_s, state)] = timeline[name]
            assert (good[1], state) == (0, ranks[fault]), name
            assert since_s <= changed_s < after_s + 2 * SCRAPE_S, name
        assert [state for _, state in timeline[WELL]] == [0]
