"""The bar for budgets, on real sockets in real time: three replicas, one Redis, an origin that counts truly."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.harness import gateway, get, on_uvloop
from tests.integration.origin import head, send, serve
from tests.integration.test_budgets import TOKEN, ours, reply
from tests.integration.wire import PATIENCE_S, connect
from tests.system.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.harness import Running
    from tests.integration.origin import Conversation, Step
    from tests.integration.wire import Wire

GRANTED, WINDOW_S = 120, 2.0
WARMING, COUNTED = 2, 4
"""How many windows there are before those that count, and how many count."""
CLIENTS = ("one", "two", "three")
STORE = {"redis": {"url_env": "LIMITS", "deadline": "200ms"}}
"""The deadline is a busy machine's."""
BUDGETS: dict[str, Any] = {
    "declared-waits": {
        "requests": GRANTED, "per": "2s", "fair": "client", "when_exceeded": "wait", "max_wait": "400ms",
        "queue": 200, "learn": False,
    },
    "learned-waits": {"fair": "client", "when_exceeded": "wait", "max_wait": "400ms", "queue": 200},
    "learned-refuses": {"fair": "client"},
}  # fmt: skip


class TrueWindow:
    """A fixed window by the origin's own clock, told in milliseconds as BigCommerce does."""

    def __init__(self) -> None:
        self.served: dict[int, int] = {}
        self.refused: dict[int, int] = {}

    @property
    def number(self) -> int:
        """Which window it is now."""
        return int(asyncio.get_running_loop().time() // WINDOW_S)

    def step(self) -> Step:
        """Answer one request by what is left."""

        async def answer(conversation: Conversation) -> None:
            await head()(conversation)
            await asyncio.sleep(0.01)
            said = self._answer()
            await asyncio.sleep(0.01)
            await send(said)(conversation)

        return answer

    def _answer(self) -> bytes:
        now_s, number = asyncio.get_running_loop().time(), self.number
        used = self.served.get(number, 0)
        refused = used >= GRANTED
        counts = self.refused if refused else self.served
        counts[number] = counts.get(number, 0) + 1
        left_ms = round(((number + 1) * WINDOW_S - now_s) * 1_000)
        told = (
            f"X-Rate-Limit-Requests-Quota: {GRANTED}",
            f"X-Rate-Limit-Requests-Left: {GRANTED - used - (not refused)}",
            f"X-Rate-Limit-Time-Reset-Ms: {left_ms}",
            f"X-Rate-Limit-Time-Window-Ms: {round(WINDOW_S * 1_000)}",
        )
        return reply("429 Too Many Requests" if refused else "200 OK", *told)


class Crowd:
    """Clients that ask equally often, at random moments, whether they are answered or not, and any replica."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._idle: dict[int, list[Wire]] = {port: [] for port in ports}
        self.answers: list[tuple[str, float, int]] = []

    async def ask(self, per_s: float, seconds: float) -> None:
        """Ask so often in all, for so long, and return when all are answered."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + seconds

        async def client(name: str, chance: Random) -> None:
            at_s = loop.time()
            async with asyncio.TaskGroup() as asking:
                while (at_s := at_s + chance.uniform(0.5, 1.5) * len(CLIENTS) / per_s) < ends_s:
                    await asyncio.sleep(at_s - loop.time())
                    asking.create_task(self._one(name, chance.choice(self._ports)))

        await asyncio.gather(*[client(name, Random(name)) for name in CLIENTS])

    async def _one(self, name: str, port: int) -> None:
        wire = self._idle[port].pop() if self._idle[port] else await connect(port)
        await wire.send(get("/api/a", f"Authorization: {name}"))
        status = (await wire.reply()).status
        self.answers.append((name, asyncio.get_running_loop().time(), status))
        self._idle[port].append(wire)

    async def leave(self) -> None:
        """Close all connections."""
        for wire in [wire for wires in self._idle.values() for wire in wires]:
            async with wire:
                pass


@asynccontextmanager
async def three(folder: Path, **settings: Any) -> AsyncIterator[list[Running]]:  # noqa: ANN401 - keys of an upstream
    """Run three replicas on one Redis that all know of each other."""
    async with AsyncExitStack() as open_ones:
        redis = open_ones.enter_context(redis_server(folder / "redis"))
        running = []
        for name in "abc":
            (folder / name).mkdir()
            one = gateway(folder / name, settings, environ=TOKEN | {"LIMITS": redis.url}, store=STORE)
            running.append(await open_ones.enter_async_context(one))
        async with asyncio.timeout(PATIENCE_S):
            while not all("accord_limit_replicas 3.0" in one.metrics() for one in running):  # noqa: ASYNC110 - they beat
                await asyncio.sleep(0.05)
        yield running


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=BUDGETS.keys())
@on_uvloop
async def test_a_true_window_is_kept_used_and_shared(tmp_path: Path, budget: dict[str, Any]) -> None:
    """At twice what is granted the origin refuses nobody after its first windows; nine tenths and more are used; and
    none of three clients that want the same has a tenth more than another.
    """
    window = TrueWindow()
    async with (
        serve(*[[window.step()] * 5_000] * 300) as origin,
        three(tmp_path, **ours(origin, dialect="bigcommerce", budget=budget)) as running,
    ):
        crowd = Crowd([one.port for one in running])
        first = window.number + WARMING
        await crowd.ask(2 * GRANTED / WINDOW_S, (WARMING + COUNTED + 1) * WINDOW_S)
        await crowd.leave()
    counted = range(first, first + COUNTED)
    served = [
        [name for name, at_s, status in crowd.answers if status == 200 and int(at_s // WINDOW_S) in counted].count(one)
        for one in CLIENTS
    ]
    assert [window.refused.get(number, 0) for number in counted] == [0] * COUNTED
    assert sum(window.served[number] for number in counted) >= 0.9 * GRANTED * COUNTED
    assert max(served) <= 1.1 * min(served)
    assert {status for _, _, status in crowd.answers} <= {200, 503}
