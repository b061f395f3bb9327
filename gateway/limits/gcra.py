"""GCRA, the generic cell rate algorithm (ITU-T I.371), in integers: one number a key, exact, smooth, with a burst.

The number is the *theoretical arrival time* (TAT), in microseconds: the moment at which the key's allowance is full
again. Nothing here stores it or reads a clock. With T = ceil(per_us / requests) and tau = burst × T:

take: after = max(TAT, now) + cost × T, a key that was never seen having TAT = now. Admitted iff after - now <= tau, or
the cost is 0, which only looks; then TAT = after. A refusal waits after - now - tau. With ahead = max(TAT, now) - now,
after the decision: remaining = (tau - ahead) // T, at least 0; reset = (remaining + 1) × T - (tau - ahead), 0 when
nothing is ahead. mark: the TAT after the charge. refund: TAT -= min(cost × T, mark - now), if that is more than 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.limits.values import Verdict

if TYPE_CHECKING:
    from gateway.limits.policy import Policy
    from gateway.limits.values import Charge


def take(tat_us: int, now_us: int, cost: int, policy: Policy) -> tuple[int, Verdict]:
    """Ask for `cost` requests at the moment `now_us`; return the new TAT and the verdict.

    A refusal returns the old TAT: it costs nothing. A clock that goes back frees nothing. A cost of 0 only looks; one
    over the policy's burst must not be asked for, since no wait would be long enough.
    """
    interval_us, tau_us = policy.interval_us, policy.tau_us
    start_us = tat_us if tat_us > now_us else now_us  # noqa: FURB136 - max() takes three times as long
    after_us = start_us + cost * interval_us
    wait_us = after_us - now_us - tau_us
    if wait_us <= 0 or not cost:
        admitted, wait_us, ahead_us, tat_us = True, 0, after_us - now_us, after_us
    else:
        admitted, ahead_us = False, start_us - now_us
    free_us = tau_us - ahead_us
    remaining = free_us // interval_us if free_us > 0 else 0
    reset_us = (remaining + 1) * interval_us - free_us if ahead_us else 0
    return tat_us, Verdict(policy, admitted, remaining, wait_us, reset_us)


def refund(tat_us: int, now_us: int, charge: Charge) -> int:
    """Give back what of a charge still counts; return the new TAT, which is never before `now_us`.

    A charge lapses as time passes, and what has lapsed was given back already: paying it twice would let a client that
    is refused late and often have more than its limit. So with nothing charged in between it is as if the request had
    never been, and otherwise never more than that.
    """
    owed_us = min(charge.cost * charge.policy.interval_us, charge.mark - now_us)
    return tat_us - owed_us if owed_us > 0 else tat_us
