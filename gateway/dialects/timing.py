"""When to try again: every form in which upstreams write a time, turned into seconds.

Sources: RFC 9110 section 10.2.3 (`Retry-After`) and 5.6.7 (HTTP-date); for the rest, the units that a dialect declares.
What does not parse is None and is ignored; what lies in the past is 0. Nothing is capped here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[str, float], float | None]

_MOST_VALUES = 8
_LONGEST = 64  # characters; no form of a time is longer, and a number of a million digits is an attack
_LARGEST = 1e18  # of a number in a body
_FARTHEST_S = 1e11  # 3,000 years: what is further off is no time
_EPOCH_MS_FROM = 1e12
_EPOCH_S_FROM = 1e9
_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "\N{MICRO SIGN}s": 1e-6, "ns": 1e-9}
_is_duration = re.compile("(?:[0-9]{1,12}(?:\\.[0-9]{1,12})?(?:h|ms|m|us|\N{MICRO SIGN}s|ns|s)){1,8}").fullmatch
_parts_of_duration = re.compile("([0-9.]+)([a-z\N{MICRO SIGN}]+)").findall
_iso_duration = re.compile(
    r"P(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)S)?)?"
).fullmatch


class TimeForm(StrEnum):
    """How a time is written.

    `DATETIME` is RFC 3339, or a date and a time with a space between and perhaps no zone, which then is UTC. `DURATION`
    is that of Go and Protocol Buffers (`1m30s`, `250ms`, `34.07s`), `ISO8601_DURATION` is `PT1M30S`. `AUTO` guesses
    from the size of the number and is for the last resort only.
    """

    DELTA_SECONDS = "delta_seconds"
    DELTA_MS = "delta_ms"
    DELTA_MINUTES = "delta_minutes"
    EPOCH_SECONDS = "epoch_seconds"
    EPOCH_MS = "epoch_ms"
    HTTP_DATE = "http_date"
    RFC3339 = "rfc3339"
    DATETIME = "datetime"
    DURATION = "duration"
    ISO8601_DURATION = "iso8601_duration"
    AUTO = "auto"


def seconds_until(value: object, form: TimeForm, now_s: float) -> float | None:
    """Return how many seconds lie between `now_s` (Unix time) and `value`, at least 0; None when it is no time."""
    text = _text(value)
    found = _READERS[form](text, now_s) if text else None
    if found is None or not isfinite(found) or found > _FARTHEST_S:
        return None
    return max(0.0, found)


def retry_after(value: str, now_s: float) -> float | None:
    """Read a `Retry-After` field: seconds (decimals, which some send, included) or an HTTP-date.

    Of several, which two layers of an API may have written (`5, 30`), the longest counts.
    """
    seconds = [seconds_until(part, TimeForm.DELTA_SECONDS, now_s) for part in value.split(",", _MOST_VALUES)]
    longest = max((found for found in seconds if found is not None), default=None)
    return longest if longest is not None else seconds_until(value, TimeForm.HTTP_DATE, now_s)


@lru_cache(maxsize=64)
def http_date(value: str) -> float | None:
    """Read an HTTP-date (RFC 9110 section 5.6.7) as Unix time."""
    try:
        moment = parsedate_to_datetime(value[:_LONGEST])
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    # The form of asctime() names no zone; all forms are in UTC.
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def seconds_to_refill(need: object, have: object, per_second: object) -> float | None:
    """Return after how many seconds a bucket that fills evenly holds what is needed; None when that is unknown."""
    amounts = [_number(_text(value)) for value in (need, have, per_second)]
    if None in amounts:
        return None
    missing, rate = (amounts[0] or 0) - (amounts[1] or 0), amounts[2] or 0
    if missing <= 0:
        return 0.0
    return missing / rate if rate > 0 and missing / rate <= _FARTHEST_S else None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()[:_LONGEST]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return ""
    return str(value)


def _number(text: str) -> float | None:
    if "_" in text:  # Python's own notation, nobody's on the wire
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _scaled(factor: float) -> Read:
    def read(text: str, _now_s: float) -> float | None:
        number = _number(text)
        return None if number is None else number * factor

    return read


def _from_epoch(factor: float) -> Read:
    def read(text: str, now_s: float) -> float | None:
        number = _number(text)
        return None if number is None else number * factor - now_s

    return read


def _date(text: str, now_s: float) -> float | None:
    moment = http_date(text)
    return None if moment is None else moment - now_s


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _rfc3339(text: str, now_s: float) -> float | None:
    moment = _moment(text)
    if moment is None or moment.tzinfo is None:  # RFC 3339 demands an offset; without one the time means nothing
        return None
    return moment.timestamp() - now_s


def _datetime(text: str, now_s: float) -> float | None:
    moment = _moment(text.removesuffix(" UTC"))
    if moment is None:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp() - now_s


def _duration(text: str, _now_s: float) -> float | None:
    if _is_duration(text) is None:
        return None
    return sum(float(number) * _UNITS_S[unit] for number, unit in _parts_of_duration(text))


def _iso8601_duration(text: str, _now_s: float) -> float | None:
    found = _iso_duration(text)
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _guess(text: str, now_s: float) -> float | None:
    number = _number(text)
    if number is None:
        readings = (read(text, now_s) for read in (_duration, _date, _datetime, _iso8601_duration))
        return next((found for found in readings if found is not None), None)
    if number > _EPOCH_MS_FROM:
        return number / 1000 - now_s
    return number - now_s if number > _EPOCH_S_FROM else number


_READERS: dict[TimeForm, Read] = {
    TimeForm.DELTA_SECONDS: _scaled(1),
    TimeForm.DELTA_MS: _scaled(0.001),
    TimeForm.DELTA_MINUTES: _scaled(60),
    TimeForm.EPOCH_SECONDS: _from_epoch(1),
    TimeForm.EPOCH_MS: _from_epoch(0.001),
    TimeForm.HTTP_DATE: _date,
    TimeForm.RFC3339: _rfc3339,
    TimeForm.DATETIME: _datetime,
    TimeForm.DURATION: _duration,
    TimeForm.ISO8601_DURATION: _iso8601_duration,
    TimeForm.AUTO: _guess,
}
