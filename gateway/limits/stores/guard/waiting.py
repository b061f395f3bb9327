"""What waits for a store, and the one timer for all of it.

All wait equally long, so who came first is due first: a queue and a single timer do, however many requests there are.
Nobody waits beyond the time; who is due within the tick in which the timer rings is not kept waiting for another one.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from gateway.units import US_IN_S

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from gateway.limits.stores.guard.leases import Spent
    from gateway.limits.values import Ask, Decision

_TICK_US: Final = 1_000


class Timer(Protocol):
    """Something that was to happen later."""

    def cancel(self) -> object:
        """Let it not happen."""


class CallLater(Protocol):
    """Calls back after so many seconds, as a loop's `call_later` does."""

    def __call__(self, delay_s: float, callback: Callable[[], None], /) -> Timer:
        """Promise the call."""


class Waiting:
    """A request that waits for the store, or whose call to it has not ended yet.

    `request` is what was asked of all its policies. Of that, `held` was spent out of leases, and `asks` is what the
    store is to decide; `sent` is what it was asked, which differs where a lease is being taken. `ticket` is the
    breaker's, 0 once the call has been judged. `looks`: nothing is charged. `asked_us` is when the request came,
    `sent_us` when its last call began.
    """

    __slots__ = (
        "answer",
        "asked_us",
        "asks",
        "held",
        "looks",
        "request",
        "sent",
        "sent_us",
        "ticket",
        "under_way",
        "unix_us",
    )

    answer: asyncio.Future[Decision]

    def __init__(self, request: Sequence[Ask], now_us: int, unix_us: int, *, looks: bool = False) -> None:
        """Note what is asked and when; `answer` and `ticket` come with the call."""
        self.request = request
        self.asks = self.sent = list(request)
        self.held: list[Spent] = []
        self.asked_us = self.sent_us = now_us
        self.unix_us = unix_us
        self.looks = looks
        self.ticket = 0
        self.under_way = False


class Queue:
    """Calls `expired` for each that is still under way when its time is over."""

    def __init__(
        self,
        time_us: int,
        now_us: Callable[[], int],
        call_later: CallLater,
        expired: Callable[[Waiting, int], None],
    ) -> None:
        """Give each `time_us`, by the clock `now_us`."""
        self._time_us = time_us
        self._now_us = now_us
        self._call_later = call_later
        self._expired = expired
        self._queue: deque[Waiting] = deque()
        self._timer: Timer | None = None

    def add(self, waiting: Waiting) -> None:
        """Let one wait."""
        self._queue.append(waiting)
        if self._timer is None:
            self._arm(waiting.asked_us + self._time_us - self._now_us())

    def drain(self) -> list[Waiting]:
        """Return all that is under way, and wait for none of it any longer."""
        left = [waiting for waiting in self._queue if waiting.under_way]
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return left

    def _arm(self, after_us: int) -> None:
        self._timer = self._call_later(max(after_us, 0) / US_IN_S, self._ring)

    def _ring(self) -> None:
        """Let go of what has ended, end what is due, and be here again for the next."""
        self._timer = None
        now_us = self._now_us()
        queue = self._queue
        while queue and (not queue[0].under_way or queue[0].asked_us + self._time_us < now_us + _TICK_US):
            waiting = queue.popleft()
            if waiting.under_way:
                self._expired(waiting, now_us)
        if queue and self._timer is None:
            self._arm(queue[0].asked_us + self._time_us - now_us)
