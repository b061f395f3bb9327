"""Says every few seconds that this replica lives, and learns from the store how many do.

The number divides limits while the store is away (`limits.shares`); what was heard last is kept then, for replicas do
not go away with it. A beat does not touch the breaker: whether decisions can be made again, only a decision shows, and
a beat may well succeed where they fail.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gateway.errors import StoreFailure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.errors import StoreReason
    from gateway.limits.stores.remote import Remote

PERIOD_S: Final = 5.0
FIRST_S: Final = 1.0
"""Between the first beat and the second."""


class Heartbeat:
    """A task that beats. `counted` hears how many replicas live, `failed` why that is not known."""

    def __init__(
        self,
        remote: Remote,
        replica: bytes,
        *,
        counted: Callable[[int], None],
        failed: Callable[[StoreReason], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        period_s: float = PERIOD_S,
    ) -> None:
        """Make one that does not beat yet. `replica` is this one's name, which no other has."""
        self._remote = remote
        self._replica = replica
        self._counted = counted
        self._failed = failed
        self._sleep = sleep
        self._period_s = period_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin. Nothing is waited for: a gateway starts without its store."""
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Stop beating."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _run(self) -> None:
        await self._beat()
        await self._sleep(FIRST_S)  # those who start together hear of each other soon
        while True:
            await self._beat()
            await self._sleep(self._period_s)

    async def _beat(self) -> None:
        try:
            self._counted(max(1, await self._remote.beat(self._replica)))
        except StoreFailure as failure:
            self._failed(failure.reason)
