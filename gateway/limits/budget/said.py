"""What a declared budget has left by now, worked out from what its policy said last.

Nothing is asked of a store for it: whoever watches must not cost a round trip. So it is a little old, and where others
spend the same budget it is what it was when this process was told last, grown as if nobody had spent any since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.limits.policy import Algorithm

if TYPE_CHECKING:
    from gateway.limits.values import Verdict


class Said:
    """The verdict of one budget's policy, at `at_us`. Times are in microseconds on one clock."""

    __slots__ = ("at_us", "verdict")

    def __init__(self, verdict: Verdict, at_us: int) -> None:
        """Keep it."""
        self.verdict = verdict
        self.at_us = at_us

    @property
    def limit(self) -> int:
        """How much may leave at once when nothing was spent."""
        return self.verdict.policy.burst

    def left(self, now_us: int) -> int:
        """Return how much may leave at once."""
        if not self.full_us(now_us):
            return self.limit
        waited_us = now_us - self.at_us - self.verdict.reset_us
        if waited_us < 0:
            return self.verdict.remaining
        return min(self.limit, self.verdict.remaining + 1 + waited_us // self._each_us)

    def full_us(self, now_us: int) -> int:
        """Return how long it takes until all of it may leave at once again; a sliding log may be full before."""
        policy, missing = self.verdict.policy, self.limit - self.verdict.remaining
        if not missing:
            return 0
        if policy.algorithm is Algorithm.SLIDING_LOG:
            return max(0, self.at_us + policy.per_us - now_us)
        return max(0, self.at_us + self.verdict.reset_us + (missing - 1) * self._each_us - now_us)

    @property
    def _each_us(self) -> int:
        """How long it takes for one to come back; of a log nobody knows but for the next one."""
        policy = self.verdict.policy
        return policy.per_us if policy.algorithm is Algorithm.SLIDING_LOG else policy.interval_us
