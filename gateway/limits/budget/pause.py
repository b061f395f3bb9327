"""A pause that an upstream imposed: until when nothing is sent, and how it ends.

Invariants: a shorter pause never shortens a longer one; none is longer than 15 minutes. When it is over one request
tries, and the others wait for its reply; where it is refused again the pause is at least doubled.
"""

from __future__ import annotations

from typing import Final

from gateway.limits.budget.values import LONGEST_US
from gateway.units import US_IN_S

SHORTEST_US: Final = US_IN_S
"""How long to pause where nobody said how long."""
_PROBE_US: Final = 60 * US_IN_S
"""After this time a request that tries is taken for lost, and another one may."""
_WAIT_US: Final = US_IN_S // 4
"""When to ask again while one tries."""
_JITTER_PARTS: Final = 20


class Pause:
    """A pause, or none. `jitter` is a number from 0 to 1 that the caller draws: it adds at most a twentieth."""

    __slots__ = ("_length_us", "_probe_us", "_until_us")

    def __init__(self) -> None:
        self._until_us = 0
        self._length_us = 0
        self._probe_us = -1

    @property
    def until_us(self) -> int:
        """When the pause is over; 0 when there is none."""
        return self._until_us

    def wait_us(self, now_us: int) -> int:
        """Return how long to wait; 0 when a request may go, be it as the one that tries."""
        if self._until_us > now_us:
            return self._until_us - now_us
        if self._length_us and self._probe_us >= 0 and now_us < self._probe_us + _PROBE_US:
            return _WAIT_US
        return 0

    def sent(self, now_us: int) -> bool:
        """Note that a request leaves; return whether it is the one that tries."""
        if not self._length_us or now_us < self._until_us:
            return False
        self._probe_us = now_us
        return True

    def refused(self, after_us: int | None, now_us: int, jitter: float, *, probe: bool) -> None:
        """Pause: a request was refused, `probe` when it was the one that tried."""
        length_us = SHORTEST_US if after_us is None else min(after_us, LONGEST_US)
        if probe:
            length_us = min(LONGEST_US, max(length_us, 2 * self._length_us))
            self._probe_us = -1
        self._length_us = max(length_us, self._length_us)
        until_us = now_us + length_us + int(length_us // _JITTER_PARTS * jitter)
        self._until_us = max(self._until_us, until_us)

    def lengthen(self, until_us: int, now_us: int) -> None:
        """Take another replica's pause."""
        if until_us > self._until_us:
            self._until_us = min(until_us, now_us + LONGEST_US)
            self._length_us = max(self._length_us, self._until_us - now_us)

    def over(self, *, answered: bool) -> None:
        """Note that the one that tries got through, or (not `answered`) that it never came to be told."""
        self._probe_us = -1
        if answered:
            self._length_us = self._until_us = 0
