"""Budgets that are declared, and the policies that they become."""

from __future__ import annotations

import pytest

from gateway.limits import Algorithm
from gateway.limits.budget.declared import Declared, Shape, percent_or_number, split
from gateway.limits.budget.values import Reserve

S = 1_000_000


@pytest.mark.parametrize(
    ("requests", "shape", "expected"),
    [
        (10, Shape.FIXED_WINDOW, (Algorithm.SLIDING_LOG, 10, 61_200_000, 10)),
        (100, Shape.FIXED_WINDOW, (Algorithm.GCRA, 93, 60_000_000, 5)),
        (120, Shape.LEAKY_BUCKET, (Algorithm.GCRA, 120, 60_060_000, 118)),
        (1, Shape.LEAKY_BUCKET, (Algorithm.GCRA, 1, 60_060_000, 1)),
    ],
)
def test_the_split_of_a_minute(requests: int, shape: Shape, expected: object) -> None:
    """A window keeps burst + rate x W within q, a bucket has the API's own arithmetic; what is late has room."""
    assert split(requests, 60 * S, shape) == expected


def test_what_is_kept_is_a_policy_of_its_own() -> None:
    """Others are charged both, so that they leave the reserve; the chosen only the whole."""
    budget = Declared(name="api", scope="budget:api", requests=100, per_us=60 * S, reserve=Reserve(percent=20))
    opened, whole = budget.policies()
    assert (opened.name, opened.requests + opened.burst) == ("api-open", 79)
    assert whole == budget.whole()
    assert opened.budget
    assert whole.budget
    assert len(Declared(name="api", scope="", requests=100, per_us=60 * S).policies()) == 1


@pytest.mark.parametrize(("text", "reserve"), [("10%", Reserve(percent=10)), ("7", Reserve(requests=7))])
def test_a_reserve_is_a_part_or_a_number(text: str, reserve: Reserve) -> None:
    """Of a limit it never keeps more than that."""
    assert percent_or_number(text) == reserve
    assert Reserve(requests=50).of(20) == 20


@pytest.mark.parametrize("text", ["", "%", "-1", "1.5", "٣", "100%", "9" * 10])
def test_what_is_no_reserve(text: str) -> None:
    """It says so."""
    with pytest.raises(ValueError, match="reserve"):
        percent_or_number(text)
