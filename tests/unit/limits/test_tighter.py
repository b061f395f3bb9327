"""Of two policies, which is always reached first: told only where it is sure, by their numbers alone."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.limits import Algorithm, Period, Policy
from gateway.limits.policy import PERIOD_US
from gateway.limits.tighter import is_tighter

S = 1_000_000


def gcra(requests: int, per_s: int, burst: int, **more: Any) -> Policy:  # noqa: ANN401 - members of a policy
    """Return so many requests in so many seconds."""
    return Policy(name="a", requests=requests, per_us=per_s * S, burst=burst, key=("ip",), **more)


def log(requests: int, per_s: int) -> Policy:
    """Return so many requests in any window of so many seconds."""
    return gcra(requests, per_s, requests, algorithm=Algorithm.SLIDING_LOG)


def calendar(requests: int, period: Period) -> Policy:
    """Return so many requests in each period."""
    per_s = PERIOD_US[period] // S
    return gcra(requests, per_s, requests, algorithm=Algorithm.CALENDAR, period=period)


def places(number: int) -> Policy:
    """Return so many requests at once."""
    return Policy(name="a", requests=number, per_us=0, burst=number, key=("ip",), algorithm=Algorithm.CONCURRENCY)


@pytest.mark.parametrize(
    ("first", "second", "tighter"),
    [
        (gcra(10, 1, 5), gcra(10, 1, 5), True),
        (gcra(10, 1, 5), gcra(11, 1, 6), True),
        (gcra(10, 1, 6), gcra(11, 1, 5), False),
        (gcra(11, 1, 5), gcra(10, 1, 5), False),
        (gcra(10, 1, 5, cost=2), gcra(10, 1, 5), True),
        (gcra(10, 1, 5), gcra(10, 1, 5, cost=2), False),
        (gcra(10, 1, 5, costs=(("POST", 0),)), gcra(10, 1, 5), False),
        (gcra(10, 1, 5), gcra(10, 1, 5, costs=(("POST", 2),)), False),
        (gcra(10, 1, 5), gcra(10, 1, 5, costs=(("POST", 0),)), True),
        (gcra(1, 1, 5), log(15, 10), True),
        (gcra(1, 1, 5), log(14, 10), False),
        (gcra(1, 1, 5), calendar(65, Period.MINUTE), True),
        (gcra(1, 1, 5), calendar(64, Period.MINUTE), False),
        (log(5, 10), gcra(5, 10, 5), True),
        (log(5, 10), gcra(5, 11, 5), False),
        (log(5, 10), gcra(5, 10, 4), False),
        (log(5, 10), log(5, 10), True),
        (log(5, 10), log(10, 11), True),
        (log(5, 10), log(9, 11), False),
        (log(5, 10), calendar(30, Period.MINUTE), True),
        (log(5, 10), calendar(29, Period.MINUTE), False),
        (calendar(5, Period.HOUR), calendar(5, Period.HOUR), True),
        (calendar(5, Period.HOUR), calendar(4, Period.HOUR), False),
        (calendar(5, Period.DAY), calendar(35, Period.WEEK), True),
        (calendar(5, Period.DAY), calendar(34, Period.WEEK), False),
        (calendar(5, Period.DAY), calendar(5, Period.HOUR), False),
        (calendar(5, Period.WEEK), calendar(500, Period.MONTH), False),
        (calendar(5, Period.HOUR), gcra(100, 1, 100), False),
        (places(5), places(5), True),
        (places(5), places(4), False),
        (places(5), gcra(100, 1, 100), False),
    ],
)
def test_which_is_tighter(first: Policy, second: Policy, *, tighter: bool) -> None:
    """The most that the first admits in any time must be no more than the second does, and no request cheaper."""
    assert is_tighter(first, second) is tighter
