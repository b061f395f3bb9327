"""What one replica counts by alone, while the store that all of them share is away: a policy divided by their number.

Invariants: a share admits every request that its policy could, one at a time: its burst is never below what the dearest
costs, and so at least 1. Else all shares together admit no more than the policy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gateway.limits.members import LARGEST
from gateway.limits.policy import Algorithm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.limits.policy import Policy


def share(policy: Policy, replicas: int) -> Policy:
    """Return the part of `policy` that one of `replicas` counts by; `replicas` is at least 1."""
    burst = max(policy.cost, *[cost for _, cost in policy.costs], policy.burst // replicas)
    return _SHARES.get(policy.algorithm, _fewer)(policy, replicas, burst)


def _slower(policy: Policy, replicas: int, burst: int) -> Policy:
    """Return the same number of requests in a longer time: the rate divides without a rest.

    Of numbers so large that they could not be counted with any more, the time grows as far as it can.
    """
    times = min(replicas, LARGEST // max(policy.per_us, burst * policy.interval_us))
    return replace(policy, per_us=policy.per_us * times, burst=burst)


def _fewer(policy: Policy, _replicas: int, burst: int) -> Policy:
    """Return fewer requests in the same time: all that is counted by number divides so."""
    return replace(policy, requests=burst, burst=burst)


_SHARES: Final[Mapping[Algorithm, Callable[[Policy, int, int], Policy]]] = {Algorithm.GCRA: _slower}
