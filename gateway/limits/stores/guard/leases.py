"""Units taken from a remote store ahead of time and spent here, so that most requests ask nobody.

Invariants: no more is admitted than the store alone would have admitted. A unit that was taken and not spent loses its
worth as the key's allowance fills up again, for a full allowance and units beside it would be more than the policy's
burst: what is left of a lease never exceeds what has to fill up yet, which is also what a refund would give back. So a
lease ends by itself; it does so after `interval × units` (of a calendar window, with the window) at the latest. What
lapses was charged for nothing: leases admit less than the policy where requests are few, and are off by default.

Of GCRA and calendar policies. A sliding log counts each request from when it came, so units taken before would pass in
a window that they are not counted in. Time is an argument. Bounded: the oldest leases are dropped, which only wastes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.gcra import take
from gateway.limits.policy import Algorithm
from gateway.limits.recent import Recent
from gateway.limits.stores.guard.charges import LeasedCharge
from gateway.limits.values import Verdict

if TYPE_CHECKING:
    from gateway.limits.policy import Policy
    from gateway.limits.values import Charge

MOST: Final = 20_000
"""How many leases are held at least, before old ones are dropped."""

_Place = tuple[str, bytes]
Spent = tuple[Verdict, LeasedCharge]
"""What is spent of a lease: the verdict, and the charge."""


class _Lease:
    """Units that are left. `full_us` is when the key's allowance is full again at the earliest; at `end_us` it ends."""

    __slots__ = ("end_us", "full_us", "left", "number", "remaining")

    def __init__(self, number: int, left: int, full_us: int, end_us: int, remaining: int) -> None:
        self.number = number
        self.left = left
        self.full_us = full_us
        self.end_us = end_us
        self.remaining = remaining


class Leases:
    """Holds the leases of one process."""

    def __init__(self, most: int = MOST) -> None:
        """Start empty."""
        self._leases: Recent[_Place, _Lease] = Recent(most)
        self._under_way: set[_Place] = set()
        self._taken = 0

    def __len__(self) -> int:
        """Count the leases that are held, ended or not."""
        return len(self._leases)

    def spend(self, policy: Policy, key: bytes, cost: int, now_us: int) -> Spent | None:
        """Spend what a request costs; None when there is not as much."""
        lease = self._leases.get((policy.id, key))
        if lease is None or now_us >= lease.end_us:
            return None
        if policy.algorithm is _GCRA:
            lease.left = min(lease.left, (lease.full_us - now_us) // policy.interval_us)
        return None if lease.left < cost else _spent(lease, policy, key, cost, now_us)

    def wanted(self, policy: Policy, key: bytes, cost: int) -> int:
        """Return how many units to take for a request, which costs one of them, or `cost` when there is to be no lease.

        While one is being taken, others for the same key are not, for the later would displace the earlier.
        """
        units = min(policy.lease, policy.burst)
        if units <= cost or policy.shadow or policy.algorithm not in _LEASED or (policy.id, key) in self._under_way:
            return cost
        return units

    def begin(self, policy: Policy, key: bytes) -> None:
        """Note that a lease is being taken."""
        self._under_way.add((policy.id, key))

    def end(self, policy: Policy, key: bytes) -> None:
        """Note that the store has answered, whatever it said."""
        self._under_way.discard((policy.id, key))

    def put(self, charge: Charge, verdict: Verdict, cost: int, asked_us: int, now_us: int) -> Spent:
        """Hold what the store was asked for at `asked_us` and granted, and spend `cost` of it."""
        policy = charge.policy
        ahead_us = verdict.reset_us
        end_us = asked_us + verdict.reset_us
        if policy.algorithm is _GCRA:
            ahead_us = policy.tau_us - ((verdict.remaining + 1) * policy.interval_us - verdict.reset_us)
            end_us = asked_us + charge.cost * policy.interval_us
        self._taken += 1
        lease = _Lease(self._taken, charge.cost, asked_us + ahead_us, end_us, verdict.remaining)
        self._leases.put((policy.id, charge.key), lease)
        return _spent(lease, policy, charge.key, cost, now_us)

    def give_back(self, charge: LeasedCharge) -> None:
        """Take back what was spent in vain. If its lease was displaced, it lapses."""
        lease = self._leases.get((charge.policy.id, charge.key))
        if lease is not None and lease.number == charge.mark:
            lease.left += charge.cost


_GCRA: Final = Algorithm.GCRA
_LEASED: Final = frozenset({Algorithm.GCRA, Algorithm.CALENDAR})


def _spent(lease: _Lease, policy: Policy, key: bytes, cost: int, now_us: int) -> Spent:
    """Spend, and say what is left: what the store had then, what has come back since, and the rest of the lease."""
    if policy.algorithm is _GCRA:
        verdict = take(lease.full_us - lease.left * policy.interval_us, now_us, cost, policy)[1]
        lease.left -= cost
    else:
        lease.left -= cost
        verdict = Verdict(policy, True, lease.remaining + lease.left, 0, max(lease.end_us - now_us, 0))  # noqa: FBT003
    return verdict, LeasedCharge(policy, key, cost, lease.number)
