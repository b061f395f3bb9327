"""Fairness between clients of one budget, where requests are refused rather than kept waiting.

A client that already had more than one that was turned away just now is turned away too, until the other was served.
Nothing is wasted by it: that counts only while less than half of what may go at once is there, and so whatever the
others do not take comes back to whoever asks.
Bounded: so many clients are told apart; those beyond are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.limits.values import Verdict

MOST_CLIENTS: Final = 1_024
MOST_HUNGRY: Final = 128
"""For so many clients that were turned away others make room at a time."""
_OTHERS: Final = b""
_SLOWEST: Final = 2


class Fair:
    """Who had how much of a budget lately: in this period of `period_us` and the one before."""

    __slots__ = ("_hold_us", "_hungry", "_old", "_period_us", "_turn_us", "_young", "plenty_us")

    def __init__(self, period_us: int, now_us: int) -> None:
        """Begin with nobody. A client is waited for a quarter of the period after it was turned away."""
        self._period_us = max(4, period_us)
        self._hold_us = self._period_us // 4
        self._turn_us = now_us + self._period_us
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}
        self._hungry: dict[bytes, int] = {}
        self.plenty_us = now_us

    def noted(self, verdict: Verdict, now_us: int, replicas: int = 1) -> None:
        """Take what the budget's policy said last, by which is known when there will be plenty: half of the burst.

        Where replicas spend the same budget it comes back more slowly to each.
        """
        policy = verdict.policy
        missing = policy.burst // 2 + 1 - verdict.remaining
        each_us = policy.per_us // policy.requests
        wait_us = (missing - 1) * each_us + min(each_us, verdict.reset_us) if missing > 0 else 0
        self.plenty_us = now_us + wait_us * min(replicas, _SLOWEST)

    def scarce(self, until_us: int) -> None:
        """Note that there is not enough for all before that moment."""
        self.plenty_us = max(self.plenty_us, until_us)

    def yields(self, client: bytes, now_us: int) -> bool:
        """Tell whether a client has to let another one go first; it is turned away then."""
        if now_us >= self.plenty_us:
            return False
        self._turn(now_us)
        hungry = self._hungry
        while hungry and hungry[first := next(iter(hungry))] <= now_us:
            del hungry[first]
        client = self._named(client)
        had = self._had(client)
        return any(had > self._had(name) for name in hungry if name != client)

    def turned_away(self, client: bytes, now_us: int) -> None:
        """Note that the budget had nothing for a client."""
        client = self._named(client)
        self._hungry.pop(client, None)  # the one that waits longest stands first
        if len(self._hungry) < MOST_HUNGRY:
            self._hungry[client] = now_us + self._hold_us

    def served(self, client: bytes, now_us: int) -> None:
        """Note that a client had a request of the budget."""
        self._turn(now_us)
        client = self._named(client)
        self._young[client] = self._young.get(client, 0) + 1

    def _had(self, client: bytes) -> int:
        return self._young.get(client, 0) + self._old.get(client, 0)

    def _named(self, client: bytes) -> bytes:
        known = client in self._young or client in self._hungry
        return client if known or max(len(self._young), len(self._hungry)) < MOST_CLIENTS else _OTHERS

    def _turn(self, now_us: int) -> None:
        if now_us >= self._turn_us:
            self._old = self._young if now_us < self._turn_us + self._period_us else {}
            self._young = {}
            self._turn_us = now_us + self._period_us
