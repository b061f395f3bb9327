"""What replicas tell each other of an upstream's budget: the least that is left, the longest pause.

Invariants: only what another one could not know by its own replies within a moment is told: a pause that is longer
than any told of, a window that is new, or of which a twentieth more is gone, or anything of the last fifth. Merging is
a minimum and a maximum, so the order in which replicas tell does not matter. Times are Unix time here, for replicas
share no other clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from gateway.limits.budget.learned import Learned

_WORTH_TELLING_PARTS: Final = 20
_SHORT_PARTS: Final = 5
"""Below one part of so many each request that is gone is told: the last ones are spread over the whole window."""
SKEW_US: Final = US_IN_S // 20
"""So far replicas' clocks may be apart, and what they know of one window is still taken for the same."""


class Left(Struct, frozen=True, gc=False):
    """What is left of one of an upstream's windows, which ends after `low_us` and at `ends_us` at the latest."""

    window: int
    limit: int
    base: int
    low_us: int
    ends_us: int


class News(Struct, frozen=True):
    """What is known of a budget; `paused_until_us` is 0 where nothing is paused."""

    paused_until_us: int = 0
    left: tuple[Left, ...] = ()


NOTHING: Final = News()


class BudgetBoard(Protocol):
    """Where replicas tell each other. A board that cannot be reached returns `NOTHING`."""

    def exchange(self, upstream: str, news: News) -> Awaitable[News]:
        """Tell what is new of an upstream's budget, perhaps `NOTHING`, and return what is known by all."""

    async def aclose(self) -> None:
        """Let go of what leads there."""


def merged(one: News, other: News) -> News:
    """Return the longest pause, and of each window the least that is left; of two windows the later one."""
    left = {known.window: known for known in one.left}
    for known in other.left:
        mine = left.get(known.window)
        left[known.window] = known if mine is None else _less(mine, known)
    until_us = max(one.paused_until_us, other.paused_until_us)
    return News(until_us, tuple([left[window] for window in sorted(left)]))


def _less(one: Left, other: Left) -> Left:
    if _after(one, other):
        return one
    if _after(other, one):
        return other
    return one if one.base <= other.base else other


def _after(one: Left, other: Left) -> bool:
    """Tell whether it is a later window: there is no moment at which both could end."""
    return one.low_us > other.ends_us + SKEW_US


class Teller:
    """One replica's side of the board for one upstream: what is worth telling of `learned`, and what others told."""

    __slots__ = ("_learned", "_told")

    def __init__(self, learned: Learned) -> None:
        """Begin with nothing told."""
        self._learned = learned
        self._told = NOTHING

    def news(self, now_us: int, unix_us: int) -> News:
        """Return what the others should know and were not told; it counts as told then."""
        ahead_us = unix_us - now_us
        told = {known.window: known for known in self._told.left}
        left = [
            Left(window, known.limit, max(0, known.base), known.low_us + ahead_us, known.ends_us + ahead_us)
            for window, known in self._learned.windows().items()
            if known.ends_us > now_us
        ]
        fresh = tuple([one for one in left if _is_news(one, told.get(one.window))])
        until_us = self._learned.paused_until_us()
        pause_us = until_us + ahead_us if until_us > now_us else 0
        news = News(pause_us if pause_us > self._told.paused_until_us else 0, fresh)
        self._told = merged(self._told, news)
        return news

    def heard(self, known: News, now_us: int, unix_us: int) -> None:
        """Take what is known by all."""
        ahead_us = unix_us - now_us
        windows = self._learned.windows()
        for one in known.left:
            window = windows.get(one.window)
            if window is not None:
                window.news(one.base, one.limit, one.low_us - ahead_us, one.ends_us - ahead_us, now_us)
        if known.paused_until_us > unix_us:
            self._learned.lengthen(known.paused_until_us - ahead_us, now_us)
        self._told = merged(self._told, known)


def _is_news(one: Left, told: Left | None) -> bool:
    if told is None or _after(one, told):
        return True
    gone = told.base - one.base
    return gone > one.limit // _WORTH_TELLING_PARTS or (gone > 0 and one.base * _SHORT_PARTS < one.limit)
