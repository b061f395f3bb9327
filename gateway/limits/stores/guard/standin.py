"""Decides while the store is away, by what each policy wants then (`on_store_error`).

One policy that refuses decides for the whole request, and nothing is charged. Else those that count here decide
together, each by its share (`limits.shares`), and those that let pass say nothing: they do not know. Nothing that is
counted here is ever told to the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gateway.limits.policy import OnStoreError
from gateway.limits.shares import share
from gateway.limits.stores.guard.charges import ShareCharge
from gateway.limits.stores.guard.tally import Where
from gateway.limits.values import Charge, Decision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits.policy import Policy
    from gateway.limits.stores.memory import MemoryStore
    from gateway.limits.values import Ask, Verdict

UNAVAILABLE: Final = Decision(admitted=False, verdicts=(), tightest=None, unavailable=True)
UNCOUNTED: Final = Decision(admitted=True, verdicts=(), tightest=None)


class StandIn:
    """Counts shares of policies in memory. `replicas` is by how many they are divided."""

    def __init__(self, local: MemoryStore, replicas: int = 1) -> None:
        """Count in `local`."""
        self._local = local
        self._replicas = replicas
        self._shares: dict[str, tuple[Policy, Policy]] = {}
        self._wholes: dict[str, Policy] = {}

    @property
    def replicas(self) -> int:
        """By how many policies are divided."""
        return self._replicas

    @replicas.setter
    def replicas(self, replicas: int) -> None:
        if replicas != self._replicas:
            self._replicas = replicas
            self._shares.clear()

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> tuple[Decision, Where]:
        """Decide, and say by which of the three ways."""
        if any(policy.on_store_error is _REFUSE and not policy.shadow for policy, _, _ in asks):
            return UNAVAILABLE, Where.REFUSED
        shares = self._divided(asks)
        if not shares:
            return UNCOUNTED, Where.ALLOWED
        return self._whole(self._local.decide(shares, now_us, unix_us)), Where.LOCAL

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:
        """Return what would be decided, without charging."""
        if any(policy.on_store_error is _REFUSE and not policy.shadow for policy, _, _ in asks):
            return UNAVAILABLE
        return self._whole(self._local.peek(self._divided(asks), now_us, unix_us))

    def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:
        """Give back what of `charges` was made here, and return what those policies say then."""
        return self._verdicts(self._local.refund(_of_shares(charges), now_us, unix_us))

    def release(self, charges: Sequence[Charge], now_us: int) -> None:
        """Give back those places that are held here."""
        self._local.release(_of_shares(charges), now_us)

    def _divided(self, asks: Sequence[Ask]) -> list[Ask]:
        """Return what is asked of policies that count here, in their shares."""
        return [(self._share(policy), key, cost) for policy, key, cost in asks if policy.on_store_error is _LOCAL]

    def _share(self, policy: Policy) -> Policy:
        found = self._shares.get(policy.id)
        if found is None or found[0] is not policy:  # one that was configured anew may have kept its id
            found = self._shares[policy.id] = policy, share(policy, self._replicas)
            self._wholes[found[1].id] = policy
        return found[1]

    def _whole(self, decision: Decision) -> Decision:
        """Return a decision in the names of the policies: the numbers are the shares'."""
        verdicts = self._verdicts(decision.verdicts)
        tightest = decision.tightest
        if tightest is not None:
            tightest = verdicts[decision.verdicts.index(tightest)]
        charges = [
            ShareCharge(self._wholes[one.policy.id], one.key, one.cost, one.mark, share=one.policy)
            for one in decision.charges
        ]
        shadowed = self._verdicts(decision.shadowed)
        return Decision(decision.admitted, verdicts, tightest, tuple(charges), shadowed)

    def _verdicts(self, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
        return tuple([replace(verdict, policy=self._wholes[verdict.policy.id]) for verdict in verdicts])


def _of_shares(charges: Sequence[Charge]) -> list[Charge]:
    """Return those of charges that were made here, as they were made."""
    return [Charge(one.share, one.key, one.cost, one.mark) for one in charges if isinstance(one, ShareCharge)]


_REFUSE: Final = OnStoreError.REFUSE
_LOCAL: Final = OnStoreError.LOCAL
