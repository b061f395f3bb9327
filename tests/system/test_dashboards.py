"""Every query of every dashboard, asked of a real Prometheus that scraped a real gateway under mixed traffic."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from math import isfinite
from typing import TYPE_CHECKING, Any

from tests.integration.harness import get, on_uvloop, post, upstream, written
from tests.integration.wire import ask
from tests.system.accord import accord
from tests.system.grafana import NAMES, SCRAPE, Board, Look, choices
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
from tests.system.prometheus import QueryFailed, prometheus
from tests.system.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.system.accord import Served
    from tests.system.prometheus import Prometheus, Series
    from tests.system.redis_server import RedisServer

ALL = ".+"
EVERYWHERE = {"cluster": ".*", "namespace": ".*", "job": ALL, "instance": ALL}
UNTOLD = says("500 Internal Server Error", {"went": {"wrong": "no dialect knows this"}})
LEFT = ("X-RateLimit-Limit: 60", "X-RateLimit-Remaining: 20", "X-RateLimit-Reset: 4102444800")
MOODS: dict[str, Mood] = {
    "shop": says("200 OK", {"status": 200, "success": True, "data": {"id": 1}}, *LEFT),
    "queue": GOOD,
    "fails": says("503 Service Unavailable", error(503, "Out of order")),
    "masks": says("200 OK", error(404, "No such thing")),
    "refuses-us": says("401 Unauthorized", error(401, "The access token is invalid")),
    "babbles": GARBAGE,
    "breaks-off": TRUNCATED,
    "hangs": HANGS,
    "is-spent": says("429 Too Many Requests", error(429, "Slower"), *SPENT),
    "is-foreign": UNTOLD,
    "is-watched": says("200 OK", error(404, "No such thing")),
}
FEW = {"name": "few", "key": "ip", "requests": 2, "per": "60s"}
TURN = {"name": "turn", "key": "ip", "requests": 4, "per": "1s", "burst": 1, "when_exceeded": "wait", "queue": 2}
SETTINGS: dict[str, dict[str, Any]] = {
    "shop": {"limits": [FEW]},
    "queue": {"limits": [TURN]},
    "refuses-us": {"credentials": OURS},
    "hangs": {"timeouts": HASTY, "pool": {"max_connections": 1}},
    "is-spent": {"credentials": OURS},
    "is-foreign": {"dialect": "auto"},
    "is-watched": {"mode": "shadow"},
}
QUIET = {
    "How many WebSockets are open?",
    "Log lines lost",
    "Did processes die?",
    "Which upstreams tell nonsense?",
}
"""What is nothing in a gateway that is well; all others must show something that is not."""


@contextlib.asynccontextmanager
async def shop(folder: Path, redis: RedisServer) -> AsyncIterator[Served]:
    """Run a gateway with one process, counts in Redis, and an upstream of each mood."""
    async with origins(**MOODS) as there:
        for_all = [upstream(one.port, name, **SETTINGS.get(name, {})) for name, one in there.items()]
        await there["babbles"].go()
        config = written(folder, *for_all, store={"redis": {"url_env": "STORE"}})
        async with accord(config, 1, STORE=redis.url, **CREDENTIAL) as served:
            yield served


@contextlib.asynccontextmanager
async def family(folder: Path) -> AsyncIterator[Served]:
    """Run a gateway of two processes."""
    async with origins(api=GOOD) as there, accord(written(folder, upstream(there["api"].port)), 2) as served:
        yield served


async def traffic(port: int) -> None:
    """Ask for everything once: each upstream by a few at once, a way that is not there, a request with a body."""
    targets = [get(f"/{name}/a") for name in MOODS for _ in range(4)]
    targets += [get("/nowhere"), post("/fails/a", b"{}"), get("/shop/a", "Authorization: Bearer x")]
    await asyncio.gather(*[_answer(port, request) for request in targets])


async def reloads(watching: Prometheus, folder: Path, served: Served) -> None:
    """Let a configuration be refused, and then one be loaded."""
    file = folder / "gateway.yaml"
    good = file.read_text()
    for text, result in (("version: 1\nno_such_key: 1\n", "failure"), (good + "\n", "success")):
        file.write_text(text)
        served.signal(signal.SIGHUP)
        await watching.until(f'accord_config_reloads_total{{result="{result}"}} > 0', bool)


async def once(served: Served) -> str:
    """Bring about an error that nothing else does, and return its code."""
    code: str = (await served.get("/masks/" + "a" * 9000)).json()["code"]
    return code


async def _answer(port: int, request: bytes) -> None:
    """Ask, whatever comes of it."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        await ask(port, request)


async def busy(watching: Prometheus, folder: Path, served: Served, redis: RedisServer) -> Look:
    """Let traffic run through some scrapes, first with the store and then without, and look at that time."""
    start_s = await watching.now_s()
    await watching.scraped()
    for _ in range(3):
        await traffic(served.port)
        await watching.scraped()
    await reloads(watching, folder, served)
    redis.stop()
    await traffic(served.port)
    await watching.scraped()
    await watching.scraped()
    return Look(start_s, await watching.now_s(), {})


def shows(rows: list[Series]) -> bool:
    """Tell whether there is a number in what was answered."""
    return any(isfinite(value) for row in rows for _, value in row.points)


def moves(rows: list[Series]) -> bool:
    """Tell whether there is one that is not nothing."""
    return any(isfinite(value) and value != 0 for row in rows for _, value in row.points)


async def looks(watching: Prometheus, board: Board, look: Look) -> list[Look]:
    """Return looks with all that can be chosen: everything where that is a choice, else one after the other."""
    chosen = EVERYWHERE | {"gateway": "http://localhost:8080"}
    values = {
        name: await choices(watching, query, look._replace(chosen=chosen)) for name, query in board.variables().items()
    }
    assert {name for name, found in values.items() if not found} == {"cluster", "namespace"}, values
    upstreams = values["upstream"] if board.name == "upstream" else [ALL]
    return [look._replace(chosen=chosen | {"upstream": name}) for name in upstreams]


async def catalogue(watching: Prometheus, look: Look) -> dict[str, float]:
    """Return how often each code was told, by the table of the dashboard of errors."""
    everything = look._replace(end_s=await watching.now_s(), chosen=EVERYWHERE | {"upstream": ALL})
    [rows] = await Board("errors").ask(watching, "Which codes, of which upstream?", everything)
    return {row.labels["code"]: row.value for row in rows}


async def faults(watching: Prometheus, board: Board, look: Look) -> list[str]:
    """Return what is wrong with a dashboard: each of its queries must show something for some choice."""
    every, found = await looks(watching, board, look), []
    for title in board.panels():
        try:
            answers = await asyncio.gather(*[board.ask(watching, title, one) for one in every])
        except QueryFailed as failed:
            found.append(f"{board.name}: {title}: {failed}")
            continue
        for number, rows in enumerate(zip(*answers, strict=True), start=1):
            together = [row for part in rows for row in part]
            if not (shows(together) if title in QUIET else moves(together)):
                found.append(f"{board.name}: {title}: query {number} shows {together[:3]}")
    return found


@on_uvloop
async def test_every_panel_and_every_choice_shows_something(tmp_path: Path) -> None:
    """No query of a panel, a variable or a mark is refused, and none shows nothing, once everything happened."""
    async with contextlib.AsyncExitStack() as stack:
        redis = stack.enter_context(redis_server(tmp_path / "redis"))
        (tmp_path / "several").mkdir()
        both = (shop(tmp_path, redis), family(tmp_path / "several"))
        one, several = await asyncio.gather(*map(stack.enter_async_context, both))
        jobs = {"accord": [one.admin_port], "several": [several.admin_port]}
        watching = await stack.enter_async_context(prometheus(tmp_path / "prometheus", jobs, every=SCRAPE))
        look = await busy(watching, tmp_path, one, redis)
        for name, query in Board("overview").marks().items():
            assert await watching.query(look._replace(chosen=EVERYWHERE).put(query)), name
        wrong = [fault for name in NAMES for fault in await faults(watching, Board(name), look)]
        assert not wrong, "\n".join(wrong)
        code = await once(one)
        await watching.scraped()
        assert (await catalogue(watching, look))[code] == 1
