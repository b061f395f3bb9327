"""A store behind which upstreams' learned budgets stand: it asks them last, when all that is counted has admitted.

What the others charged is given back when an upstream's budget refuses. An upstream's budget is counted in this
process, by what its replies say; it never refuses for the lack of a store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.joint import tightness
from gateway.limits.stores.followed import followed
from gateway.limits.values import Charge, Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.limits.budget.held import Held
    from gateway.limits.stores.port import Deciding, Store
    from gateway.limits.values import Ask, Verdict

_NOTHING: Final = Decision(True, (), None)  # noqa: FBT003 - as elsewhere


class BudgetedStore:
    """A store for all policies but those that stand for what is learned of upstreams."""

    def __init__(self, store: Store, budgets: Iterable[Held]) -> None:
        """Keep the store, and who stands behind which policy."""
        self._store = store
        self._held = {policy.id: one for one in budgets for policy in one.policies}

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision | Deciding:
        """Charge every policy of one request, or none of them when one refuses."""
        learned = [ask for ask in asks if ask[0].learned]
        if not learned:
            return self._store.decide(asks, now_us, unix_us)
        held = self._held[learned[0][0].id]
        share = next((ask for ask in learned if ask[0] is held.sharing), None)
        if share is not None and (refused := held.before(share, now_us)) is not None:
            return Decision(False, (refused,), refused)  # noqa: FBT003
        rest = [ask for ask in asks if not ask[0].learned]
        found = self._store.decide(rest, now_us, unix_us) if rest else _NOTHING
        if isinstance(found, Decision):
            return self._then(learned, found, now_us, unix_us)
        return self._later(learned, found, now_us, unix_us)

    def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:
        """Give back what a request was charged, and return what its policies say then."""
        for charge in charges:
            if charge.policy.learned:
                self._held[charge.policy.id].unsent(charge)
        rest = [charge for charge in charges if not charge.policy.learned]
        return self._store.refund(rest, now_us, unix_us) if rest else ()

    def release(self, charges: Sequence[Charge], now_us: int) -> None:
        """Note that a request ended."""
        for charge in charges:
            if charge.policy.learned:
                self._held[charge.policy.id].over(charge, now_us)
        rest = [charge for charge in charges if not charge.policy.learned]
        if rest:
            self._store.release(rest, now_us)

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision | Deciding:
        """Return what the policies would say to a request, without charging any; what is learned is left out."""
        return self._store.peek([ask for ask in asks if not ask[0].learned], now_us, unix_us)

    def _later(self, learned: Sequence[Ask], deciding: Deciding, now_us: int, unix_us: int) -> Deciding:
        """Wait for the store; who leaves meanwhile gets back what it charged."""

        def left(decided: Decision | None) -> None:
            if decided is not None:
                self._store.refund(decided.charges, now_us, unix_us)

        return followed(deciding, lambda found: self._then(learned, found, now_us, unix_us), left)

    def _then(self, learned: Sequence[Ask], found: Decision, now_us: int, unix_us: int) -> Decision:
        """Ask the upstream's budget, when the others admit."""
        held = self._held[learned[0][0].id]
        decision = found
        for ask in learned:
            if found.admitted and ask[0] is not held.sharing:
                decision = self._with(held.take(ask, now_us), decision, now_us, unix_us)
        for ask in learned:
            if ask[0] is held.sharing:
                held.after(ask, decision, now_us)
        return decision

    def _with(self, taken: Charge | Verdict, found: Decision, now_us: int, unix_us: int) -> Decision:
        """Return a decision with what the upstream's budget said."""
        if isinstance(taken, Charge):
            return Decision(True, found.verdicts, found.tightest, (*found.charges, taken), found.shadowed)  # noqa: FBT003
        verdicts = (*(self._store.refund(found.charges, now_us, unix_us) if found.charges else ()), taken)
        return Decision(False, verdicts, min(verdicts, key=tightness))  # noqa: FBT003
