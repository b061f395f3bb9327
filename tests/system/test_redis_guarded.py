"""What a real Redis is asked through the guard: once for a request, and not at all for what is known."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from gateway.limits import Policy
from gateway.limits.stores import GuardedStore, MemoryStore
from gateway.limits.stores.guard.tally import Where
from gateway.limits.stores.redis.remote import RedisRemote
from gateway.limits.stores.redis.target import parse
from tests.integration.harness import LoopClock, on_uvloop
from tests.system.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gateway.limits import Decision
    from tests.system.redis_server import RedisServer

HOUR_US = 3_600_000_000
BURST = 20
NARROW = Policy(name="narrow", requests=1, per_us=HOUR_US, burst=BURST, key=("ip",))
LEASED = Policy(name="leased", requests=1, per_us=HOUR_US, burst=BURST, key=("ip",), lease=10)
PATIENT_US = 5_000_000
"""A deadline that a busy machine meets, too."""


@contextlib.asynccontextmanager
async def guarded(server: RedisServer) -> AsyncIterator[GuardedStore]:
    """Have a guard whose store is connected and knows the script."""
    remote = RedisRemote(parse(server.url, timeout_s=PATIENT_US / 1e6), b"one")
    store = GuardedStore(remote, MemoryStore(), LoopClock(), replica=b"one", deadline_us=PATIENT_US)
    await remote.ready()
    await decided(store, NARROW, b"warm")
    try:
        yield store
    finally:
        await store.aclose()


async def decided(store: GuardedStore, policy: Policy, key: bytes = b"k") -> Decision:
    """Ask for one request."""
    now_us = int(asyncio.get_running_loop().time() * 1_000_000)
    deciding = store.decide([(policy, key, 1)], now_us, now_us)
    return await deciding if isinstance(deciding, asyncio.Future) else deciding


def calls(server: RedisServer) -> int:
    """Return how often the script was called."""
    with server.admin as admin:
        stats = admin.info("commandstats")
    return int(stats["cmdstat_evalsha"]["calls"])


@on_uvloop
async def test_refused_flood(tmp_path: Path) -> None:
    """Of a thousand requests the store is asked about those that pass and one more."""
    with redis_server(tmp_path) as server:
        async with guarded(server) as store:
            before = calls(server)
            admitted = [(await decided(store, NARROW)).admitted for _ in range(1_000)]
            assert sum(admitted) == BURST
            assert calls(server) - before == BURST + 1
            assert store.stats().decisions[Where.DENIED] == 1_000 - BURST - 1


@on_uvloop
async def test_refund(tmp_path: Path) -> None:
    """What is given back can be had again at once, by who was refused before."""
    with redis_server(tmp_path) as server:
        async with guarded(server) as store:
            taken = [await decided(store, NARROW) for _ in range(BURST + 5)]
            now_us = int(asyncio.get_running_loop().time() * 1_000_000)
            store.refund(taken[0].charges, now_us, now_us)
            assert (await decided(store, NARROW)).admitted
            assert not (await decided(store, NARROW)).admitted


@on_uvloop
async def test_leases(tmp_path: Path) -> None:
    """By tens, the store is asked twice for twenty requests, and refuses one."""
    with redis_server(tmp_path) as server:
        async with guarded(server) as store:
            before = calls(server)
            admitted = [(await decided(store, LEASED)).admitted for _ in range(100)]
            assert admitted == [True] * BURST + [False] * (100 - BURST)
            assert calls(server) - before == 3


@on_uvloop
async def test_leases_of_three_replicas(tmp_path: Path) -> None:
    """Replicas that lease of one key let pass what there is, all together, and no more."""
    with redis_server(tmp_path) as server:
        async with contextlib.AsyncExitStack() as stack:
            stores = [await stack.enter_async_context(guarded(server)) for _ in range(3)]
            admitted = [(await decided(store, LEASED)).admitted for _ in range(30) for store in stores]
            assert sum(admitted) == BURST
