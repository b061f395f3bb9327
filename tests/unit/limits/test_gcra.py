"""One step of GCRA, with numbers that can be followed by hand: ten a second, three at once."""

from __future__ import annotations

from gateway.limits import Policy, Verdict
from gateway.limits.gcra import take
from gateway.limits.joint import tightness

TEN = Policy(name="ten", requests=10, per_us=1_000_000, burst=3, key=("ip",))
NOW_US = 5_000_000


def test_first_request() -> None:
    """A key that was never seen has its whole burst."""
    assert take(0, NOW_US, 1, TEN) == (
        NOW_US + 100_000,
        Verdict(TEN, admitted=True, remaining=2, retry_after_us=0, reset_us=100_000),
    )


def test_last_request() -> None:
    """The last request of a burst leaves nothing, and more comes after one interval."""
    assert take(NOW_US + 200_000, NOW_US, 1, TEN)[1] == Verdict(
        TEN, admitted=True, remaining=0, retry_after_us=0, reset_us=100_000
    )


def test_refusal() -> None:
    """A refusal keeps the arrival time, and says to the microsecond when the request would be admitted."""
    tat_us, verdict = take(NOW_US + 300_000, NOW_US + 1, 1, TEN)
    assert tat_us == NOW_US + 300_000
    assert verdict == Verdict(TEN, admitted=False, remaining=0, retry_after_us=99_999, reset_us=99_999)


def test_dear_request() -> None:
    """A request that costs more waits for all of it, while a cheaper one may have passed."""
    tat_us, verdict = take(NOW_US + 200_000, NOW_US, 3, TEN)
    assert tat_us == NOW_US + 200_000
    assert verdict == Verdict(TEN, admitted=False, remaining=1, retry_after_us=200_000, reset_us=100_000)


def test_look() -> None:
    """A cost of nothing looks without taking."""
    assert take(NOW_US + 50_000, NOW_US, 0, TEN) == (
        NOW_US + 50_000,
        Verdict(TEN, admitted=True, remaining=2, retry_after_us=0, reset_us=50_000),
    )
    full = take(0, NOW_US, 0, TEN)[1]
    assert (full.remaining, full.reset_us) == (3, 0)


def test_clock_goes_back() -> None:
    """What is far ahead of a clock that went back counts as nothing left, not as a negative number."""
    tat_us, verdict = take(NOW_US + 900_000, NOW_US, 1, TEN)
    assert tat_us == NOW_US + 900_000
    assert verdict == Verdict(TEN, admitted=False, remaining=0, retry_after_us=700_000, reset_us=700_000)


def test_tightest_first() -> None:
    """The longest wait is tighter than any admission; then the least left; then the longest way to more."""
    waits_long = Verdict(TEN, admitted=False, remaining=1, retry_after_us=9, reset_us=1)
    waits = Verdict(TEN, admitted=False, remaining=0, retry_after_us=5, reset_us=5)
    none_left = Verdict(TEN, admitted=True, remaining=0, retry_after_us=0, reset_us=3)
    none_left_later = Verdict(TEN, admitted=True, remaining=0, retry_after_us=0, reset_us=4)
    some_left = Verdict(TEN, admitted=True, remaining=7, retry_after_us=0, reset_us=9)
    mixed = [some_left, none_left, waits, none_left_later, waits_long]
    assert sorted(mixed, key=tightness) == [waits_long, waits, none_left_later, none_left, some_left]
