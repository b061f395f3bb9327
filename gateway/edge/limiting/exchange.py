"""Replicas tell each other of budgets: ten times a second while there is something to say or to spend, else once.

What is heard is used until the next time, so a request never waits for it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gateway.limits.budget.board import NOTHING, Teller
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.edge.clock import Clock
    from gateway.limits.budget.board import BudgetBoard
    from gateway.limits.budget.held import Held

PERIOD_S: Final = 0.1
_IDLE_PERIODS: Final = 10


class Exchange:
    """One replica's side of a board, for all of its budgets."""

    def __init__(
        self, board: BudgetBoard, budgets: Iterable[Held], clock: Clock, peers: Callable[[], int] = lambda: 1
    ) -> None:
        """Begin with nothing told. `peers` is how many replicas live, this one among them."""
        self._board = board
        self._peers = peers
        self._sides = [_Side(held) for held in budgets]
        """Replaced as a whole, so that whoever is going through them may go on."""
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def follow(self, budgets: Iterable[Held]) -> None:
        """Tell and hear of these from now on; of those that were known before no more than is new."""
        known = {id(side.held): side for side in self._sides}
        self._sides = [known.get(id(held)) or _Side(held) for held in budgets]

    def start(self) -> None:
        """Tell and hear from now on."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def aclose(self) -> None:
        """Stop."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._board.aclose()

    async def _run(self) -> None:
        while True:
            for side in self._sides:
                side.held.replicas = max(1, self._peers())
                await self._tell(side)
            await asyncio.sleep(PERIOD_S)

    async def _tell(self, side: _Side) -> None:
        now_us, unix_us = self._times()
        news = side.teller.news(now_us, unix_us)
        if side.due() or news != NOTHING:
            known = await self._board.exchange(side.held.name, news)
            side.teller.heard(known, *self._times())

    def _times(self) -> tuple[int, int]:
        return int(self._clock.monotonic_s() * US_IN_S), int(self._clock.now_s() * US_IN_S)


class _Side:
    """One budget, and how much was asked of it when it was last looked at."""

    __slots__ = ("_asked", "_idle", "held", "teller")

    def __init__(self, held: Held) -> None:
        self.held = held
        self.teller = Teller(held.learned)
        self._asked = 0
        self._idle = 0

    def due(self) -> bool:
        """Tell whether anything was asked of it since, or nothing was heard for a second."""
        before, self._asked = self._asked, self.held.asked
        self._idle += 1
        if self._asked == before and self._idle < _IDLE_PERIODS:
            return False
        self._idle = 0
        return True
