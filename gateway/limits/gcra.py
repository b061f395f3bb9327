"""GCRA, the generic cell rate algorithm (ITU-T I.371), in integers: one number a key, exact, smooth, with a burst.

The number is the *theoretical arrival time* (TAT), in microseconds: the moment at which the key's allowance is full
again. Nothing here stores it or reads a clock.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.limits.policy import Policy


class Verdict(Struct, frozen=True, gc=False):
    """What one policy says to one request.

    `remaining` is what is left afterwards, in requests of cost 1. `retry_after_us` is how long this same request has to
    wait until it is admitted, exactly; 0 when it was. `reset_us` is how long until `remaining` grows by one; 0 when it
    is full.
    """

    policy: Policy
    admitted: bool
    remaining: int
    retry_after_us: int
    reset_us: int


class Charge(Struct, frozen=True, gc=False):
    """What a request was charged under one policy, so that it can be given back: `end_us` is the TAT behind it."""

    policy: Policy
    key: bytes
    end_us: int


class Decision(Struct, frozen=True, gc=False):
    """What all policies of a request say together. `verdicts` are in the order of the policies, as are `charges`.

    `tightest` is the verdict that a client meets first: of those that refuse the longest wait, else the least left.
    None when no policy applied. A refused request has no charges.
    """

    admitted: bool
    verdicts: tuple[Verdict, ...]
    tightest: Verdict | None
    charges: tuple[Charge, ...] = ()


def take(tat_us: int, now_us: int, cost: int, policy: Policy) -> tuple[int, Verdict]:
    """Ask for `cost` requests at the moment `now_us`; return the new TAT and the verdict.

    A refusal returns the old TAT: it costs nothing. A clock that goes back frees nothing. A cost of 0 only looks; one
    over the policy's burst must not be asked for, since no wait would be long enough.
    """
    interval_us, tau_us = policy.interval_us, policy.tau_us
    start_us = tat_us if tat_us > now_us else now_us  # noqa: FURB136 - max() takes three times as long
    after_us = start_us + cost * interval_us
    wait_us = after_us - now_us - tau_us
    if wait_us <= 0:
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
    owed_us = min(charge.policy.cost * charge.policy.interval_us, charge.end_us - now_us)
    return tat_us - owed_us if owed_us > 0 else tat_us


def tightness(verdict: Verdict) -> tuple[int, int, int]:
    """Return what to sort verdicts by, tightest first."""
    return -verdict.retry_after_us, verdict.remaining, -verdict.reset_us
