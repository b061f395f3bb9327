"""What one replica counts by alone: its part of a policy."""

from __future__ import annotations

import pytest

from gateway.limits import Policy
from gateway.limits.members import LARGEST
from gateway.limits.policy import PERIOD_US, Algorithm, Period
from gateway.limits.shares import share

S = 1_000_000


def test_gcra() -> None:
    """The rate is divided exactly, and the burst to whole requests."""
    policy = Policy(name="p", requests=100, per_us=60 * S, burst=20, key=("ip",), lease=10)
    third = share(policy, 3)
    assert (third.requests, third.per_us, third.interval_us) == (100, 180 * S, 3 * policy.interval_us)
    assert third.burst == 6
    assert third.key == policy.key


def test_one_replica() -> None:
    """Who is alone counts by all of it."""
    policy = Policy(name="p", requests=100, per_us=60 * S, burst=20, key=("ip",))
    whole = share(policy, 1)
    assert (whole.requests, whole.per_us, whole.burst) == (policy.requests, policy.per_us, policy.burst)


@pytest.mark.parametrize(
    ("algorithm", "period", "per_us"),
    [
        (Algorithm.SLIDING_LOG, None, 60 * S),
        (Algorithm.CALENDAR, Period.DAY, PERIOD_US[Period.DAY]),
        (Algorithm.CONCURRENCY, None, 0),
    ],
)
def test_counted_by_number(algorithm: Algorithm, period: Period | None, per_us: int) -> None:
    """Other policies have fewer requests in the same time."""
    policy = Policy(name="p", requests=100, per_us=per_us, burst=100, key=("ip",), algorithm=algorithm, period=period)
    third = share(policy, 3)
    assert (third.requests, third.burst, third.per_us, third.period) == (33, 33, per_us, period)


@pytest.mark.parametrize("algorithm", [Algorithm.GCRA, Algorithm.SLIDING_LOG])
def test_dearest_passes(algorithm: Algorithm) -> None:
    """The dearest request still passes, and of many replicas each has one at least."""
    policy = Policy(
        name="p", requests=20, per_us=S, burst=20, key=("ip",), costs=(("POST", 7), ("GET", 0)), algorithm=algorithm
    )
    assert share(policy, 10).burst == 7
    plain = Policy(name="p", requests=20, per_us=S, burst=20, key=("ip",), algorithm=algorithm)
    assert share(plain, 1_000).burst == 1


def test_large_numbers() -> None:
    """Numbers that would become too large to count with grow as far as they can."""
    year_us = 365 * 24 * 3_600 * S
    policy = Policy(name="p", requests=1, per_us=year_us, burst=10, key=("ip",), cost=10)
    few = share(policy, 1_000)
    assert few.per_us == 3 * year_us
    assert few.burst * few.interval_us <= LARGEST
