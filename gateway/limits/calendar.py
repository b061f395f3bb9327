"""The window of the calendar, in UTC: all of `requests` come back at once when a new period begins.

The clock is Unix time in microseconds, which knows no leap seconds, so that all but months are plain division: a
minute, an hour and a day begin at multiples of their length, a week on Monday (1970-01-01 was a Thursday, so three days
into its week), a month on its first day.

Words of a key: the beginning of the window that is counted, and how much of it is used.

take: begin = that of the window that has `unix_us`. Words of an earlier window count as (begin, 0); those of a later
one stay, for a wall clock that goes back frees nothing. Admitted iff used + cost <= requests; then used += cost. A
refusal waits until the end of the window that is counted. remaining: requests - used. reset: that end - unix_us, 0 when
nothing is used. mark: the beginning of the window. refund: used -= cost, not below 0, if the words are of that window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.policy import PERIOD_US, Period
from gateway.limits.values import Verdict

if TYPE_CHECKING:
    from gateway.limits.policy import Policy
    from gateway.limits.values import Charge, Words

_DAY_US: Final = PERIOD_US[Period.DAY]
_MONDAY_US: Final = 3 * _DAY_US
"""How far into its week Unix time began."""
_DAYS_TO_EPOCH: Final = 719_468
"""From 0000-03-01 to 1970-01-01. Years that begin in March have the leap day at their end."""
_DAYS_OF_ERA: Final = 146_097
_YEARS_OF_ERA: Final = 400


def take(words: Words, unix_us: int, cost: int, policy: Policy) -> tuple[Words, Verdict]:
    """Ask for `cost` requests at the moment `unix_us`; return the new words and the verdict, as `gcra.take` does."""
    begin_us, end_us = window_us(unix_us, policy)
    used = 0
    if words and words[0] >= begin_us:
        begin_us, used = words[0], words[1]
        end_us = window_us(begin_us, policy)[1]
    left_us = end_us - unix_us
    admitted = not cost or used + cost <= policy.requests
    if admitted:
        used += cost
    wait_us, reset_us = 0 if admitted else left_us, left_us if used else 0
    verdict = Verdict(policy, admitted, policy.requests - used, wait_us, reset_us)
    return ((begin_us, used) if cost and admitted else words), verdict


def refund(words: Words, unix_us: int, charge: Charge) -> Words:  # noqa: ARG001 - the window of the words decides
    """Give a charge back, if its window is counted still."""
    if not words or words[0] != charge.mark:
        return words
    return words[0], max(words[1] - charge.cost, 0)


def mark(words: Words) -> int:
    """Return what finds the last charge again."""
    return words[0]


def ends_us(words: Words, policy: Policy) -> int:
    """Return from when on the words say no more than none would."""
    return window_us(words[0], policy)[1] if words and words[1] else 0


def until_us(unix_us: int, policy: Policy) -> int:
    """Return the latest moment until which a charge at `unix_us` can count."""
    return window_us(unix_us, policy)[1]


def capacity(policy: Policy) -> int:  # noqa: ARG001 - as the others have it
    """Return the most words that a key has."""
    return 2


def window_us(unix_us: int, policy: Policy) -> tuple[int, int]:
    """Return the beginning and the end of the policy's window that has `unix_us`."""
    if policy.period is Period.MONTH:
        return _month_us(unix_us)
    offset_us = _MONDAY_US if policy.period is Period.WEEK else 0
    begin_us = unix_us - (unix_us + offset_us) % policy.per_us
    return begin_us, begin_us + policy.per_us


def _month_us(unix_us: int) -> tuple[int, int]:
    """Return the beginning and the end of a month."""
    year, month = _month_of(unix_us // _DAY_US)
    next_year, next_month = (year + 1, 1) if month == 12 else (year, month + 1)
    return _first_day(year, month) * _DAY_US, _first_day(next_year, next_month) * _DAY_US


def _month_of(day: int) -> tuple[int, int]:
    """Return the year and the month of a day since 1970-01-01 (Howard Hinnant, `civil_from_days`)."""
    era, of_era = divmod(day + _DAYS_TO_EPOCH, _DAYS_OF_ERA)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    from_march = (5 * of_year + 2) // 153
    month = from_march + 3 if from_march < 10 else from_march - 9
    return era * _YEARS_OF_ERA + year + (month <= 2), month


def _first_day(year: int, month: int) -> int:
    """Return the first day of a month, since 1970-01-01 (Howard Hinnant, `days_from_civil`)."""
    era, of_era = divmod(year - (month <= 2), _YEARS_OF_ERA)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5
    return era * _DAYS_OF_ERA + 365 * of_era + of_era // 4 - of_era // 100 + of_year - _DAYS_TO_EPOCH
