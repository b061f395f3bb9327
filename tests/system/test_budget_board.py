"""Replicas that tell each other of budgets through a real Redis."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import StoreReason
from gateway.limits.budget.board import NOTHING, Left, News
from gateway.limits.stores.redis.board import RedisBoard
from gateway.limits.stores.redis.dial import Dialler
from gateway.limits.stores.redis.target import parse
from tests.boards import MemoryBoard
from tests.integration.harness import gateway, on_uvloop
from tests.integration.origin import head, send, serve
from tests.integration.test_budgets import TOKEN, ours, reply
from tests.system.redis_server import RedisServer, running_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

S = 1_000_000
UNIX_US = 1_795_000_000 * S
lefts = st.builds(
    lambda window, limit, base, ends_us, wide_us: Left(window, limit, base, ends_us - wide_us, ends_us),
    st.integers(0, 2),
    st.sampled_from([100, 10**12]),
    st.integers(0, 10**12),
    st.integers(0, 40).map(lambda at_s: UNIX_US + at_s * S // 2),
    st.sampled_from([0, S // 2 - 50_000, S // 2 - 50_001, S]),
)
news = st.builds(
    News,
    st.just(0) | st.integers(UNIX_US, UNIX_US + 10**9),
    st.lists(lefts, max_size=3, unique_by=lambda one: one.window).map(tuple),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run a server."""
    running = RedisServer(tmp_path_factory.mktemp("redis"))
    yield running
    running.stop()


def board(server: RedisServer) -> RedisBoard:
    """Return a board in a server."""
    return RedisBoard(Dialler(parse(server.url)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(news, min_size=1, max_size=6))
def test_it_knows_what_a_board_in_memory_knows(server: RedisServer, told: list[News]) -> None:
    """After each telling, to the microsecond."""
    server.admin.flushall()

    async def tell() -> None:
        here, there = MemoryBoard(), board(server)
        for one in told:
            assert await there.exchange("api", one) == here.post("api", one)
        await there.aclose()

    asyncio.run(tell())


def test_what_is_told_is_forgotten_after_an_hour(server: RedisServer) -> None:
    """And reading alone keeps nothing."""

    async def tell() -> None:
        there = board(server)
        assert await there.exchange("fresh", NOTHING) == NOTHING
        assert not server.admin.exists(there.key("fresh"))
        await there.exchange("fresh", News(UNIX_US))
        await there.aclose()

    asyncio.run(tell())
    assert 0 < server.admin.pttl(board(server).key("fresh")) <= 3_600_000


def test_no_key_tells_which_upstream_it_is_of(server: RedisServer) -> None:
    """Nor can names be tried without the secret that the replicas share; all keys begin as ours do."""
    server.admin.flushall()

    async def tell() -> None:
        for secret in (b"ours", b"ours", b"another"):
            there = RedisBoard(Dialler(parse(server.url)), secret=secret)
            await there.exchange("orders", News(UNIX_US))
            await there.aclose()

    asyncio.run(tell())
    keys: list[Any] = list(server.admin.scan_iter())
    assert len(keys) == 2
    assert all(key.startswith(b"accord:budget:") and b"orders" not in key for key in keys)


def test_a_server_that_does_not_answer_is_not_waited_for(server: RedisServer, tmp_path: Path) -> None:
    """It knows nothing, within a twentieth of a second and then at once; and is asked again a second later."""
    own = RedisServer(tmp_path / "own")

    async def tell() -> None:
        loop, there = asyncio.get_running_loop(), board(own)
        await there.exchange("api", News(UNIX_US))
        own.stop()
        assert await there.exchange("api", NOTHING) == NOTHING
        began_s = loop.time()
        assert await there.exchange("api", NOTHING) == NOTHING
        assert loop.time() - began_s < 0.02
        own.start()
        await asyncio.sleep(1.1)
        await there.exchange("api", News(UNIX_US + 1))
        assert await there.exchange("api", NOTHING) == News(UNIX_US + 1)
        await there.aclose()

    asyncio.run(tell())
    own.stop()


def test_what_no_replica_wrote_is_nothing(server: RedisServer) -> None:
    """Somebody else's key under our name, and somebody else's fields in it."""
    server.admin.set(board(server).key("text"), "x")
    server.admin.hset(board(server).key("words"), "p", "soon")

    async def tell() -> None:
        for name in "text", "words":
            there = board(server)
            assert await there.exchange(name, NOTHING) == NOTHING
            await there.aclose()

    asyncio.run(tell())


@on_uvloop
async def test_three_replicas_keep_one_pause(tmp_path: Path) -> None:
    """What one was told by the upstream holds for the others within a second."""
    server = RedisServer(tmp_path / "redis")
    refusal = reply("429 Too Many Requests", "Retry-After: 20")
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    boards = [board(server) for _ in folders]
    async with (
        serve((head(), send(refusal))) as origin,
        gateway(folders[0], ours(origin), environ=TOKEN, board=boards[0]) as one,
        gateway(folders[1], ours(origin), environ=TOKEN, board=boards[1]) as two,
        gateway(folders[2], ours(origin), environ=TOKEN, board=boards[2]) as three,
    ):
        assert (await one.get("/api/a")).json()["source"]["origin"] == "upstream"
        await asyncio.sleep(1.5)
        told = [(await accord.get("/api/b")).json() for accord in (two, three)]
        assert len(origin.conversations) == 1
    server.stop()
    assert [document["code"] for document in told] == ["upstream_budget_exhausted"] * 2


@on_uvloop
async def test_a_cluster_keeps_each_upstream_at_the_node_that_has_its_key(tmp_path: Path) -> None:
    """Whichever node the configuration names; boards that begin at different ones tell each other."""
    async with running_cluster(tmp_path / "redis") as servers:
        one, two = (RedisBoard(Dialler(parse(server.url, cluster=True))) for server in servers[:2])
        names = [f"upstream-{number}" for number in range(12)]
        for number, name in enumerate(names):
            assert await one.exchange(name, News(UNIX_US + number)) == News(UNIX_US + number)
        assert [(await two.exchange(name, NOTHING)).paused_until_us for name in names] == [
            UNIX_US + number for number in range(12)
        ]
        held = [server.admin.dbsize() for server in servers]
        await one.aclose()
        await two.aclose()
    assert sum(held) == 12
    assert all(held)


@on_uvloop
async def test_a_store_that_lets_nobody_tell_is_told_of(tmp_path: Path, server: RedisServer) -> None:
    """A user without the right to run scripts, until it has it: nothing raises, but somebody hears why."""
    heard: list[StoreReason | None] = []
    server.admin.acl_setuser("meek", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-eval"])
    try:
        there = RedisBoard(Dialler(parse(server.url.replace("://", "://meek:pw@"))), heard=heard.append)
        assert await there.exchange("api", NOTHING) == NOTHING
        await there.aclose()
        assert heard == [StoreReason.AUTH]
        server.admin.acl_setuser("meek", enabled=True, commands=["+eval"])
        there = RedisBoard(Dialler(parse(server.url.replace("://", "://meek:pw@"))), heard=heard.append)
        await there.exchange("api", NOTHING)
        await there.aclose()
        assert heard == [StoreReason.AUTH, None]
    finally:
        server.admin.acl_deluser("meek")
