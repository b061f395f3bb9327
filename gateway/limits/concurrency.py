"""Requests under way at once: a place is held from the admission to the end of the request.

Words of a key: how many places are held. Time plays no part.

take: admitted iff held + cost <= requests; then held += cost. When a place comes back cannot be known, so a refusal
says `RETRY_US`, and so does reset while any place is held. remaining: requests - held. mark: the number of places held
with it. refund and release: held -= cost, not below 0. Each charge is either refunded or released, and once. A store
that outlives those who hold its places must take back the places of the dead by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.members import LARGEST
from gateway.limits.values import Verdict

if TYPE_CHECKING:
    from gateway.limits.policy import Policy
    from gateway.limits.values import Charge, Words

RETRY_US: Final = 1_000_000


def take(words: Words, now_us: int, cost: int, policy: Policy) -> tuple[Words, Verdict]:  # noqa: ARG001 - as the others
    """Ask for `cost` places; return the new words and the verdict, as `gcra.take` does."""
    held = words[0] if words else 0
    admitted = not cost or held + cost <= policy.requests
    if admitted:
        held += cost
    wait_us, reset_us = 0 if admitted else RETRY_US, RETRY_US if held else 0
    verdict = Verdict(policy, admitted, policy.requests - held, wait_us, reset_us)
    return ((held,) if cost and admitted else words), verdict


def refund(words: Words, now_us: int, charge: Charge) -> Words:  # noqa: ARG001 - as the others
    """Give the places of a charge back."""
    return (max(words[0] - charge.cost, 0),) if words else ()


def mark(words: Words) -> int:
    """Return how many places are held with the last one."""
    return words[0]


def ends_us(words: Words, policy: Policy) -> int:  # noqa: ARG001 - as the others
    """Return from when on the words say no more than none would: never while a place is held."""
    return LARGEST if words and words[0] else 0


def until_us(now_us: int, policy: Policy) -> int:  # noqa: ARG001 - as the others
    """Return the latest moment until which a charge at `now_us` can count: there is none."""
    return LARGEST


def capacity(policy: Policy) -> int:  # noqa: ARG001 - as the others
    """Return the most words that a key has."""
    return 1
