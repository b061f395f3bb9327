"""What a reply's fields say about rates: what is still granted, and when to try again.

The order of sources is that of docs/reference/format.md, "When to retry". Dates and epochs count from the reply's own
`Date` where there is one, so that clocks need not agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.dialects import timing
from gateway.dialects.header import FieldNames, text_of
from gateway.dialects.timing import TimeForm
from gateway.model import Allowance

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


class RateReader:
    """The rate fields of one dialect."""

    __slots__ = ("_counts", "_remaining", "_timed", "_windows", "names")

    def __init__(self, windows: Sequence[RateWindow]) -> None:
        """Keep the windows, their field names in lower case; `names` are those of all fields that are read here."""
        self._windows = [
            (
                _key(window.limit or ""),
                _key(window.remaining or ""),
                (_key(window.reset.header), window.reset.as_) if window.reset is not None else None,
            )
            for window in windows
        ]
        self._remaining = frozenset(remaining for _, remaining, _ in self._windows)
        counts = {name for limit, remaining, reset in self._windows for name in (limit, remaining, (reset or [b""])[0])}
        self._timed = frozenset({*_MS_FIELDS, _RETRY_AFTER}.union(counts))
        self.names = frozenset(name.decode() for name in {*self._timed, _DATE})
        self._counts = FieldNames(self.names)

    def allowance(self, headers: Headers, now_s: float) -> Allowance | None:
        """Return the tightest window that a reply's fields declare, or None. `now_s` is Unix time."""
        fields = self._counts.of(headers)
        if self._remaining.isdisjoint(fields):
            return None
        found = [window for window in self._read(fields, now_s) if window.remaining is not None]
        return min(found, key=lambda window: window.remaining or 0, default=None)

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
        found = []
        for limit, remaining, reset in self._windows:
            if limit in fields or remaining in fields or (reset is not None and reset[0] in fields):
                reset_s = None
                if reset is not None and (text := text_of(fields, reset[0])) is not None:
                    reset_s = timing.seconds_until(text, reset[1], clock(fields, now_s))
                counts = _count(text_of(fields, limit)), _count(text_of(fields, remaining))
                found.append(Allowance(limit=counts[0], remaining=counts[1], reset_s=reset_s))
        return found


def _key(name: str) -> bytes:
    return name.lower().encode()


def clock(fields: Fields, now_s: float) -> float:
    """Return the Unix time at which the upstream made the reply: its `Date`, else `now_s`."""
    date = text_of(fields, _DATE)
    moment = timing.http_date(date) if date is not None else None
    return now_s if moment is None else moment


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    digits = text.partition(";")[0].partition(",")[0].strip()
    if not (digits.isascii() and digits.removeprefix("-").isdigit()):
        return None
    number = int(digits[:20])
    return max(0, number) if number < _LARGEST else None
