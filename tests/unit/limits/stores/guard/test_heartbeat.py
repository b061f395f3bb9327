"""The heartbeat: says that this replica lives, and learns how many do."""

from __future__ import annotations

import asyncio

from gateway.errors import StoreReason
from gateway.limits.stores.guard.heartbeat import FIRST_S, PERIOD_S, Heartbeat
from tests.unit.limits.stores.guard.virtual import ScriptedRemote, VirtualLoop


class Beating:
    """A heartbeat whose sleep ends when it is told."""

    def __init__(self) -> None:
        """Make one that is still."""
        self.remote = ScriptedRemote(VirtualLoop())
        self.counts: list[int] = []
        self.failures: list[StoreReason] = []
        self.slept: list[float] = []
        self._awake = asyncio.Event()
        self._asleep = asyncio.Event()
        self.heartbeat = Heartbeat(
            self.remote, b"me", counted=self.counts.append, failed=self.failures.append, sleep=self._sleep
        )

    async def next(self) -> None:
        """Let it sleep out, if it does, and beat."""
        if self.slept:
            self._awake.set()
        await self._asleep.wait()
        self._asleep.clear()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._asleep.set()
        await self._awake.wait()
        self._awake.clear()


async def test_beats() -> None:
    """It beats at once, soon again and then every five seconds, and tells each count; there is one replica at least."""
    beating = Beating()
    beating.heartbeat.start()
    for replicas in (3, 4, 0):
        beating.remote.replicas = replicas
        await beating.next()
    assert beating.counts == [3, 4, 1]
    assert beating.remote.beats == [b"me"] * 3
    assert beating.slept == [FIRST_S, PERIOD_S, PERIOD_S]
    await beating.heartbeat.aclose()


async def test_store_is_away() -> None:
    """A beat that fails tells why and no count, and the next one is made all the same."""
    beating = Beating()
    beating.remote.replicas = StoreReason.READONLY
    beating.heartbeat.start()
    await beating.next()
    assert beating.failures == [StoreReason.READONLY]
    beating.remote.replicas = 2
    await beating.next()
    assert beating.counts == [2]
    await beating.heartbeat.aclose()


async def test_close() -> None:
    """Closed it beats no more; closing what never began, or twice, does nothing."""
    beating = Beating()
    await beating.heartbeat.aclose()
    beating.heartbeat.start()
    await beating.next()
    await beating.heartbeat.aclose()
    await beating.heartbeat.aclose()
    assert len(asyncio.all_tasks()) == 1
