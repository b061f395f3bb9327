"""Refusals of a remote store, remembered until they end: a client that keeps asking costs the store nothing.

Exact: nothing is refused here that the store would have admitted. A refusal holds until its `retry_after` ends, counted
from when the store was asked, for whatever others are charged meanwhile can only put that off. What brings it forward
is a refund: one that this process makes clears what is remembered. (One that another makes is learned of when the
refusal ends; so is a store that lost its counts.) Time is an argument. Bounded: the oldest are dropped, which is always
safe.

Of GCRA a refusal tells the key's theoretical arrival time, and with that the answer to a request of any cost. A window
of the calendar refuses the same cost and dearer ones until it ends, a sliding log the same cost. Concurrency is not
remembered: when a place falls free is a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.gcra import take
from gateway.limits.policy import Algorithm
from gateway.limits.recent import Recent
from gateway.limits.values import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.limits.policy import Policy
    from gateway.limits.values import Ask, Charge, Decision

MOST: Final = 20_000
"""How many refusals are remembered at least, before old ones are dropped; at most twice as many, of some 400 bytes."""
GRACE_US: Final = 50_000
"""How long a refund may be on its way to the store: who asked before it was there may have been answered without it."""

_Place = tuple[str, bytes, int]
"""A policy's id, a key, and the cost where each cost has a refusal of its own, else 0."""


class _Denial:
    """A refusal. `bound_us` is the TAT of GCRA, else when it ends, at the earliest; `lag_us` how much later at most."""

    __slots__ = ("bound_us", "cost", "lag_us", "remaining", "reset_us")

    def __init__(self, bound_us: int, lag_us: int, cost: int, verdict: Verdict) -> None:
        self.bound_us = bound_us
        self.lag_us = lag_us
        self.cost = cost
        self.remaining = verdict.remaining
        self.reset_us = bound_us - verdict.retry_after_us + verdict.reset_us


class Denied:
    """Remembers the refusals of a store."""

    def __init__(self, most: int = MOST, grace_us: int = GRACE_US) -> None:
        """Start empty."""
        self._grace_us = grace_us
        self._denials: Recent[_Place, _Denial] = Recent(most)
        self._refunded: Recent[_Place, int] = Recent(most)

    def __len__(self) -> int:
        """Count the refusals that are held, ended or not."""
        return len(self._denials)

    def look(self, policy: Policy, key: bytes, cost: int, now_us: int) -> Verdict | None:
        """Return the verdict of a policy that is known to refuse; None when the store has to be asked."""
        denial = self._denials.get(_place(policy, key, cost))
        return None if denial is None else _READERS[policy.algorithm](denial, policy, cost, now_us)

    def note(self, asks: Sequence[Ask], decision: Decision, asked_us: int, now_us: int) -> None:
        """Remember what the store refused when it was asked at `asked_us`, and had answered by `now_us`.

        What it charged makes the waits that are remembered of dearer requests too short: those are forgotten.
        """
        if decision.admitted:
            if self._denials:
                self._drop(decision.charges)
            return
        enforced = [ask for ask in asks if not ask[0].shadow]
        for (policy, key, cost), verdict in zip(enforced, decision.verdicts, strict=False):
            if not verdict.admitted and policy.algorithm in _READERS:
                place = _place(policy, key, cost)
                if asked_us >= (self._refunded.get(place) or 0):
                    bound_us = asked_us + verdict.retry_after_us
                    if policy.algorithm is _GCRA:
                        bound_us += policy.tau_us - cost * policy.interval_us
                    self._denials.put(place, _Denial(bound_us, now_us - asked_us, cost, verdict))

    def forget(self, charges: Sequence[Charge], now_us: int) -> None:
        """Forget all refusals that a refund of `charges` may bring to an earlier end."""
        for place in self._drop(charges):
            self._refunded.put(place, now_us + self._grace_us)

    def _drop(self, charges: Sequence[Charge]) -> list[_Place]:
        """Forget what is known of the keys that were charged; return where that was, or would have been."""
        places = [
            _place(charge.policy, charge.key, cost)
            for charge in charges
            for cost in (charge.policy.cost, *[cost for _, cost in charge.policy.costs])
        ]
        for place in places:
            self._denials.drop(place)
        return places


_GCRA: Final = Algorithm.GCRA
_LOG: Final = Algorithm.SLIDING_LOG


def _place(policy: Policy, key: bytes, cost: int) -> _Place:
    return policy.id, key, cost if policy.algorithm is _LOG else 0


def _by_tat(denial: _Denial, policy: Policy, cost: int, now_us: int) -> Verdict | None:
    """Ask GCRA: whether to refuse by the earliest TAT that it can be, and how long to wait by the latest."""
    if take(denial.bound_us, now_us, cost, policy)[1].admitted:
        return None
    return take(denial.bound_us + denial.lag_us, now_us, cost, policy)[1]


def _by_end(denial: _Denial, policy: Policy, cost: int, now_us: int) -> Verdict | None:
    """Refuse until the end. When there is more is known as it was; after that, by the end at the latest."""
    if cost < denial.cost or now_us >= denial.bound_us:
        return None
    wait_us = denial.bound_us + denial.lag_us - now_us
    more_us = denial.reset_us + denial.lag_us - now_us
    return Verdict(policy, False, denial.remaining, wait_us, more_us if more_us > 0 else wait_us)  # noqa: FBT003


_READERS: Final[Mapping[Algorithm, Callable[[_Denial, Policy, int, int], Verdict | None]]] = {
    Algorithm.GCRA: _by_tat,
    Algorithm.SLIDING_LOG: _by_end,
    Algorithm.CALENDAR: _by_end,
}
