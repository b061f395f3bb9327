"""All policies of one request together: each of them is charged, or none is.

Invariants: a policy in shadow mode refuses nobody, does not keep others from being charged, and is charged for itself,
only where the request is admitted and it would have admitted it too. Nothing is charged for what costs 0. No two of a
request's policies share a table of counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.limits.algorithms import STEPS
from gateway.limits.values import Ask, Charge, Decision, Verdict, Words

if TYPE_CHECKING:
    from collections.abc import Sequence


class Judged(NamedTuple):
    """A decision, and for each ask the words to keep: None where nothing was charged, so that nothing changed."""

    decision: Decision
    kept: tuple[Words | None, ...]


def judge(asks: Sequence[Ask], words: Sequence[Words], now_us: int, unix_us: int) -> Judged:
    """Decide a request from the words of its keys, those of `asks` in their order; `()` is a key that is not there."""
    taken = [take(ask, known, now_us, unix_us) for ask, known in zip(asks, words, strict=True)]
    for (policy, _, _), (_, verdict) in zip(asks, taken, strict=True):
        if not verdict.admitted and not policy.shadow:
            return _refusal(asks, words, [verdict for _, verdict in taken], now_us, unix_us)
    charges: list[Charge] = []
    kept: list[Words | None] = []
    for (policy, key, cost), (after, verdict) in zip(asks, taken, strict=True):
        if verdict.admitted and cost:
            kept.append(after)
            charges.append(Charge(policy, key, cost, STEPS[policy.algorithm].mark(after)))
        else:
            kept.append(None)
    return Judged(decision([verdict for _, verdict in taken], tuple(charges), admitted=True), tuple(kept))


def take(ask: Ask, words: Words, now_us: int, unix_us: int) -> tuple[Words, Verdict]:
    """Ask one policy, at the moment of its clock."""
    policy, _, cost = ask
    steps = STEPS[policy.algorithm]
    return steps.take(words, unix_us if steps.wall else now_us, cost, policy)


def decision(verdicts: Sequence[Verdict], charges: tuple[Charge, ...] = (), *, admitted: bool) -> Decision:
    """Put verdicts together, those in shadow mode apart, and find the tightest."""
    enforced = tuple([verdict for verdict in verdicts if not verdict.policy.shadow])
    shadowed = () if len(enforced) == len(verdicts) else tuple([one for one in verdicts if one.policy.shadow])
    return Decision(admitted, enforced, min(enforced, key=tightness, default=None), charges, shadowed)


def tightness(verdict: Verdict) -> tuple[int, int, int]:
    """Return what to sort verdicts by, tightest first."""
    return -verdict.retry_after_us, verdict.remaining, -verdict.reset_us


def _refusal(
    asks: Sequence[Ask], words: Sequence[Words], verdicts: Sequence[Verdict], now_us: int, unix_us: int
) -> Judged:
    """Answer a request that a policy refuses: the others, which would have admitted it, were not charged either."""
    uncharged = [
        take((policy, key, 0), known, now_us, unix_us)[1] if verdict.admitted else verdict
        for (policy, key, _), known, verdict in zip(asks, words, verdicts, strict=True)
    ]
    return Judged(decision(uncharged, admitted=False), (None,) * len(asks))
