"""How a request meets leases: what it spends of them, what it asks for beside, and what it is told.

A request that asks for a lease is asked of the store as if it cost as much as the lease has units: `sent` instead of
`asks`, in the same order. What the store says to that is told the client as if it had been asked for what it costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.limits.joint import decision
from gateway.limits.stores.guard.charges import LeasedCharge
from gateway.limits.stores.guard.leases import Leases

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gateway.limits.policy import Policy
    from gateway.limits.stores.guard.leases import Spent
    from gateway.limits.values import Ask, Charge, Decision


class Leasing:
    """The leases of one process, by request."""

    def __init__(self) -> None:
        """Start without any."""
        self._leases = Leases()

    def spend(self, asks: Iterable[Ask], now_us: int) -> tuple[list[Spent], list[Ask]]:
        """Spend what leases have for a request, and return that and what is left to ask for."""
        held: list[Spent] = []
        rest: list[Ask] = []
        for ask in asks:
            policy, key, cost = ask
            spent = self._leases.spend(policy, key, cost, now_us) if policy.lease and cost else None
            if spent is None:
                rest.append(ask)
            else:
                held.append(spent)
        return held, rest

    def give_back(self, charges: Iterable[Charge]) -> None:
        """Take back what was spent in vain; other charges than of leases are none of this."""
        for charge in charges:
            if isinstance(charge, LeasedCharge):
                self._leases.give_back(charge)

    def widen(self, asks: list[Ask]) -> list[Ask]:
        """Return what to ask the store for: leases where there are to be some."""
        sent: list[Ask] = []
        for policy, key, cost in asks:
            units = self._leases.wanted(policy, key, cost) if policy.lease and cost else cost
            if units != cost:
                self._leases.begin(policy, key)
            sent.append((policy, key, units))
        return sent

    def ended(self, asks: Sequence[Ask], sent: Sequence[Ask]) -> None:
        """Note that a call has ended, in whatever way."""
        for policy, key, _, _ in _widened(asks, sent):
            self._leases.end(policy, key)

    def granted(
        self, asks: Sequence[Ask], sent: Sequence[Ask], granted: Decision, sent_us: int, now_us: int
    ) -> tuple[Decision, list[Spent]]:
        """Keep the leases that the store granted; return its decision without them, and what the request spends."""
        verdicts, charges = list(granted.verdicts), list(granted.charges)
        spent: list[Spent] = []
        for policy, _, cost, _ in _widened(asks, sent):
            place = next(place for place, verdict in enumerate(verdicts) if verdict.policy.id == policy.id)
            paid = next(paid for paid, charge in enumerate(charges) if charge.policy.id == policy.id)
            spent.append(self._leases.put(charges.pop(paid), verdicts.pop(place), cost, sent_us, now_us))
        if not spent:
            return granted, spent
        return decision([*verdicts, *granted.shadowed], tuple(charges), admitted=True), spent


def joined(asks: Sequence[Ask], decided: Decision, spent: Sequence[Spent]) -> Decision:
    """Return a decision that admits together with what was spent of leases, in the order of the request's policies."""
    if not spent:
        return decided
    order = {policy.id: place for place, (policy, _, _) in enumerate(asks)}
    verdicts = [*decided.verdicts, *decided.shadowed, *[verdict for verdict, _ in spent]]
    verdicts.sort(key=lambda verdict: order[verdict.policy.id])
    charges = [*decided.charges, *[charge for _, charge in spent]]
    charges.sort(key=lambda charge: order[charge.policy.id])
    return decision(verdicts, tuple(charges), admitted=True)


def _widened(asks: Sequence[Ask], sent: Sequence[Ask]) -> Iterator[tuple[Policy, bytes, int, int]]:
    """Yield what was asked for more than it costs: policy, key, cost, units."""
    for (policy, key, cost), (_, _, units) in zip(asks, sent, strict=True):
        if units != cost:
            yield policy, key, cost, units
