"""The sliding log, with numbers that can be followed by hand: three in ten seconds."""

from __future__ import annotations

from gateway.limits import Charge, Verdict, log
from tests.policies import sliding_log

S = 1_000_000
THREE = sliding_log("three", 3, 10 * S, cost=1)


def said(words: list[int], now_us: int, cost: int = 1) -> tuple[list[int], Verdict]:
    """Return the log afterwards, and the verdict."""
    after, verdict = log.take(words, now_us, cost, THREE)
    return list(after), verdict


def test_first_request() -> None:
    """The first is noted, and leaves the window one window later."""
    assert said([], 5 * S) == (
        [5 * S],
        Verdict(THREE, admitted=True, remaining=2, retry_after_us=0, reset_us=10 * S),
    )


def test_no_window_has_more() -> None:
    """What is older than a window has left, to the microsecond."""
    full = [1 * S, 2 * S, 3 * S]
    assert said(full, 11 * S - 1) == (
        full,
        Verdict(THREE, admitted=False, remaining=0, retry_after_us=1, reset_us=1),
    )
    assert said(full, 11 * S) == (
        [2 * S, 3 * S, 11 * S],
        Verdict(THREE, admitted=True, remaining=0, retry_after_us=0, reset_us=1 * S),
    )


def test_dear_request() -> None:
    """What costs more is noted as often, and waits until enough of the oldest have left."""
    assert said([1 * S], 4 * S, cost=2)[0] == [1 * S, 4 * S, 4 * S]
    words, verdict = said([1 * S, 2 * S, 3 * S], 4 * S, cost=2)
    assert words == [1 * S, 2 * S, 3 * S]
    assert verdict == Verdict(THREE, admitted=False, remaining=0, retry_after_us=8 * S, reset_us=7 * S)


def test_look() -> None:
    """A cost of nothing looks: it is always admitted, and notes nothing."""
    full = [1 * S, 2 * S, 3 * S]
    assert said(full, 4 * S, cost=0) == (
        full,
        Verdict(THREE, admitted=True, remaining=0, retry_after_us=0, reset_us=7 * S),
    )
    assert said([], 4 * S, cost=0) == ([], Verdict(THREE, admitted=True, remaining=3, retry_after_us=0, reset_us=0))


def test_clock_goes_back() -> None:
    """It frees nothing, and the log stays in order."""
    words, verdict = said([20 * S], 5 * S)
    assert words == [20 * S, 20 * S]
    assert verdict == Verdict(THREE, admitted=True, remaining=1, retry_after_us=0, reset_us=25 * S)


def test_refund() -> None:
    """A charge is struck out, and nothing else of the same moment; one that has lapsed is not there any more."""
    charge = Charge(THREE, b"k", 1, 2 * S)
    assert list(log.refund([1 * S, 2 * S, 2 * S], 3 * S, charge)) == [1 * S, 2 * S]
    assert list(log.refund([1 * S, 3 * S], 3 * S, charge)) == [1 * S, 3 * S]


def test_what_is_kept() -> None:
    """The log counts until its last moment has left the window, and never has more words than requests."""
    assert log.ends_us([1 * S, 2 * S], THREE) == 12 * S
    assert log.ends_us([], THREE) == 0
    assert log.until_us(2 * S, THREE) == 12 * S
    assert (log.mark([1 * S, 2 * S]), log.capacity(THREE)) == (2 * S, 3)
