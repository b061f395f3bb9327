"""What a declared budget has left, between two verdicts of its policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits.algorithms import STEPS
from gateway.limits.budget.declared import Declared, Shape
from gateway.limits.budget.said import Said

if TYPE_CHECKING:
    from gateway.limits.policy import Policy
    from gateway.limits.values import Verdict, Words

S = 1_000_000
SMALL = Declared(name="b", scope="budget:api", requests=10, per_us=60 * S)
LARGE = Declared(name="b", scope="budget:api", requests=1_000, per_us=60 * S)
LEAKY = Declared(name="b", scope="budget:api", requests=40, per_us=20 * S, shape=Shape.LEAKY_BUCKET)
TIMES = st.lists(st.integers(0, 3 * S), min_size=1, max_size=60)


def spent(policy: Policy, gaps_us: list[int]) -> tuple[Words, Verdict, int]:
    """Ask for one after each of the gaps; return what is known then, the last verdict, and when that was."""
    now_us = gaps_us[0]
    known, verdict = STEPS[policy.algorithm].take((), now_us, 1, policy)
    for gap_us in gaps_us[1:]:
        now_us += gap_us
        known, verdict = STEPS[policy.algorithm].take(known, now_us, 1, policy)
    return known, verdict, now_us


@given(st.sampled_from([LARGE, LEAKY]), TIMES, st.integers(0, 90 * S))
def test_it_grows_as_the_policy_would_say(budget: Declared, gaps_us: list[int], later_us: int) -> None:
    """To the last microsecond, as long as nobody spends any; and it is full when it says so."""
    policy = budget.whole()
    take = STEPS[policy.algorithm].take
    words, verdict, now_us = spent(policy, gaps_us)
    said = Said(verdict, now_us)
    assert said.left(now_us + later_us) == take(words, now_us + later_us, 0, policy)[1].remaining
    full_us = said.full_us(now_us)
    assert take(words, now_us + full_us, 0, policy)[1].remaining == said.limit == said.left(now_us + full_us)
    assert full_us == 0 or take(words, now_us + full_us - 1, 0, policy)[1].remaining < said.limit


@given(TIMES, st.integers(0, 90 * S))
def test_of_an_exact_log_it_is_never_too_much(gaps_us: list[int], later_us: int) -> None:
    """Nobody kept when each one comes back, but the next one, and the moment from which on all are there."""
    policy = SMALL.whole()
    take = STEPS[policy.algorithm].take
    words, verdict, now_us = spent(policy, gaps_us)
    said, then_us = Said(verdict, now_us), now_us + later_us
    assert said.left(then_us) <= take(words, then_us, 0, policy)[1].remaining
    assert said.left(now_us + said.full_us(now_us)) == said.limit


@pytest.mark.parametrize(("at_us", "left", "full_us"), [(0, 0, 61_200_000), (61_200_000, 10, 0), (90 * S, 10, 0)])
def test_a_log_that_is_used_up_fills_within_its_window(at_us: int, left: int, full_us: int) -> None:
    """The window and a fiftieth, as it was declared."""
    policy = SMALL.whole()
    _, verdict = STEPS[policy.algorithm].take((), 0, 10, policy)
    said = Said(verdict, 0)
    assert (said.limit, said.left(at_us), said.full_us(at_us)) == (10, left, full_us)


def test_what_is_full_stays_full() -> None:
    """Before anything was spent."""
    policy = LARGE.whole()
    said = Said(STEPS[policy.algorithm].take((), 0, 0, policy)[1], 0)
    assert (said.left(0), said.full_us(0)) == (said.limit, 0)
