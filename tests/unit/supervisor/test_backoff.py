"""A process that dies at once again and again is not started again at once again and again."""

from __future__ import annotations

from itertools import pairwise

from gateway.supervisor.backoff import FIRST_S, LONGEST_S, STEADY_S, Backoff


def _delays(*lives_s: float) -> list[float]:
    backoff, delays = Backoff(), []
    for lived_s in lives_s:
        backoff, delay_s = backoff.died(lived_s)
        delays.append(delay_s)
    return delays


def test_the_first_death_costs_no_time() -> None:
    """Neither an early one nor one after a long life."""
    assert _delays(0.1) == [0.0]
    assert _delays(STEADY_S, STEADY_S) == [0.0, 0.0]


def test_early_deaths_in_a_row_are_waited_for_longer_each_time() -> None:
    """Twice as long as before, up to a bound, however often."""
    delays = _delays(*[0.1] * 2_000)
    assert delays[1] == FIRST_S
    assert all(later in {2 * sooner, LONGEST_S} for sooner, later in pairwise(delays[1:]))
    assert delays[-1] == LONGEST_S


def test_a_long_life_makes_up_for_early_deaths() -> None:
    """What dies early after it begins anew."""
    assert _delays(0.1, 0.1, STEADY_S, 0.1, 0.1) == [0.0, FIRST_S, 0.0, 0.0, FIRST_S]
