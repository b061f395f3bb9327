"""The exact sliding log: no window of `per_us`, wherever it begins, has more than `requests`.

Words of a key: the moments at which it was charged, in microseconds, ascending, one for each unit of cost; at most
`requests` of them. A window is half open: what was noted at t counts until t + per_us, and no longer at that moment.

take: at = max(now, last moment), for a clock that goes back frees nothing and breaks no order. The moments count whose
t + per_us > at. Admitted iff they and the cost are at most `requests`; then the others are dropped (only then) and `at`
is noted `cost` times. A refusal waits for as many of the oldest as are too many: the last of those + per_us - now.
remaining: requests - moments that count. reset: the oldest + per_us - now, 0 when there is none.
mark: the moment that was noted. refund: take out `cost` moments that equal the mark, as far as they are there still.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from gateway.limits.values import Verdict

if TYPE_CHECKING:
    from gateway.limits.policy import Policy
    from gateway.limits.values import Charge, Words


def take(words: Words, now_us: int, cost: int, policy: Policy) -> tuple[Words, Verdict]:
    """Ask for `cost` requests at the moment `now_us`; return the new words and the verdict, as `gcra.take` does."""
    per_us, requests = policy.per_us, policy.requests
    at_us = max(now_us, words[-1]) if words else now_us
    counted = array("q", words[bisect_right(words, at_us - per_us) :])
    excess = len(counted) + cost - requests
    admitted, wait_us = True, 0
    if cost and excess > 0:
        admitted, wait_us = False, counted[excess - 1] + per_us - now_us
    else:
        counted.extend([at_us] * cost)
    reset_us = counted[0] + per_us - now_us if counted else 0
    verdict = Verdict(policy, admitted, requests - len(counted), wait_us, reset_us)
    return (counted if cost and admitted else words), verdict


def refund(words: Words, now_us: int, charge: Charge) -> Words:  # noqa: ARG001 - what lapsed is not there, or is not counted
    """Take a charge out of the log."""
    first = bisect_left(words, charge.mark)
    last = min(bisect_right(words, charge.mark), first + charge.cost)
    return array("q", [*words[:first], *words[last:]])


def mark(words: Words) -> int:
    """Return what finds the last charge again."""
    return words[-1]


def ends_us(words: Words, policy: Policy) -> int:
    """Return from when on the words say no more than none would."""
    return words[-1] + policy.per_us if words else 0


def until_us(now_us: int, policy: Policy) -> int:
    """Return the latest moment until which a charge at `now_us` can count."""
    return now_us + policy.per_us


def capacity(policy: Policy) -> int:
    """Return the most words that a key has."""
    return policy.requests
