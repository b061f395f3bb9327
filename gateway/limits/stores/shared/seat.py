"""What one request has to do with one policy's counts, between the lock and its release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.limits.stores.shared.counts import OVERFLOW

if TYPE_CHECKING:
    from gateway.limits.policy import Policy
    from gateway.limits.stores.shared.counts import Counts
    from gateway.limits.stores.shared.memory import Memory
    from gateway.limits.values import Charge, Words


class Seat:
    """A key under a policy, and where its state stands. But for making it, all needs the lock of `bucket`."""

    __slots__ = ("_counts", "_place", "_spot", "at_us", "cost", "key", "policy")

    def __init__(self, counts: Counts, policy: Policy, key: bytes, cost: int) -> None:
        """Compute where the key belongs."""
        self.policy = policy
        self.key = key
        self.cost = cost
        self.at_us = 0
        self._counts = counts
        self._spot = counts.spot(key)
        self._place = 0

    @property
    def bucket(self) -> int:
        """What to lock: the word where the key's bucket begins, or the cell of the overflow key."""
        return self._spot[0]

    @property
    def memory(self) -> Memory:
        """The table that the key is counted in."""
        return self._counts.memory

    @property
    def wall(self) -> bool:
        """Whether the policy goes by Unix time."""
        return self._counts.wall

    def latest_us(self) -> int:
        """Return the time behind which the policy's clock must not go."""
        return self._counts.time_us(self._spot)

    def find(self, at_us: int, taken: list[int]) -> bool:
        """Find the state, or a free place for it that is not `taken`; False when there is none and no room."""
        self.at_us = at_us
        self._place = self._counts.find(self._spot, at_us, taken)
        return self._place != 0

    def move(self) -> None:
        """Take the overflow key instead; its cell is to be locked."""
        self.key = OVERFLOW
        self._spot = self._counts.spot(OVERFLOW)
        self._place = self._spot[0]

    def words(self) -> Words:
        """Return what is known of the key."""
        return self._counts.read(self._place)

    def charge(self, words: Words) -> None:
        """Write the words after a charge."""
        self._counts.charge(self._spot, self._place, words, self.cost, self.at_us)

    def refund(self, words: Words, charge: Charge) -> None:
        """Write the words after a charge was given back, if anything is known of the key still."""
        if self._place > 0:
            self._counts.cell.refund(self._place, words, charge)
