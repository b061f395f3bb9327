"""A whole gateway with its limits in a real Redis: shared by replicas, and served all the same when Redis is away."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.harness import gateway, on_uvloop, upstream
from tests.integration.origin import OK, head, send, serve
from tests.system.flood import flood
from tests.system.redis_server import RedisServer, redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.integration.harness import Running

MANY = (head(), send(OK)) * 3_000
LIMIT = {"name": "all", "key": "header:X-Stage", "requests": 100, "per": "1s", "burst": 20}
STORE = {"redis": {"url_env": "LIMITS", "deadline": "200ms"}}
"""The deadline is a busy machine's; that of the product is held to on virtual time."""


@asynccontextmanager
async def replicas(folder: Path, redis: RedisServer, count: int, **limit: Any) -> AsyncIterator[list[Running]]:  # noqa: ANN401 - keys of a limit
    """Run replicas in front of one origin, all with one limit."""
    async with AsyncExitStack() as open_ones:
        origin = await open_ones.enter_async_context(serve(*[MANY] * 100))
        running = []
        for number in range(count):
            home = folder / str(number)
            home.mkdir()
            one = gateway(home, upstream(origin), environ={"LIMITS": redis.url}, limits=[LIMIT | limit], store=STORE)
            running.append(await open_ones.enter_async_context(one))
        yield running


@on_uvloop
async def test_replicas_let_through_what_one_would(tmp_path: Path) -> None:
    """32 connections for ten seconds over three replicas against 100 a second with a burst of 20."""
    with redis_server(tmp_path / "redis") as redis:
        async with replicas(tmp_path, redis, 3) as running:
            load = await flood([accord.port for accord in running], seconds=10.0)
    statuses = load.statuses()
    assert set(statuses) == {200, 429}
    assert statuses[200] in load.allowed(100, 20)


STALLED = (RedisServer.stall, RedisServer.go_on)
KILLED = (RedisServer.stop, RedisServer.start)


@pytest.mark.parametrize(
    ("on_store_error", "seen", "away", "back"),
    [
        ("local", {200, 429}, *KILLED),
        ("local", {200, 429}, *STALLED),
        ("refuse", {503}, *STALLED),
        ("allow", {200}, *STALLED),
    ],
    ids=["killed", "local", "refuse", "allow"],
)
@on_uvloop
async def test_away_and_back(
    tmp_path: Path,
    on_store_error: str,
    seen: set[int],
    away: Callable[[RedisServer], None],
    back: Callable[[RedisServer], None],
) -> None:
    """While Redis is away every request is answered as its policy says, and afterwards the limit holds to the request.

    Nothing is answered with 500, neither then nor in the moments between.
    """
    with redis_server(tmp_path / "redis") as redis:
        async with replicas(tmp_path, redis, 1, on_store_error=on_store_error) as (accord,):
            before = (await flood([accord.port], seconds=0.5, fields=["X-Stage: 1"])).statuses()
            away(redis)
            turning = (await flood([accord.port], seconds=0.5, fields=["X-Stage: 2"])).statuses()
            without = (await flood([accord.port], seconds=0.3, fields=["X-Stage: 3"])).statuses()
            back(redis)
            await until_shared(accord)
            after = await flood([accord.port], seconds=2.0, fields=["X-Stage: 4"])
            told = [line for line in accord.log() if line["event"] == "limit_store"]
    assert set(before) == {200, 429}
    assert set(without) == seen
    assert set(turning) <= seen | {200, 429}
    assert after.statuses()[200] in after.allowed(100, 20)
    assert [line["state"] for line in told] == ["away", "back"]


@on_uvloop
async def test_a_start_without_redis(tmp_path: Path) -> None:
    """The gateway serves all the same, and the operator is told at once, before any request."""
    with redis_server(tmp_path / "redis") as redis:
        redis.stop()
        async with replicas(tmp_path, redis, 1) as (accord,):
            told = [line for line in accord.log() if line["event"] == "limit_store"]
            answer = await accord.get("/api/a", "X-Stage: 1")
        redis.start()
        async with replicas(tmp_path / "redis", redis, 1) as (accord,):
            quiet = [line for line in accord.log() if line["event"] == "limit_store"]
    assert [(line["state"], line["level"]) for line in told] == [("absent", "warning")]
    assert (answer.status, answer.header("RateLimit")) == (200, b'"all";r=19;t=1')
    assert quiet == []


@on_uvloop
async def test_a_wrong_password(tmp_path: Path) -> None:
    """It is told apart from a server that is not there, and serving goes on."""
    with redis_server(tmp_path / "redis", "--requirepass", "another") as redis:
        async with replicas(tmp_path, redis, 1) as (accord,):
            statuses = {(await accord.get("/api/a", "X-Stage: 1")).status for _ in range(3)}
            told = [line for line in accord.log() if line["event"] == "limit_store"]
    assert statuses == {200}
    assert [(line["state"], line["reason"]) for line in told] == [("absent", None), ("away", "auth")]


async def until_shared(accord: Running) -> None:
    """Ask until Redis decides again."""
    ended = False

    async def ask() -> None:
        nonlocal ended
        await accord.get("/api/a", "X-Stage: between")
        ended = any(line["event"] == "limit_store" and line["state"] == "back" for line in accord.log())

    while not ended:
        await ask()


@on_uvloop
async def test_no_key_tells_who_was_counted(tmp_path: Path) -> None:
    """Redis holds neither a credential nor the policy's name."""
    with redis_server(tmp_path / "redis") as redis:
        async with replicas(tmp_path, redis, 1, key="client") as (accord,):
            assert (await accord.get("/api/a", "Authorization: Bearer s3cret")).status == 200
        with redis.admin as admin:
            keys = [key for key in admin.scan_iter() if b"replicas" not in key]
    assert len(keys) == 1
    assert not any(word in keys[0] for word in (b"s3cret", b"Bearer", b"all"))
