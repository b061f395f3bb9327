"""The calendar's windows, with dates that can be looked up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.limits import Charge, Policy, Verdict, calendar
from gateway.limits.policy import Period
from tests.policies import calendar_window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def us(text: str) -> int:
    """Return a date in UTC as microseconds of Unix time."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def policy(period: Period = Period.DAY) -> Policy:
    """Return a policy of five in a period."""
    return calendar_window("five", 5, period)


NOON_US = us("2026-11-22T12:00:00")
BEGIN_US, END_US = us("2026-11-22"), us("2026-11-23")
DAY = policy()


@pytest.mark.parametrize(
    ("period", "moment", "begin", "end"),
    [
        (Period.MINUTE, "2026-11-22T12:34:56.789", "2026-11-22T12:34", "2026-11-22T12:35"),
        (Period.HOUR, "2026-11-22T12:34:56", "2026-11-22T12:00", "2026-11-22T13:00"),
        (Period.DAY, "2026-11-22T23:59:59.999999", "2026-11-22", "2026-11-23"),
        (Period.DAY, "2026-11-23T00:00:00", "2026-11-23", "2026-11-24"),
        (Period.WEEK, "2026-11-22T23:59:59", "2026-11-16", "2026-11-23"),
        (Period.WEEK, "2026-11-23T00:00:00", "2026-11-23", "2026-11-30"),
        (Period.MONTH, "2026-11-30T23:59:59", "2026-11-01", "2026-12-01"),
        (Period.MONTH, "2026-12-31T12:00:00", "2026-12-01", "2027-01-01"),
        (Period.MONTH, "2028-02-29T12:00:00", "2028-02-01", "2028-03-01"),
        (Period.MONTH, "2100-02-28T12:00:00", "2100-02-01", "2100-03-01"),
        (Period.MONTH, "2000-02-29T12:00:00", "2000-02-01", "2000-03-01"),
        (Period.MONTH, "1970-01-01T00:00:00", "1970-01-01", "1970-02-01"),
    ],
)
def test_windows(period: Period, moment: str, begin: str, end: str) -> None:
    """Windows begin with the unit in UTC: a week on Monday, a month on its first, leap years and all."""
    assert calendar.window_us(us(moment), policy(period)) == (us(begin), us(end))


def test_first_request() -> None:
    """A window that nobody has used has all of its requests; more comes at its end."""
    assert calendar.take((), NOON_US, 2, DAY) == (
        (BEGIN_US, 2),
        Verdict(DAY, admitted=True, remaining=3, retry_after_us=0, reset_us=END_US - NOON_US),
    )


def test_refusal() -> None:
    """It changes nothing, and lasts until the window ends."""
    assert calendar.take((BEGIN_US, 4), NOON_US, 2, DAY) == (
        (BEGIN_US, 4),
        Verdict(DAY, admitted=False, remaining=1, retry_after_us=END_US - NOON_US, reset_us=END_US - NOON_US),
    )
    assert calendar.take((BEGIN_US, 4), END_US, 2, DAY)[0] == (END_US, 2)


def test_look() -> None:
    """A cost of nothing looks, and changes nothing: not even an earlier window."""
    assert calendar.take((BEGIN_US, 5), END_US, 0, DAY) == (
        (BEGIN_US, 5),
        Verdict(DAY, admitted=True, remaining=5, retry_after_us=0, reset_us=0),
    )
    assert calendar.take((BEGIN_US, 5), NOON_US, 0, DAY)[1].admitted


def test_wall_clock_goes_back() -> None:
    """It frees nothing: what is used of the later window is used, and the wait is to that window's end."""
    back_us = us("2026-11-21T18:00")
    assert calendar.take((BEGIN_US, 5), back_us, 1, DAY) == (
        (BEGIN_US, 5),
        Verdict(DAY, admitted=False, remaining=0, retry_after_us=END_US - back_us, reset_us=END_US - back_us),
    )


def test_refund() -> None:
    """It goes to the window that was charged, and to no other."""
    charge = Charge(DAY, b"k", 2, BEGIN_US)
    assert calendar.refund((BEGIN_US, 3), NOON_US, charge) == (BEGIN_US, 1)
    assert calendar.refund((BEGIN_US, 1), NOON_US, charge) == (BEGIN_US, 0)
    assert calendar.refund((END_US, 3), END_US, charge) == (END_US, 3)
    assert calendar.refund((), NOON_US, charge) == ()


def test_what_is_kept() -> None:
    """A key counts until its window ends."""
    assert calendar.ends_us((BEGIN_US, 1), DAY) == END_US
    assert calendar.ends_us((BEGIN_US, 0), DAY) == calendar.ends_us((), DAY) == 0
    assert calendar.until_us(NOON_US, DAY) == END_US
    assert (calendar.mark((BEGIN_US, 1)), calendar.capacity(DAY)) == (BEGIN_US, 2)
