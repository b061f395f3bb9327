"""When to try again: every form in which upstreams write a time, turned into seconds.

Sources: RFC 9110 section 10.2.3 (`Retry-After`) and 5.6.7 (HTTP-date); for the rest, the units that a dialect declares.
What does not parse is None and is ignored; what lies in the past is 0. Nothing is capped here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[str, float], float | None]

_LONGEST = 64  # characters; no form of a time is longer, and a number of a million digits is an attack
_LARGEST = 1e18  # of a number in a body
_FARTHEST_S = 1e11  # 3,000 years: what is further off is no time
_EPOCH_MS_FROM = 1e12
_EPOCH_S_FROM = 1e9


class TimeForm(StrEnum):
    """How a time is written. `AUTO` guesses from the size of the number and is for the last resort only."""

    DELTA_SECONDS = "delta_seconds"
    DELTA_MS = "delta_ms"
    EPOCH_SECONDS = "epoch_seconds"
    EPOCH_MS = "epoch_ms"
    HTTP_DATE = "http_date"
    RFC3339 = "rfc3339"
    AUTO = "auto"


def seconds_until(value: object, form: TimeForm, now_s: float) -> float | None:
    """Return how many seconds lie between `now_s` (Unix time) and `value`, at least 0; None when it is no time."""
    text = _text(value)
    found = _READERS[form](text, now_s) if text else None
    if found is None or not isfinite(found) or found > _FARTHEST_S:
        return None
    return max(0.0, found)


def retry_after(value: str, now_s: float) -> float | None:
    """Read a `Retry-After` field: seconds (decimals, which some send, included) or an HTTP-date."""
    seconds = seconds_until(value, TimeForm.DELTA_SECONDS, now_s)
    return seconds if seconds is not None else seconds_until(value, TimeForm.HTTP_DATE, now_s)


@lru_cache(maxsize=64)
def http_date(value: str) -> float | None:
    """Read an HTTP-date (RFC 9110 section 5.6.7) as Unix time."""
    try:
        moment = parsedate_to_datetime(value[:_LONGEST])
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    # The form of asctime() names no zone; all forms are in UTC.
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


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


def _rfc3339(text: str, now_s: float) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:  # RFC 3339 demands an offset; without one the time means nothing
        return None
    return moment.timestamp() - now_s


def _guess(text: str, now_s: float) -> float | None:
    number = _number(text)
    if number is None:
        found = _date(text, now_s)
        return found if found is not None else _rfc3339(text, now_s)
    if number > _EPOCH_MS_FROM:
        return number / 1000 - now_s
    return number - now_s if number > _EPOCH_S_FROM else number


_READERS: dict[TimeForm, Read] = {
    TimeForm.DELTA_SECONDS: _scaled(1),
    TimeForm.DELTA_MS: _scaled(0.001),
    TimeForm.EPOCH_SECONDS: _from_epoch(1),
    TimeForm.EPOCH_MS: _from_epoch(0.001),
    TimeForm.HTTP_DATE: _date,
    TimeForm.RFC3339: _rfc3339,
    TimeForm.AUTO: _guess,
}
