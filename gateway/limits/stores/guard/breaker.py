"""When to ask a store that fails, and when to leave it alone. Time is an argument; nothing here waits.

Some failures in a row open the breaker: until its time is over nobody asks. Then one call goes through, the probe. If
it fails, the breaker opens for twice as long, up to a limit; if it succeeds, all is as at first. What is heard of calls
that began before the last change tells nothing new, and is not counted: a hundred that fail together open it once.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

FAILURES: Final = 3
OPEN_US: Final = 1_000_000
LONGEST_US: Final = 5_000_000


class State(StrEnum):
    """What the breaker takes the store to be."""

    OK = "ok"
    OPEN = "open"
    """It failed, and is not asked."""
    PROBING = "probing"
    """One call is under way, to see whether it answers again."""


class Breaker:
    """Lets calls through or not, by how the ones before ended."""

    __slots__ = ("_failures", "_first_us", "_longest_us", "_most", "_next_us", "_turn", "_until_us", "state")

    def __init__(self, failures: int = FAILURES, open_us: int = OPEN_US, longest_us: int = LONGEST_US) -> None:
        """Open after `failures` in a row, for `open_us` at first and `longest_us` at most."""
        self.state = State.OK
        self._most = failures
        self._first_us = self._next_us = open_us
        self._longest_us = longest_us
        self._until_us = 0
        self._failures = 0
        self._turn = 1

    def enter(self, now_us: int) -> int:
        """Return a ticket for a call, with which its end is to be told; 0 when there must be none."""
        if self.state is State.OK:
            return self._turn
        if self.state is State.OPEN and now_us >= self._until_us:
            self._move(State.PROBING)
            return self._turn
        return 0

    def succeeded(self, ticket: int) -> bool:
        """Note that a call was answered; return whether that closed the breaker."""
        if ticket != self._turn:
            return False
        self._failures = 0
        if self.state is State.OK:
            return False
        self._next_us = self._first_us
        self._move(State.OK)
        return True

    def failed(self, ticket: int, now_us: int) -> bool:
        """Note that a call failed; return whether that opened the breaker, for the first time or again."""
        if ticket != self._turn:
            return False
        self._failures += 1
        if self.state is State.OK and self._failures < self._most:
            return False
        self._until_us = now_us + self._next_us
        self._next_us = min(2 * self._next_us, self._longest_us)
        self._move(State.OPEN)
        return True

    def _move(self, state: State) -> None:
        """Change; tickets from before are worth nothing then."""
        self.state = state
        self._turn += 1
