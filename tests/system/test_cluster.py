"""Life in a cluster: three replicas behind a load balancer, with their limits in one Redis, under steady traffic.

Each request must be answered as it would be in quiet times, whatever happens to replicas and to Redis meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from tests.integration.harness import on_uvloop, written
from tests.system.accord import accord, summed, until
from tests.system.balancer import balancer
from tests.system.ports import free_port
from tests.system.redis_server import redis_server
from tests.system.traffic import origin, traffic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path
    from typing import Any

    from gateway.supervisor.samples import Scrape
    from tests.system.accord import Served
    from tests.system.redis_server import RedisServer

ALLOWED: Final = 300
ASKED: Final = 400
LIMIT: Final = {"name": "daily", "key": "header:X-Stage", "requests": ALLOWED, "per": "1d"}
"""One comes back in 288 s: longer than a test takes, so that what is allowed is one number."""
STORE: Final = {"redis": {"url_env": "LIMITS", "deadline": "5s"}}
"""The deadline is a busy machine's: an answer that came too late would be no fault of the counting."""
SHUTDOWN: Final = {"delay": "3s", "grace": "20s"}
"""The delay is what the balancer has to hear of it and to renew its workers."""


class Cluster:
    """What replicas have in common."""

    def __init__(self, folder: Path, upstream: dict[str, Any], redis: RedisServer, stack: AsyncExitStack) -> None:
        self.configs: list[Path] = []
        self.upstream = upstream
        self._folder = folder
        self._redis = redis
        self._stack = stack
        self._number = 0

    async def replicas(self, *processes: int) -> list[Served]:
        """Start some at once, each with so many processes; they are ready."""
        return list(await asyncio.gather(*[self._replica(number) for number in processes]))

    async def _replica(self, processes: int) -> Served:
        self._number += 1
        home = self._folder / f"replica-{self._number}"
        home.mkdir()
        settings = {"limits": [LIMIT], "store": STORE, "shutdown": SHUTDOWN, "reload": {"watch": "off"}}
        config = written(home, self.upstream, **settings)
        self.configs.append(config)
        return await self._stack.enter_async_context(accord(config, processes, LIMITS=self._redis.url))


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[tuple[Cluster, RedisServer]]:
    """Have an origin and a Redis for replicas."""
    with redis_server(folder / "redis") as redis:
        async with origin(folder / "origin", free_port()) as upstream, AsyncExitStack() as stack:
            yield Cluster(folder, upstream, redis, stack), redis


async def all_say(replicas: list[Served], name: str, value: float, **labels: str) -> None:
    """Wait until a metric of every replica has a value."""
    for replica in replicas:
        await until(replica.scrape, said(name, value, labels), every_s=0.2)  # a page costs the replica something


def said(name: str, value: float, labels: Mapping[str, str]) -> Callable[[Scrape], bool]:
    """Return a test of a scrape."""
    return lambda scrape: summed(scrape, name, **labels) == value


@on_uvloop
async def test_limits_hold_in_sum_while_redis_goes_and_comes_back(tmp_path: Path) -> None:
    """Three replicas admit what the limit says, to the request: with Redis, without it (each its third), and after.

    Nobody else notices anything.
    """
    async with cluster(tmp_path) as (makes, redis):
        replicas = await makes.replicas(1, 1, 1)
        async with balancer(tmp_path / "front", free_port(), *replicas) as front, traffic(front.port) as load:
            await all_say(replicas, "accord_limit_replicas", 3)
            assert await load.counted("with", ASKED) == {200: ALLOWED, 429: ASKED - ALLOWED}
            redis.stop()
            await all_say(replicas, "accord_limit_store_up", 0)
            assert await load.counted("without", ASKED) == {200: ALLOWED, 429: ASKED - ALLOWED}
            redis.start()
            await all_say(replicas, "accord_limit_store_up", 1)
            assert await load.counted("after", ASKED) == {200: ALLOWED, 429: ASKED - ALLOWED}
            await load.more()
        assert load.wrong == []
        assert {address for _, address, _ in front.passed_on()} == {f"127.0.0.1:{one.port}" for one in replicas}


@on_uvloop
async def test_replicas_are_replaced_without_a_failed_request(tmp_path: Path) -> None:
    """One process, and one that is several. Each request is passed on once and answered, limits hold in sum, and who
    goes finishes what it has begun.
    """
    async with cluster(tmp_path) as (makes, _):
        *going, stays = await makes.replicas(1, 2, 1)
        async with balancer(tmp_path / "front", free_port(), *going, stays) as front, traffic(front.port) as load:
            new = await makes.replicas(1, 1)
            front.replicas += new
            await front.chooses_from(*going, stays, *new)
            await load.more()
            for old in going:
                old.signal(signal.SIGTERM)
            assert await load.counted("meanwhile", ASKED) == {200: ALLOWED, 429: ASKED - ALLOWED}
            await front.chooses_from(stays, *new)
            for old in going:
                front.replicas.remove(old)
                assert await old.ended() == (0, "")
                assert {line["outcome"] for line in old.log()} <= {"ok", "upstream_4xx", "rate_limited"}
            await load.more()
        assert load.wrong == []
        assert front.complaints() == []
        assert all(status == upstream_status for status, _, upstream_status in front.passed_on())


@on_uvloop
async def test_all_replicas_take_another_configuration_without_a_failed_request(tmp_path: Path) -> None:
    """An upstream is added to all three at once. Nobody notices, and who has used up part of a limit has the rest."""
    async with cluster(tmp_path) as (makes, _):
        replicas = await makes.replicas(1, 2, 1)
        async with balancer(tmp_path / "front", free_port(), *replicas) as front, traffic(front.port) as load:
            assert await load.counted("both", ALLOWED - 100) == {200: ALLOWED - 100}
            more = makes.upstream | {"name": "more", "match": {"prefix": "/more"}}
            for config in makes.configs:
                (config.parent / "upstreams" / "more.yaml").write_text(json.dumps(more))
            for replica in replicas:
                assert (await replica.get("/more/ok")).status == 404
                replica.signal(signal.SIGHUP)
            await all_say(replicas, "accord_config_reloads", 1, result="success")
            assert await load.counted("both", ASKED) == {200: 100, 429: ASKED - 100}
            for replica in replicas:
                assert (await replica.get("/more/ok")).status == 200
            await load.more()
        assert load.wrong == []
        assert front.complaints() == []
