"""Two stores as one: policies with `local` are counted in this process by itself, all others in the store proper.

The local ones decide first, since they are cheap: whom they refuse costs the store nothing. What they charged is given
back when the others refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.limits.joint import tightness
from gateway.limits.stores.followed import followed
from gateway.limits.values import Decision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits.stores.port import Deciding, Store
    from gateway.limits.values import Ask, Charge, Verdict


class SplitStore:
    """A store before which another one decides on `local` policies; that one must decide at once."""

    def __init__(self, here: Store, there: Store) -> None:
        """Keep both."""
        self._here = here
        self._there = there

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision | Deciding:
        """Charge every policy of one request, or none of them when one refuses."""
        local = [ask for ask in asks if ask[0].local]
        if not local:
            return self._there.decide(asks, now_us, unix_us)
        first = self._here.decide(local, now_us, unix_us)
        assert isinstance(first, Decision)  # noqa: S101 - the local store is in memory
        rest = [ask for ask in asks if not ask[0].local]
        if not first.admitted or not rest:
            return first
        second = self._there.decide(rest, now_us, unix_us)
        if isinstance(second, Decision):
            return self._together(local, first, second, now_us, unix_us)
        return self._later(local, first, second, now_us, unix_us)

    def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:
        """Give back what a request was charged, and return what its policies say then."""
        local = [charge for charge in charges if charge.policy.local]
        rest = [charge for charge in charges if not charge.policy.local]
        said = self._here.refund(local, now_us, unix_us) if local else ()
        return said + (self._there.refund(rest, now_us, unix_us) if rest else ())

    def release(self, charges: Sequence[Charge], now_us: int) -> None:
        """Note that a request ended which held places."""
        self._here.release([charge for charge in charges if charge.policy.local], now_us)
        self._there.release([charge for charge in charges if not charge.policy.local], now_us)

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision | Deciding:
        """Return what the policies would say to a request, without charging any."""
        first = self._here.peek([ask for ask in asks if ask[0].local], now_us, unix_us)
        second = self._there.peek([ask for ask in asks if not ask[0].local], now_us, unix_us)
        assert isinstance(first, Decision)  # noqa: S101 - the local store is in memory
        return _joined(first, second) if isinstance(second, Decision) else _joined_later(first, second)

    def _later(self, local: Sequence[Ask], first: Decision, second: Deciding, now_us: int, unix_us: int) -> Deciding:
        """Wait for the store; who leaves meanwhile gets the charges back."""

        def left(decided: Decision | None) -> None:
            self._here.refund(first.charges, now_us, unix_us)
            if decided is not None:
                self._there.refund(decided.charges, now_us, unix_us)

        return followed(second, lambda found: self._together(local, first, found, now_us, unix_us), left)

    def _together(self, local: Sequence[Ask], first: Decision, second: Decision, now_us: int, unix_us: int) -> Decision:
        """Put what both say into one decision, when the first admits."""
        if second.admitted:
            return _joined(first, second)
        self._here.refund(first.charges, now_us, unix_us)
        uncharged = self._here.peek([(policy, key, 0) for policy, key, _ in local], now_us, unix_us)
        assert isinstance(uncharged, Decision)  # noqa: S101 - the local store is in memory
        return _joined(uncharged, second)


async def _joined_later(first: Decision, second: Deciding) -> Decision:
    return _joined(first, await second)


def _joined(first: Decision, second: Decision) -> Decision:
    verdicts = first.verdicts + second.verdicts
    return Decision(
        admitted=first.admitted and second.admitted,
        verdicts=verdicts,
        tightest=min(verdicts, key=tightness, default=None),
        charges=first.charges + second.charges,
        shadowed=first.shadowed + second.shadowed,
        unavailable=second.unavailable,
    )
