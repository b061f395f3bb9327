"""What a reply's fields say about rates: what is still granted, and when to try again.

The order of sources is that of docs/reference/format.md, "When to retry". Dates and epochs count from the reply's own
`Date` where there is one, so that clocks need not agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.dialects import timing
from gateway.dialects.header import FieldNames, text_of
from gateway.dialects.timing import TimeForm
from gateway.limits.budget.values import Kind
from gateway.model import Allowance, Grant
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dialects.header import Fields
    from gateway.dialects.spec import RateWindow
    from gateway.dialects.view import View
    from gateway.model import Headers

_TOO_MANY_REQUESTS = 429
_LARGEST = 10**12  # a count beyond this is no count
_MS_FIELDS = (b"retry-after-ms", b"x-ms-retry-after-ms", b"x-retry-after-ms")
_RETRY_AFTER = b"retry-after"
_DATE = b"date"
_IETF = b"ratelimit"
_MOST_WINDOWS = 16
_DELTA = TimeForm.DELTA_SECONDS
_SECOND_US, _MINUTE_US, _MS_US = US_IN_S, 60 * US_IN_S, 1_000
_LONGEST_S = 366 * 86_400  # a window of more than a year is no window
_BY_CLOCK = frozenset(set(TimeForm) - {_DELTA, TimeForm.DELTA_MS, TimeForm.DELTA_MINUTES, TimeForm.DURATION})
"""Forms that count from `Date`, which is in whole seconds; and guesses."""
_ROWS = 1_000
"""The second row of a window with several is so much further on among all windows."""
_IETF_ROWS = 1_000_000


class RateReader:
    """The rate fields of one dialect, and those of the IETF draft, which mean the same everywhere."""

    __slots__ = ("_counts", "_telling", "_timed", "_windows", "names")

    def __init__(self, windows: Sequence[RateWindow]) -> None:
        """Compile the windows; `names` are those of all fields that are read here."""
        self._windows = [_Window(window) for window in windows]
        self._telling = frozenset({_IETF}.union(*(window.telling for window in self._windows)))
        self._timed = frozenset({*_MS_FIELDS, _RETRY_AFTER, _IETF}.union(*(one.names for one in self._windows)))
        self.names = frozenset(name.decode() for name in {*self._timed, _DATE})
        self._counts = FieldNames(self.names)

    def allowance(self, headers: Headers, now_s: float) -> Allowance | None:
        """Return the tightest window that a reply's fields declare, or None. `now_s` is Unix time."""
        fields = self._counts.of(headers)
        if self._telling.isdisjoint(fields):
            return None
        found = [window for window in self._read(fields, now_s) if window.remaining is not None]
        return min(found, key=lambda window: (window.remaining or 0, window.reset_s is None), default=None)

    def kinds(self) -> tuple[Kind, ...]:
        """Return how the declared windows behave, by their place."""
        return tuple(window.kind for window in self._windows)

    def grants(self, headers: Headers, now_s: float) -> tuple[tuple[Grant, ...], int]:
        """Return what a reply's fields say is left of each window, and how many of them say what cannot be."""
        fields = self._counts.of(headers)
        if self._telling.isdisjoint(fields):
            return (), 0
        found: list[Grant] = []
        absurd = 0
        for place, window in enumerate(self._windows):
            if window.telling.isdisjoint(fields) or self._told_better(window, fields):
                continue
            rows = window.read(fields, now_s)
            absurd += window.absurd(fields, rows)
            found += _granted(rows, place, window.grain_us(fields))
        if (value := text_of(fields, _IETF)) is not None:
            rows = _ietf(value)
            absurd += all(row.remaining is None for row in rows)
            found += _granted(rows, _IETF_ROWS, _SECOND_US)
        return tuple(found), absurd

    def _told_better(self, window: _Window, fields: Fields) -> bool:
        """Tell whether the same count is told with its reset by another window, where this one's is not there."""
        if not window.resets_elsewhere(fields):
            return False
        return any(
            not other.telling.isdisjoint(window.telling) and other.tells_reset(fields)
            for other in self._windows
            if other is not window
        )

    def retry_after(self, view: View, now_s: float) -> float | None:
        """Return after how many seconds the fields say to try again, or None."""
        fields = view.fields
        if self._timed.isdisjoint(fields):
            return None
        for name in _MS_FIELDS:
            if (value := text_of(fields, name)) is not None:
                found = timing.seconds_until(value, TimeForm.DELTA_MS, now_s)
                if found is not None:
                    return found
        if (value := text_of(fields, _RETRY_AFTER)) is not None:
            found = timing.retry_after(value, clock(fields, now_s))
            if found is not None:
                return found
        return self._until_reset(fields, view.status, now_s)

    def _until_reset(self, fields: Fields, status: int, now_s: float) -> float | None:
        windows = [window for window in self._read(fields, now_s) if window.reset_s is not None]
        if not windows:
            return None
        spent = [window.reset_s for window in windows if window.remaining == 0]
        if not spent and status == _TOO_MANY_REQUESTS:
            spent = [window.reset_s for window in windows]
        return max((reset_s for reset_s in spent if reset_s is not None), default=None)

    def _read(self, fields: Fields, now_s: float) -> list[Allowance]:
        found = [allowance for window in self._windows for allowance in window.read(fields, now_s)]
        if (value := text_of(fields, _IETF)) is not None:
            found += _ietf(value)
        return found


class _Window:
    """The fields of one window, or of several in a row, for some list them in each field with commas between."""

    __slots__ = ("_limit", "_pair", "_remaining", "_reset", "_used", "kind", "names", "telling")

    def __init__(self, spec: RateWindow) -> None:
        self._limit, self._remaining, self._used, self._pair = map(
            _key, (spec.limit, spec.remaining, spec.used, spec.pair)
        )
        self._reset = (_key(spec.reset.header), spec.reset.as_) if spec.reset is not None else None
        self.kind = Kind(
            refill_us=round(spec.refills * US_IN_S) if isinstance(spec.refills, float) else 0,
            until_reset=spec.refills == "by_reset",
            requests=spec.counts == "requests",
        )
        self.telling = frozenset(filter(None, (self._remaining, self._used, self._pair)))
        reset = [self._reset[0]] if self._reset is not None else []
        self.names = frozenset(filter(None, (self._limit, *self.telling, *reset)))

    def read(self, fields: Fields, now_s: float) -> list[Allowance]:
        """Return what the fields declare; nothing where none of them is there."""
        if self.names.isdisjoint(fields):
            return []
        limits, left = self._counts(fields)
        times = self._times(fields, now_s)
        several = {len(limits), len(left), len(times)} - {0}
        rows = several.pop() if len(several) == 1 else 1  # lists of different lengths do not belong together
        return [
            Allowance(
                limit=limits[row] if limits else None,
                remaining=left[row] if left else None,
                reset_s=times[row] if times else None,
            )
            for row in range(rows)
        ]

    def tells_reset(self, fields: Fields) -> bool:
        """Tell whether the field is there that says when it begins anew."""
        return self._reset is not None and self._reset[0] in fields

    def resets_elsewhere(self, fields: Fields) -> bool:
        """Tell whether that field is declared and is not there."""
        return self._reset is not None and self._reset[0] not in fields

    def absurd(self, fields: Fields, rows: Sequence[Allowance]) -> int:
        """Return how many of the fields say what cannot be: a number that is none, a time nobody lives to see."""
        told = rows if self.tells_reset(fields) else ()
        wrong_times = [row for row in told if row.reset_s is None or row.reset_s > _LONGEST_S]
        return bool(wrong_times) + any(row.remaining is None for row in rows)

    def grain_us(self, fields: Fields) -> int:
        """Return in which steps the reset is written."""
        if self._reset is None or (text := text_of(fields, self._reset[0])) is None:
            return _SECOND_US
        return _grain_us(self._reset[1], text)

    def _counts(self, fields: Fields) -> tuple[list[int | None], list[int | None]]:
        """Return the limits and what is left of each."""
        if (pair := text_of(fields, self._pair)) is not None:
            used, _, limit = pair.partition("/")
            limits, spent = [_count(limit)], [_count(used)]
        else:
            limits, spent = _listed(text_of(fields, self._limit)), _listed(text_of(fields, self._used))
        if spent and len(spent) == len(limits):
            return limits, [_left(limit, used) for limit, used in zip(limits, spent, strict=True)]
        return limits, _listed(text_of(fields, self._remaining))

    def _times(self, fields: Fields, now_s: float) -> list[float | None]:
        if self._reset is None or (text := text_of(fields, self._reset[0])) is None:
            return []
        now_s = clock(fields, now_s)
        whole = timing.seconds_until(text, self._reset[1], now_s)  # dates have commas in them
        if whole is not None or "," not in text:
            return [whole]
        return [timing.seconds_until(part, self._reset[1], now_s) for part in text.split(",")[:_MOST_WINDOWS]]


def _ietf(value: str) -> list[Allowance]:
    """Read a `RateLimit` field: `"burst";r=12;t=30`, or in older drafts `limit=100, remaining=0, reset=50`.

    (draft-ietf-httpapi-ratelimit-headers; `t` and `reset` are in seconds from the reply.)
    """
    if ";" not in value:
        members = _parameters(value.split(",")[:_MOST_WINDOWS])
        rows = [(members.get("limit"), members.get("remaining"), members.get("reset"))]
    else:
        windows = [_parameters(item.split(";")) for item in value.split(",")[:_MOST_WINDOWS]]
        rows = [(None, window.get("r"), window.get("t")) for window in windows]
    return [
        Allowance(limit=_count(limit), remaining=_count(remaining), reset_s=timing.seconds_until(reset, _DELTA, 0.0))
        for limit, remaining, reset in rows
    ]


def _granted(rows: Sequence[Allowance], place: int, grain_us: int) -> list[Grant]:
    """Return the rows of a window that say what is left; a reset that cannot be is left out."""
    return [
        Grant(
            place + row * _ROWS,
            one.limit,
            one.remaining,
            None if one.reset_s is None or one.reset_s > _LONGEST_S else round(one.reset_s * US_IN_S),
            grain_us,
        )
        for row, one in enumerate(rows)
        if one.remaining is not None
    ]


def _grain_us(form: TimeForm, text: str) -> int:
    if form is TimeForm.DELTA_MINUTES:
        return _MINUTE_US
    fine = form is TimeForm.DELTA_MS or "." in text or "ms" in text
    return _MS_US if fine and form not in _BY_CLOCK else _SECOND_US


def _parameters(items: Sequence[str]) -> dict[str, str]:
    pairs = (item.partition("=") for item in items)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _key(name: str | None) -> bytes:
    return (name or "").lower().encode()


def clock(fields: Fields, now_s: float) -> float:
    """Return the Unix time at which the upstream made the reply: its `Date`, else `now_s`."""
    date = text_of(fields, _DATE)
    moment = timing.http_date(date) if date is not None else None
    return now_s if moment is None else moment


def _left(limit: int | None, used: int | None) -> int | None:
    return None if limit is None or used is None else max(0, limit - used)


def _listed(text: str | None) -> list[int | None]:
    return [] if text is None else [_count(part) for part in text.split(",")[:_MOST_WINDOWS]]


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    digits = text.partition(";")[0].strip()
    if not (digits.isascii() and digits.removeprefix("-").isdigit()):
        return None
    number = int(digits[:20])
    return max(0, number) if number < _LARGEST else None
