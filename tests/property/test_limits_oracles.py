"""The arithmetic against other people's: the moving window of `limits`, the GCRA of `throttled-py`.

Both go by clocks of their own, which are set here. All moments are multiples of a fraction of a second that floating
point holds exactly, so that the other side counts as exactly as ours.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING

import limits
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from throttled import RateLimiterType, Throttled
from throttled.rate_limiter import Quota, Rate
from throttled.store import MemoryStore

from gateway.limits import Policy, log
from gateway.limits.gcra import take
from tests.policies import sliding_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.limits.values import Words

SECOND_US = 1_000_000
STEP_US = 187_500
"""Three sixteenths of a second: no number of steps is a window of seconds that three does not divide."""

names = count()
arrivals = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 4)), max_size=60)


class Clock:
    """The time, ours and the other side's."""

    us = 1_000 * SECOND_US

    def seconds(self) -> float:
        """Return the time as the others read it, exactly."""
        return self.us / SECOND_US


@pytest.fixture(scope="module")
def clock() -> Iterator[Clock]:
    """Give both libraries this clock, at the one place where each of them reads one."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("limits.storage.memory.time", SimpleNamespace(time=clock.seconds))
        patch.setattr("throttled.utils.now_mono_f", clock.seconds)
        yield clock


@pytest.fixture(scope="module")
def moving(clock: Clock) -> MovingWindowRateLimiter:
    """Return the moving window of `limits`: one for all, since each storage starts a thread."""
    return MovingWindowRateLimiter(MemoryStorage())


@given(st.integers(1, 8), st.integers(1, 20).filter(lambda seconds: seconds % 3), arrivals)
def test_sliding_log(
    clock: Clock, moving: MovingWindowRateLimiter, requests: int, seconds: int, asked: list[tuple[int, int]]
) -> None:
    """The same requests pass, the same number is left, and more comes at the same moment.

    What happens exactly one window later is left out: `limits` counts the earlier one still, its own cleaner does not.
    """
    policy = sliding_log("p", requests, seconds * SECOND_US)
    item, name = limits.RateLimitItemPerSecond(requests, seconds), str(next(names))
    words: Words = ()
    for gap, cost in ((gap, min(cost, requests)) for gap, cost in asked):
        clock.us += gap * STEP_US
        words, verdict = log.take(words, clock.us, cost, policy)
        assert moving.hit(item, name, cost=cost) == verdict.admitted
        stats = moving.get_window_stats(item, name)
        assert stats.remaining == verdict.remaining
        assert stats.reset_time * SECOND_US == clock.us + verdict.reset_us


@given(st.sampled_from([1, 2, 4, 8, 16]), st.integers(1, 20), st.integers(1, 10), arrivals)
def test_gcra(clock: Clock, requests: int, seconds: int, burst: int, asked: list[tuple[int, int]]) -> None:
    """The same requests pass, the same number is left, the wait is the same, and so is the time until all is back."""
    policy = Policy(name="p", requests=requests, per_us=seconds * SECOND_US, burst=burst, key=("ip",))
    other = Throttled(
        using=RateLimiterType.GCRA.value,
        quota=Quota(Rate(timedelta(seconds=seconds), requests), burst),
        store=MemoryStore(),
    )
    tat_us = clock.us
    for gap, cost in ((gap, min(cost, burst)) for gap, cost in asked):
        clock.us += gap * STEP_US
        tat_us, verdict = take(tat_us, clock.us, cost, policy)
        result = other.limit("k", cost=cost)
        assert result.limited != verdict.admitted
        assert result.state.remaining == verdict.remaining
        assert result.state.retry_after * SECOND_US == verdict.retry_after_us
        assert result.state.reset_after * SECOND_US == max(tat_us - clock.us, 0)
