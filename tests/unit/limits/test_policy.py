"""A policy that cannot work does not exist."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.limits import Policy
from gateway.limits.policy import LONGEST_LOG, PERIOD_US, Algorithm, Period

SECOND_US = 1_000_000


def policy(**changes: Any) -> Policy:  # noqa: ANN401 - each field has a type of its own
    """Return a policy of ten a second, with changes."""
    numbers: dict[str, Any] = {"name": "p", "requests": 10, "per_us": SECOND_US, "burst": 10, "key": ("ip",)}
    return Policy(**(numbers | changes))


def test_derived() -> None:
    """T is the time of one request, tau the time in which an empty policy is full again."""
    derived = policy(requests=600, per_us=60 * SECOND_US, burst=100)
    assert (derived.interval_us, derived.tau_us) == (100_000, 10 * SECOND_US)


def test_rounded_up() -> None:
    """A rate that whole microseconds cannot express becomes a slower one, never a faster one."""
    assert policy(requests=7, per_us=SECOND_US).interval_us == 142_858


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"requests": 0}, "must all be at least 1"),
        ({"per_us": 0}, "must all be at least 1"),
        ({"burst": 0}, "must all be at least 1"),
        ({"cost": 0}, "must all be at least 1"),
        ({"cost": 11}, "a request costs 11, more than the burst of 10: none could ever pass"),
        ({"requests": 99, "per_us": 100}, "is finer than whole microseconds can count"),
        ({"requests": 10**16, "per_us": 10**16}, "too large"),
        ({"burst": 10**12}, "too large"),
        ({"costs": (("POST", 11),)}, "a request costs 11, more than the burst of 10: none could ever pass"),
        ({"algorithm": Algorithm.SLIDING_LOG, "burst": 5}, "sliding_log knows no burst but all of its requests"),
        (
            {"algorithm": Algorithm.SLIDING_LOG, "requests": LONGEST_LOG + 1, "burst": LONGEST_LOG + 1},
            "it counts 1000 at most",
        ),
        ({"algorithm": Algorithm.CALENDAR, "burst": 5}, "calendar knows no burst"),
        ({"algorithm": Algorithm.CONCURRENCY, "per_us": 0, "burst": 5}, "concurrency knows no burst"),
        (
            {"algorithm": Algorithm.CONCURRENCY, "requests": 9_999, "burst": 9_999, "costs": (("POST", 1_001),)},
            "a request holds 1000 at most",
        ),
        ({"algorithm": Algorithm.CALENDAR, "per_us": 0}, "must all be at least 1"),
        ({"key": ()}, "must be of client, ip, method, path, route, upstream or header:NAME"),
        ({"key": ("ip", "moon")}, "must be of"),
        ({"key": ("header:",)}, "must be of"),
    ],
)
def test_refused(changes: dict[str, Any], sentence: str) -> None:
    """The reason is a sentence that names the policy."""
    with pytest.raises(ValueError, match=r"^limit 'p': ") as raised:
        policy(**changes)
    assert sentence in str(raised.value)


@pytest.mark.parametrize(("per_us", "interval_us"), [(10_000, 100), (10_001, 101), (9_901, 100)])
def test_rounding_within_one_percent(per_us: int, interval_us: int) -> None:
    """What rounds by 1 % at most is allowed."""
    assert policy(requests=100, per_us=per_us).interval_us == interval_us


def test_identity() -> None:
    """Policies of one name are one only where their place, numbers and key are the same."""
    ids = {
        one.id
        for one in (
            policy(),
            policy(),
            policy(scope="upstream:salla"),
            policy(requests=11),
            policy(key=("client",)),
            policy(key=("header:X-Store",)),
        )
    }
    assert len(ids) == 5


DAY = {"algorithm": Algorithm.CALENDAR, "period": Period.DAY, "per_us": PERIOD_US[Period.DAY]}
PLACES = {"algorithm": Algorithm.CONCURRENCY, "per_us": 0}


def test_identity_of_algorithms() -> None:
    """One that counts otherwise keeps other counts."""
    month = DAY | {"period": Period.MONTH, "per_us": PERIOD_US[Period.MONTH]}
    log = {"algorithm": Algorithm.SLIDING_LOG}
    assert len({policy(**changes).id for changes in ({}, log, DAY, month, PLACES)}) == 5


@pytest.mark.parametrize(
    ("changes", "tau_us"),
    [
        ({"algorithm": Algorithm.SLIDING_LOG}, SECOND_US),
        (DAY, PERIOD_US[Period.DAY]),
        (PLACES, 0),
    ],
)
def test_how_long_a_key_is_kept(changes: dict[str, Any], tau_us: int) -> None:
    """For as long as what it says can count."""
    assert policy(**changes).tau_us == tau_us


def test_shown() -> None:
    """What is under way is counted in requests, not in a time."""
    assert policy().member == b'"p";q=10;w=1'
    assert policy(**PLACES).member == b'"p";q=10;qu="concurrent-requests"'
    assert policy(name="50%").limit_format % (3, 4) == b'"50%";r=3;t=4'


def test_cost_by_method() -> None:
    """A method may cost another number, or nothing."""
    dear = policy(cost=2, costs=(("POST", 5), ("OPTIONS", 0)))
    assert [dear.cost_of(method) for method in ("GET", "POST", "OPTIONS", "post")] == [2, 5, 0, 2]
