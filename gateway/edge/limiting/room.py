"""A room in which requests wait for one policy under one key, and what each of them brings along.

Invariants: `waiting` alone changes what is here, but for the timer, which the room sets; a room has one timer at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.limits.patience import Due
from gateway.limits.queue import FairQueue
from gateway.limits.values import Charge, Decision

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from gateway.limits.policy import Policy
    from gateway.limits.queue import Client, Place
    from gateway.limits.values import Ask

AskAgain = Callable[[], Decision | Awaitable[Decision]]
"""Asks all policies of one request, now or later; what is awaited gives back what it cost when it is cancelled."""
GiveBack = Callable[[tuple[Charge, ...]], object]
"""Refunds charges."""
_US_IN_MS: Final = 1_000
_MS_IN_S: Final = 1_000
NEVER_US: Final = 1 << 62
"""Later than all that is counted."""


class Waits:
    """What waited for one policy, for operators: requests that wait `now`, and how many ever `began` to.

    Of these so many were `served`, `gave_up` (they were refused after all), `left` (their clients went) or `moved` to
    wait for another policy; `waited_us` is how long they waited together, those that wait now aside. `turned_away` were
    refused at once, since there was no room or no hope.
    """

    __slots__ = ("began", "gave_up", "left", "moved", "now", "policy", "served", "turned_away", "waited_us")

    def __init__(self, policy: Policy) -> None:
        """Begin at 0."""
        self.policy = policy
        self.now = 0
        self.began = 0
        self.served = 0
        self.gave_up = 0
        self.left = 0
        self.moved = 0
        self.turned_away = 0
        self.waited_us = 0


class Waiting:
    """A request that waits from when it is awaited, once, and leaves when that is cancelled. Gives the decision."""

    __slots__ = (
        "ask",
        "asks",
        "began_us",
        "client",
        "decided_us",
        "decision",
        "entered_us",
        "future",
        "give_back",
        "place",
        "room",
        "until_us",
        "wait",
    )

    def __init__(
        self,
        wait: Callable[[Waiting], Awaitable[Decision]],
        ask: AskAgain,
        client: Client,
        asks: Sequence[Ask],
        decision: Decision | None,
        *,
        give_back: GiveBack,
        now_us: int,
    ) -> None:
        """Begin. `decision` is what it was told last, and `decided_us` when; `room` where it waits now."""
        self.wait = wait
        self.ask = ask
        self.client = client
        self.asks = asks
        self.decision = decision
        self.began_us = self.decided_us = self.entered_us = now_us
        self.until_us = NEVER_US
        self.give_back = give_back
        self.room: Room | None = None
        self.place: Place[Waiting] | None = None
        self.future: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()

    def __await__(self) -> Generator[Any, None, Decision]:
        """Wait for the decision."""
        return self.wait(self).__await__()


class Room:
    """Those who wait for one policy under one key. `asking` is under way for the one at `asked`."""

    __slots__ = ("asked", "asking", "due", "id", "policy", "queue", "timer", "timer_us")

    def __init__(self, policy: Policy, key: bytes, now_us: int) -> None:
        """Begin empty."""
        self.id = (policy.id, key)
        self.policy = policy
        self.queue: FairQueue[Waiting] = FairQueue(policy)
        self.due = Due(policy, now_us)
        self.asked: Place[Waiting] | None = None
        self.asking: asyncio.Future[Decision] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.timer_us = 0

    def set_timer(self, when_us: int, now_us: int, bell: Callable[[Room], object]) -> None:
        """Let the timer ring at a moment, and no more at another."""
        if self.timer is not None and self.timer_us == when_us:
            return
        self.stop_timer()
        # In whole milliseconds, as loops count: a timer that rings too early would have to be set again and again.
        delay_ms = max(0, -((now_us - when_us) // _US_IN_MS))
        self.timer_us = when_us
        self.timer = asyncio.get_running_loop().call_later(delay_ms / _MS_IN_S, bell, self)

    def stop_timer(self) -> None:
        """Let the timer ring no more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Door(NamedTuple):
    """A room that a request may enter, perhaps a new one; it wants `units` there and has to wait at least so long."""

    room: Room
    units: int
    retry_after_us: int
