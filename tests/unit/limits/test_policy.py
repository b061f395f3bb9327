"""A policy that cannot work does not exist."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.limits import Policy

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
