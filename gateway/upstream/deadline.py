"""One coarse timer for all the deadlines of one connection.

Setting a deadline is an assignment: the timer that runs already is left to ring, and looks then whether anything is
due. It never sleeps longer than one tick, so that a deadline, which is at least a tick away when it is set, is met by
it; only one that is nearer (what is left of a total) moves the timer.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Deadline:
    """A time, in the loop's seconds, at which `expired` is called unless it was moved or cleared before.

    `limit_at` caps every time that is set, and is itself a deadline once one is set.
    """

    __slots__ = ("_due_at", "_expired", "_loop", "_rings_at", "_tick_s", "_timer", "limit_at")

    def __init__(self, loop: asyncio.AbstractEventLoop, tick_s: float, expired: Callable[[], None]) -> None:
        """Look at the clock every `tick_s` at least while a deadline is set."""
        self.limit_at = inf
        self._loop = loop
        self._tick_s = tick_s
        self._expired = expired
        self._due_at = self._rings_at = inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, now: float, after_s: float) -> None:
        """Be due `after_s` from `now`, in place of what was set before."""
        due_at = self._due_at = min(now + after_s, self.limit_at)
        if due_at < self._rings_at:
            self._arm(min(due_at, now + self._tick_s))

    def clear(self) -> None:
        """Be due never. The timer may ring once more, for nothing."""
        self._due_at = inf

    def close(self) -> None:
        """Let go of the timer."""
        self.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._rings_at = inf

    def _arm(self, rings_at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = rings_at
        self._timer = self._loop.call_at(rings_at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._rings_at = inf
        now = self._loop.time()
        if self._due_at <= now:
            self.clear()
            self._expired()
        elif self._due_at < inf:
            self._arm(min(self._due_at, now + self._tick_s))
