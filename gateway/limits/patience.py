"""What a refused request waits for, when it is to ask again, and what it is told if that is in vain.

Invariants: a request waits for one policy at a time, the one that refuses it longest, and only if every policy that
refuses it lets it wait. It never asks before it could be admitted. Time is an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from gateway.limits.policy import Algorithm, Policy
from gateway.limits.values import Decision, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.limits.values import Ask, Charge

LOOK_AGAIN_US: Final = 50_000
"""How often to look for what nobody can foretell: that a request ends, somewhere else."""


class Obstacle(NamedTuple):
    """What a request waits for: `units` of a policy under a key, for no longer than `patience_us` in all."""

    policy: Policy
    key: bytes
    units: int
    patience_us: int


def obstacle(asks: Iterable[Ask], decision: Decision) -> Obstacle | None:
    """Return what a refused request has to wait for, None if it may not wait. `asks` are all that it asked for."""
    refusals = [verdict for verdict in decision.verdicts if not verdict.admitted]
    if decision.unavailable or not refusals:
        return None
    longest = max(refusals, key=_retry_after_us)
    patience_us = min([verdict.policy.max_wait_us for verdict in refusals])
    if not patience_us:
        return None
    for policy, key, units in asks:
        if _same(policy, longest.policy):
            return Obstacle(policy, key, units, patience_us)
    return None


def in_line(asks: Iterable[Ask]) -> list[Obstacle]:
    """Return what a request might have to wait for that has not asked yet."""
    return [
        Obstacle(policy, key, units, policy.max_wait_us)
        for policy, key, units in asks
        if policy.max_wait_us and units and not policy.shadow
    ]


def verdict_of(decision: Decision, policy: Policy) -> Verdict | None:
    """Return what a policy said to a request; a store may have put a smaller one of the same name in its place."""
    for verdict in decision.verdicts:
        if _same(verdict.policy, policy):
            return verdict
    return None


def refusal(decision: Decision | None, policy: Policy, wait_us: int) -> Decision:
    """Return the refusal of a request that waited in vain, or need not wait: `policy` would take `wait_us` from now.

    `decision` is what it was told last, None if it never asked.
    """
    said = None if decision is None else verdict_of(decision, policy)
    if decision is None or said is None:
        verdict = Verdict(policy, False, 0, wait_us, wait_us)  # noqa: FBT003 - as everywhere
        return Decision(admitted=False, verdicts=(verdict,), tightest=verdict)
    if policy.algorithm is Algorithm.CONCURRENCY:
        wait_us = max(wait_us, said.retry_after_us)
    verdict = replace(said, admitted=False, retry_after_us=wait_us, reset_us=min(said.reset_us, wait_us))
    verdicts = tuple([verdict if one is said else one for one in decision.verdicts])
    return replace(decision, admitted=False, verdicts=verdicts, tightest=verdict, charges=())


class Due:
    """When a policy admits the next request of a key, as far as is known: at `at_us` one that wants `units`."""

    __slots__ = ("_at_us", "_policy", "_units")

    def __init__(self, policy: Policy, now_us: int) -> None:
        """Begin with knowing nothing: it may be asked now."""
        self._policy = policy
        self._at_us = now_us
        self._units = 1

    def at_us(self, units: int) -> int:
        """Return when to ask for `units`, at the earliest."""
        if self._policy.algorithm is not Algorithm.GCRA:
            return self._at_us
        return self._at_us + (units - self._units) * self._policy.interval_us

    def is_after(self, until_us: int, units: int) -> bool:
        """Tell whether there is nothing to hope for until then."""
        return self._policy.algorithm is not Algorithm.CONCURRENCY and self.at_us(units) > until_us

    def told(self, verdict: Verdict, units: int, now_us: int) -> None:
        """Take what the policy said to a request that wants `units`."""
        if not verdict.admitted:
            timely = self._policy.algorithm is not Algorithm.CONCURRENCY
            self._units = units
            self._at_us = now_us + (max(verdict.retry_after_us, 1) if timely else LOOK_AGAIN_US)
        else:
            exact = self._policy.algorithm is Algorithm.GCRA and not self._policy.budget
            self._units = verdict.remaining + 1
            self._at_us = now_us + (verdict.reset_us if exact else 0)

    def freed(self, charge: Charge, now_us: int) -> None:
        """Note that what a request was charged is free again."""
        if self._policy.algorithm is Algorithm.GCRA:
            self._at_us -= charge.cost * self._policy.interval_us
        else:
            self._at_us = now_us


def _same(one: Policy, other: Policy) -> bool:
    return one is other or (one.name == other.name and one.scope == other.scope)


def _retry_after_us(verdict: Verdict) -> int:
    return verdict.retry_after_us
