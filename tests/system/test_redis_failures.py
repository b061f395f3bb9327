"""A Redis that is killed, stalled, flushed, read-only, full, restarted or slow, under a steady stream of decisions.

The stream goes straight through the guard to a real server. Whatever happens to that: nothing raises, nobody waits
beyond the deadline, each policy gets what it wants without its store, and afterwards the limits hold again, to the
request.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StoreReason
from gateway.limits import Policy
from gateway.limits.policy import OnStoreError
from gateway.limits.stores import GuardedStore, MemoryStore
from gateway.limits.stores.guard.breaker import State
from gateway.limits.stores.guard.charges import ShareCharge
from gateway.limits.stores.guard.tally import Where
from gateway.limits.stores.redis.remote import RedisRemote
from gateway.limits.stores.redis.target import parse
from tests.integration.harness import LoopClock, on_uvloop
from tests.system.ports import free_port
from tests.system.redis_server import redis_server, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from gateway.limits import Decision
    from tests.system.redis_server import RedisServer

HOUR_US = 3_600_000_000
TICK_S = 0.002
DEADLINE_US = 200_000
"""Four times as long as a gateway's: this machine may be busy, and a healthy server must not seem to be slow."""
TIMER_S = 0.005
"""How coarse a loop's timers are, at most."""
BURST = 20
SPENT = 5


def wide(on_store_error: OnStoreError) -> Policy:
    """Return a policy that refuses nobody, but for its store."""
    return Policy(
        name=on_store_error,
        requests=1_000_000,
        per_us=HOUR_US,
        burst=1_000_000,
        key=("ip",),
        on_store_error=on_store_error,
    )


WIDE = {on_store_error: wide(on_store_error) for on_store_error in OnStoreError}
NARROW = Policy(name="narrow", requests=1, per_us=HOUR_US, burst=BURST, key=("ip",))


class Stream:
    """Decisions, one of each kind of policy at every tick. Each is looked at when it comes, and at its deadline."""

    def __init__(self, store: GuardedStore) -> None:
        """Send nothing yet."""
        self.store = store
        self.made = 0
        self.without = dict.fromkeys(OnStoreError, 0)
        self.changes: list[tuple[State, StoreReason | None]] = []
        self.waited_while_open = 0
        self._faults: list[str] = []

    async def run(self) -> None:
        """Ask on and on."""
        while True:
            for on_store_error in OnStoreError:
                self._ask(on_store_error)
            await asyncio.sleep(TICK_S)

    def end(self) -> None:
        """See that nothing went wrong."""
        assert not self._faults, self._faults[:3]
        assert self.waited_while_open == 0
        decisions = self.store.stats().decisions
        assert sum(decisions.values()) >= self.made > 0

    def _ask(self, on_store_error: OnStoreError) -> None:
        before = self.store.stats().state
        now_us = self._now_us()
        deciding = self.store.decide([(WIDE[on_store_error], b"k", 1)], now_us, now_us)
        if not isinstance(deciding, asyncio.Future):
            self._told(on_store_error, deciding)
            return
        if before is State.PROBING or (before is State.OPEN and self.store.stats().state is State.OPEN):
            self.waited_while_open += 1
        deciding.add_done_callback(lambda done: self._told(on_store_error, done.result()))
        asyncio.get_running_loop().call_later(DEADLINE_US / 1e6 + TIMER_S, self._due, deciding)

    def _due(self, deciding: asyncio.Future[Decision]) -> None:
        """Look when the deadline is over: the loop calls in the order of its timers, however late it is itself."""
        if not deciding.done():
            self._faults.append("beyond the deadline")

    def _told(self, on_store_error: OnStoreError, decision: Decision) -> None:
        self.made += 1
        if any(not isinstance(charge, ShareCharge) for charge in decision.charges):
            return
        self.without[on_store_error] += 1
        if not _AS_WANTED[on_store_error](decision):
            self._faults.append(f"{on_store_error}: {decision}")

    def _now_us(self) -> int:
        return int(asyncio.get_running_loop().time() * 1_000_000)


_AS_WANTED: dict[OnStoreError, Callable[[Decision], bool]] = {
    OnStoreError.LOCAL: lambda one: one.admitted and isinstance(one.charges[0], ShareCharge),
    OnStoreError.REFUSE: lambda one: one.unavailable and not one.admitted,
    OnStoreError.ALLOW: lambda one: one.admitted and not one.verdicts,
}


def connected(url: str, replica: bytes = b"one") -> RedisRemote:
    """Return a store that connects by itself."""
    return RedisRemote(parse(url, timeout_s=DEADLINE_US / 1e6), replica)


@contextlib.asynccontextmanager
async def streaming(url: str) -> AsyncIterator[Stream]:
    """Let a stream of decisions go to a server, which decides all of them at first."""
    remote = connected(url)
    changes: list[tuple[State, StoreReason | None]] = []
    store = GuardedStore(
        remote,
        MemoryStore(),
        LoopClock(),
        replica=b"one",
        deadline_us=DEADLINE_US,
        on_change=lambda state, reason: changes.append((state, reason)),
    )
    stream = Stream(store)
    stream.changes = changes
    await remote.ready()
    await store.start()
    asking = asyncio.create_task(stream.run())
    try:
        await until(lambda: healthy(store))
        yield stream
    finally:
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        await store.aclose()
    stream.end()


def healthy(store: GuardedStore) -> bool:
    """Tell whether the store decides."""
    stats = store.stats()
    return stats.state is State.OK and stats.decisions[Where.REMOTE] > 0


async def passed(stream: Stream, key: bytes, asked: int) -> int:
    """Ask for so many requests under the narrow policy; return how many the store let pass."""
    admitted = 0
    for _ in range(asked):
        now_us = int(asyncio.get_running_loop().time() * 1_000_000)
        deciding = stream.store.decide([(NARROW, key, 1)], now_us, now_us)
        decision = await deciding if isinstance(deciding, asyncio.Future) else deciding
        assert not any(isinstance(charge, ShareCharge) for charge in decision.charges), "the store decides again"
        admitted += decision.admitted
    return admitted


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to a server and how it is undone; why calls fail then; whether counts are lost."""

    do: Callable[[RedisServer], object]
    undo: Callable[[RedisServer], object]
    reasons: frozenset[StoreReason]
    forgets: bool = False


def command(*words: str) -> Callable[[RedisServer], object]:
    """Return what says something to a server."""

    def say(server: RedisServer) -> object:
        with server.admin as admin:
            return admin.execute_command(*words)

    return say


def gone(*reasons: StoreReason) -> frozenset[StoreReason]:
    """Return why calls may fail: the first may be lost with its connection."""
    return frozenset({*reasons, StoreReason.REFUSED, StoreReason.TIMEOUT})


NOBODY = str(free_port())
FAULTS = {
    "killed": Fault(lambda one: one.stop(), lambda one: one.start(), gone(), forgets=True),
    "stalled": Fault(lambda one: one.stall(), lambda one: one.go_on(), gone()),
    "a replica": Fault(
        command("REPLICAOF", "127.0.0.1", NOBODY), command("REPLICAOF", "NO", "ONE"), gone(StoreReason.READONLY)
    ),
    "without replicas": Fault(
        command("CONFIG", "SET", "min-replicas-to-write", "1"),
        command("CONFIG", "SET", "min-replicas-to-write", "0"),
        gone(StoreReason.READONLY),
    ),
    "full": Fault(
        command("CONFIG", "SET", "maxmemory", "1"), command("CONFIG", "SET", "maxmemory", "0"), gone(StoreReason.FULL)
    ),
}


@on_uvloop
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_away_and_back(fault: Fault, tmp_path: Path) -> None:
    """While the store is away each policy gets what it wants; when it is back the limits hold, to the request."""
    with redis_server(tmp_path) as server:
        async with streaming(server.url) as stream:
            assert await passed(stream, b"before", SPENT) == SPENT
            fault.do(server)
            await until(lambda: stream.store.stats().state is State.OPEN)
            begun = dict(stream.without)
            await until(lambda: all(stream.without[one] >= begun[one] + 50 for one in OnStoreError))
            fault.undo(server)
            await until(lambda: stream.store.stats().state is State.OK)
            assert await passed(stream, b"before", 2 * BURST) == (BURST if fault.forgets else BURST - SPENT)
            assert await passed(stream, b"after", 2 * BURST) == BURST
            failures = {reason for reason, number in stream.store.stats().failures.items() if number}
            assert failures <= fault.reasons
            assert [state for state, _ in stream.changes] == [State.OPEN, State.OK]


@on_uvloop
async def test_flushed(tmp_path: Path) -> None:
    """A store that lost all counts and the script decides on: what was counted is forgotten, and nobody notices."""
    with redis_server(tmp_path) as server:
        async with streaming(server.url) as stream:
            assert await passed(stream, b"before", SPENT) == SPENT
            command("FLUSHALL")(server)
            command("SCRIPT", "FLUSH")(server)
            assert await passed(stream, b"before", 2 * BURST) == BURST
            assert stream.changes == []
            assert not any(stream.store.stats().failures.values())


@on_uvloop
async def test_restarted(tmp_path: Path) -> None:
    """A store that is back at once is asked again, at the latest when the breaker probes."""
    with redis_server(tmp_path) as server:
        async with streaming(server.url) as stream:
            server.stop()
            server.start()
            decided = stream.store.stats().decisions[Where.REMOTE]
            await until(lambda: stream.store.stats().decisions[Where.REMOTE] > decided + 50)
            assert await passed(stream, b"after", 2 * BURST) == BURST


class Relay:
    """Carries bytes to a server and back, late."""

    def __init__(self, path: Path) -> None:
        """Carry them at once, to a Unix socket."""
        self.delay_s = 0.0
        self._path = path
        self._carriers: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Take connections; yield the URL."""
        server = await asyncio.start_server(self._connected, "127.0.0.1")
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.close()
            for carrier in self._carriers:
                carrier.cancel()
            await asyncio.gather(*self._carriers, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(self._path))
        for source, sink in ((reader, back), (there, writer)):
            carrier = asyncio.create_task(self._carry(source, sink))
            self._carriers.add(carrier)
            carrier.add_done_callback(self._carriers.discard)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Pass bytes on, each after the delay of its moment and in their order."""
        loop = asyncio.get_running_loop()
        free_s = 0.0
        try:
            while said := await source.read(65_536):
                free_s = max(free_s, loop.time() + self.delay_s)
                loop.call_at(free_s, _write, sink, said)
        except OSError:
            pass
        finally:
            loop.call_at(free_s, sink.close)


def _write(sink: asyncio.StreamWriter, said: bytes) -> None:
    if not sink.is_closing():
        sink.write(said)


@on_uvloop
async def test_slow(tmp_path: Path) -> None:
    """A store that answers after the deadline is given up like one that does not, and taken back when it is quick."""
    with redis_server(tmp_path) as server:
        relay = Relay(server.path)
        async with relay.listening() as url, streaming(url) as stream:
            assert await passed(stream, b"before", SPENT) == SPENT
            relay.delay_s = 0.15
            await until(lambda: stream.store.stats().state is State.OPEN)
            relay.delay_s = 0.0
            await until(lambda: stream.store.stats().state is State.OK)
            assert await passed(stream, b"before", 2 * BURST) == BURST - SPENT
            assert await passed(stream, b"after", 2 * BURST) == BURST
            assert stream.changes[0] == (State.OPEN, StoreReason.TIMEOUT)


@on_uvloop
async def test_never_there() -> None:
    """A gateway whose store was never there begins all the same, and each policy gets what it wants."""
    remote = connected(f"redis://127.0.0.1:{free_port()}/0")
    store = GuardedStore(remote, MemoryStore(), LoopClock(), replica=b"one", deadline_us=DEADLINE_US)
    stream = Stream(store)
    await store.start()
    asking = asyncio.create_task(stream.run())
    await until(lambda: all(number >= 50 for number in stream.without.values()))
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    await store.aclose()
    stream.end()
    assert store.stats().decisions[Where.REMOTE] == 0


async def often(_: float) -> None:
    """Sleep less than one is told."""
    await asyncio.sleep(0.05)


@on_uvloop
async def test_three_replicas(tmp_path: Path) -> None:
    """Replicas that know of each other count by a third each when their store goes, and the last number is kept."""
    third = Policy(name="third", requests=1, per_us=HOUR_US, burst=3 * BURST, key=("ip",))
    with redis_server(tmp_path) as server:
        async with contextlib.AsyncExitStack() as stack:
            stores = []
            for name in (b"one", b"two", b"three"):
                remote = connected(server.url, name)
                store = GuardedStore(
                    remote, MemoryStore(), LoopClock(), replica=name, deadline_us=DEADLINE_US, sleep=often
                )
                await remote.ready()
                await store.start()
                stack.push_async_callback(store.aclose)
                stores.append(store)
            await until(lambda: all(store.stats().replicas == 3 for store in stores))
            server.stop()
            admitted = [0, 0, 0]
            for number, store in enumerate(stores):
                for _ in range(2 * BURST):
                    now_us = int(asyncio.get_running_loop().time() * 1_000_000)
                    deciding = store.decide([(third, b"k", 1)], now_us, now_us)
                    decision = await deciding if isinstance(deciding, asyncio.Future) else deciding
                    admitted[number] += decision.admitted
            assert admitted == [BURST] * 3
            server.start()
