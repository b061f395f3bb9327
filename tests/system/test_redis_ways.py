"""Limits on several Redis servers: a cluster, and a master that a Sentinel knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from redis import Redis
from redis.crc import key_slot

from gateway.errors import StoreFailure
from gateway.limits import Policy
from gateway.limits.stores.redis.rows import Rows
from gateway.limits.stores.redis.target import parse
from tests.integration.wire import PATIENCE_S
from tests.policies import places
from tests.system.redis_server import AGREED_S, SLOTS, redis_server, running_cluster, sentinel, store, until

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.limits.stores.redis.remote import RedisRemote
    from gateway.limits.stores.redis.target import RedisTarget
    from gateway.limits.values import Decision
    from tests.system.redis_server import RedisServer

MINUTE_US = 60_000_000


def policy(name: str, requests: int = 5, *, shadow: bool = False) -> Policy:
    """Return a limit of so many in a minute."""
    return Policy(name=name, requests=requests, per_us=MINUTE_US, burst=requests, key=("ip",), shadow=shadow)


RATE = policy("rate")
NARROW = policy("narrow", requests=1)
SHADOW = policy("shadow", requests=1, shadow=True)
PLACES = places("places", 2)


def key_on(node: int) -> bytes:
    """Return a principal whose keys are on one of three nodes."""
    rows = Rows(b"")
    for number in range(1_000):
        key = b"client=%d" % number
        if key_slot(rows.row(RATE, key, 1, 0)[0]) * 3 // SLOTS == node:
            return key
    raise AssertionError


FIRST, SECOND, THIRD = (key_on(node) for node in range(3))


def cluster_target(servers: list[RedisServer], timeout_s: float = PATIENCE_S) -> RedisTarget:
    """Name one node; the others are found by it."""
    return parse(servers[0].url, cluster=True, timeout_s=timeout_s)


async def answered(remote: RedisRemote, policy: Policy, key: bytes) -> Decision:
    """Ask until there is an answer."""
    async with asyncio.timeout(AGREED_S):
        while True:
            try:
                return await remote.decide([(policy, key, 1)])
            except StoreFailure:
                await asyncio.sleep(0.01)


async def test_cluster_all_or_none(tmp_path: Path) -> None:
    """Policies whose keys are on several nodes are charged all, or none: what some charged comes back."""
    async with running_cluster(tmp_path) as servers, store(cluster_target(servers)) as remote:
        asks = [(RATE, FIRST, 1), (SHADOW, SECOND, 1), (NARROW, THIRD, 1), (PLACES, SECOND, 1)]
        first = await remote.decide(asks)
        second = await remote.decide(asks)
        seen = await remote.peek([(policy, key, 0) for policy, key, _ in asks])
    assert first.admitted
    assert [charge.policy for charge in first.charges] == [RATE, SHADOW, NARROW, PLACES]
    assert not second.admitted
    assert second.charges == ()
    assert [(one.policy, one.admitted, one.remaining) for one in second.verdicts] == [
        (RATE, True, 4),
        (NARROW, False, 0),
        (PLACES, True, 1),
    ]
    assert second.tightest is second.verdicts[1]
    assert [one.remaining for one in seen.verdicts] == [4, 0, 1]


async def test_cluster_on_one_node(tmp_path: Path) -> None:
    """Each principal's policies are decided on the node that has them, refunded and released there."""
    async with running_cluster(tmp_path) as servers, store(cluster_target(servers)) as remote:
        for key in (FIRST, SECOND, THIRD):
            charged = await remote.decide([(RATE, key, 2), (PLACES, key, 2)])
            assert [one.remaining for one in charged.verdicts] == [3, 0]
            remote.refund(charged.charges)
            after = await remote.peek([(RATE, key, 0), (PLACES, key, 0)])
            assert [one.remaining for one in after.verdicts] == [5, 2]
        assert await remote.beat(b"one") == 1
        assert (await remote.decide([])).admitted
        for server in servers:
            with server.admin as admin:
                assert admin.dbsize() > 0


async def test_cluster_slot_moves(tmp_path: Path) -> None:
    """A slot that moved to another node is followed there."""
    async with running_cluster(tmp_path) as servers, store(cluster_target(servers)) as remote:
        slot = key_slot(Rows(b"").row(RATE, FIRST, 1, 0)[0])
        assert (await remote.decide([(RATE, SECOND, 1)])).admitted
        with servers[2].admin as admin:
            owner = admin.execute_command("CLUSTER", "MYID").decode()
        for server in servers:
            with server.admin as admin:
                admin.execute_command("CLUSTER", "SETSLOT", slot, "NODE", owner)
        decided = [await remote.decide([(RATE, FIRST, 1)]) for _ in range(5)]
        with servers[2].admin as admin:
            assert admin.dbsize() == 1
    assert [one.verdicts[0].remaining for one in decided] == [4, 3, 2, 1, 0]


async def test_cluster_node_gone(tmp_path: Path) -> None:
    """What needs a node that is gone fails and charges nothing elsewhere, and goes on when the node is back."""
    async with running_cluster(tmp_path) as servers, store(cluster_target(servers)) as remote:
        await remote.decide([(RATE, FIRST, 1)])
        for server in servers:
            with server.admin as admin:
                admin.config_set("cluster-require-full-coverage", "no")
        servers[2].stop()
        with pytest.raises(StoreFailure):
            await remote.decide([(RATE, FIRST, 1), (RATE, THIRD, 1)])
        assert (await answered(remote, RATE, FIRST)).verdicts[0].remaining == 3
        servers[2].start()
        assert (await answered(remote, RATE, THIRD)).admitted


async def test_sentinel(tmp_path: Path) -> None:
    """When the master is gone, the one that the Sentinel puts in its place is asked."""
    with (
        redis_server(tmp_path / "master") as master,
        redis_server(tmp_path / "replica", "--replicaof", f"127.0.0.1 {master.port}") as replica,
    ):
        await until(lambda: _replicated(replica))
        with sentinel(tmp_path / "sentinel", "limits", master) as port:
            await until(lambda: _watches(port))
            target = parse("redis://", service="limits", sentinels=[f"127.0.0.1:{port}"])
            async with store(target) as remote:
                assert (await answered(remote, RATE, FIRST)).admitted
                master.stop()
                with pytest.raises(StoreFailure):
                    await remote.decide([(RATE, FIRST, 1)])
                assert (await answered(remote, RATE, FIRST)).admitted
                with replica.admin as admin:
                    assert admin.role()[0] == b"master"
                    assert admin.dbsize() == 1


def _replicated(replica: RedisServer) -> bool:
    with replica.admin as admin:
        return bool(admin.info("replication")["master_link_status"] == "up")


def _watches(port: int) -> bool:
    """Tell whether the Sentinel has heard of the replica, without which nothing takes the master's place."""
    with Redis(port=port) as asked:
        return bool(asked.sentinel_master("limits")["num-slaves"] == 1)
