"""Every algorithm has the same shape, whatever its words are."""

from __future__ import annotations

import pytest

from gateway.limits import Charge, Policy, gcra
from gateway.limits.algorithms import STEPS
from gateway.limits.policy import PERIOD_US, Algorithm, Period

NOW_US = 1_700_000_000_000_000


def policy(algorithm: Algorithm) -> Policy:
    """Return a policy of three a minute, or at once."""
    return Policy(
        name="three",
        requests=3,
        per_us=0 if algorithm is Algorithm.CONCURRENCY else PERIOD_US[Period.MINUTE],
        burst=3,
        key=("ip",),
        algorithm=algorithm,
        period=Period.MINUTE if algorithm is Algorithm.CALENDAR else None,
    )


@pytest.mark.parametrize("algorithm", Algorithm)
def test_all_can_be_used_and_given_back(algorithm: Algorithm) -> None:
    """Three pass and a fourth does not; a refund makes room for one; refusals and looks change nothing."""
    three, steps = policy(algorithm), STEPS[algorithm]
    words, _ = steps.take((), NOW_US, 1, three)
    words, _ = steps.take(words, NOW_US, 1, three)
    words, verdict = steps.take(words, NOW_US, 1, three)
    assert (verdict.admitted, verdict.remaining) == (True, 0)
    assert len(words) <= steps.capacity(three)
    for cost in (0, 1, 3):
        same, verdict = steps.take(words, NOW_US, cost, three)
        assert (list(same), verdict.admitted, verdict.remaining) == (list(words), cost == 0, 0)
    charge = Charge(three, b"k", 1, steps.mark(words))
    assert steps.take(steps.refund(words, NOW_US, charge), NOW_US, 1, three)[1].admitted
    assert list(steps.refund((), NOW_US, charge)) == []


@pytest.mark.parametrize("algorithm", Algorithm)
def test_words_end(algorithm: Algorithm) -> None:
    """From `ends_us` on the words say what none would say, and not before; `until_us` is not earlier."""
    three, steps = policy(algorithm), STEPS[algorithm]
    words, _ = steps.take((), NOW_US, 3, three)
    end_us = steps.ends_us(words, three)
    assert end_us <= steps.until_us(NOW_US, three)
    if algorithm is not Algorithm.CONCURRENCY:
        assert steps.take(words, end_us, 0, three)[1] == steps.take((), end_us, 0, three)[1]
    assert steps.take(words, end_us - 1, 0, three)[1].remaining < 3
    assert steps.ends_us((), three) <= NOW_US


@pytest.mark.parametrize("algorithm", Algorithm)
def test_clock(algorithm: Algorithm) -> None:
    """Only the calendar goes by Unix time."""
    assert STEPS[algorithm].wall == (algorithm is Algorithm.CALENDAR)


def test_gcra_in_words() -> None:
    """The one word of GCRA is its TAT."""
    three, steps = policy(Algorithm.GCRA), STEPS[Algorithm.GCRA]
    tat_us, verdict = gcra.take(NOW_US + 5, NOW_US, 1, three)
    assert steps.take((NOW_US + 5,), NOW_US, 1, three) == ((tat_us,), verdict)
    assert steps.mark((tat_us,)) == tat_us
