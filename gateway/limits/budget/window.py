"""A window that an upstream counts in: so many requests, all of which come back at once when the next one begins.

Invariants: within a window what is left never rises, whatever order replies come in. What was sent and not answered
counts as spent. When the window ends is known within bounds only, for upstreams write it in whole seconds, rounded up
or down, and by a clock of their own: what is left is spent until the upper bound, and what is sent after the lower one
counts against both windows. Each reply sharpens the bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.budget.values import LONGEST_US
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from gateway.limits.budget.values import Reserve, Sends
    from gateway.model import Grant

_FREE_PARTS: Final = 5
"""Above one part of so many, requests go freely; below, they are spread over what is left of the window."""
UNTOLD_US: Final = US_IN_S
"""How long a reply is believed that does not say when the window ends."""
_SETTLING: Final = 4
"""So many times as long as replicas may be apart in when a window begins, and as a reply takes, each keeps to its own
part of a new window: what the others sent in its first moments is not told yet.
"""
_LEARNING: Final = 8
"""What a request costs, where that has to be learned, follows the last cost by one part of so many."""


class Window:
    """What is known of one window. `sends` counts the requests that it counts."""

    __slots__ = (
        "_base",
        "_before",
        "_cost",
        "_early",
        "_high_us",
        "_last_us",
        "_limit",
        "_low_us",
        "_old_us",
        "_sends",
        "_slack_us",
        "_told",
        "_trip_us",
        "_word_us",
    )

    def __init__(self, grant: Grant, sends: Sends, *, left_us: int, now_us: int, learns_cost: bool = False) -> None:
        """Begin with a first reply, which came now to a request that left at `left_us`."""
        self._sends = sends
        self._cost = 0 if learns_cost else 1
        self._last_us = now_us
        self._word_us = now_us
        self._old_us = 0
        self._slack_us = 0
        self._trip_us = now_us - left_us
        self._before = 0
        self._limit = 0
        self._base = 0
        self._high_us = 0
        self._told = False
        self._begin(grant, *_bounds(grant, left_us, now_us))

    # ---- what replies say ----------------------------------------------------------------------------------------

    def report(self, grant: Grant, *, left_us: int, now_us: int) -> None:
        """Take what a reply says that came now; its request left at `left_us`."""
        self._turn(now_us)
        self._trip_us = max(now_us - left_us, self._trip_us - self._trip_us // _LEARNING)
        low_us, high_us = _bounds(grant, left_us, now_us)
        if self._high_us == 0:  # the window before is over, and nobody told yet of this one
            if left_us >= self._old_us or low_us > self._old_us:
                self._begin(grant, low_us, high_us)
        elif low_us > self._high_us or (high_us < self._low_us and left_us >= self._word_us):
            self._begin(grant, low_us, high_us)
        elif high_us >= self._low_us:
            self._sharpen(low_us, high_us)
            self._lower(grant)
        self._word_us = now_us

    def silent(self) -> None:
        """Note that a request is over which the upstream may have counted, and that nobody said so."""
        self._base -= self.cost

    def news(self, base: int, limit: int, low_us: int, high_us: int, now_us: int) -> None:
        """Take what another replica knows of the window that ends between both times: less may be left than was said.

        Of another window than this one it is nothing, but for the next where nobody told of that yet.
        """
        self._turn(now_us)
        if limit != self._limit or not self._told:
            return
        if self._high_us == 0 and self._old_us < low_us and now_us < high_us:
            self._low_us, self._high_us = low_us, high_us
            self._base = min(self._base, base)
        elif low_us <= self._high_us and self._low_us <= high_us:
            self._base = min(self._base, base)

    # ---- what may be sent ----------------------------------------------------------------------------------------

    @property
    def cost(self) -> int:
        """What one request costs; where that is learned, at least 1."""
        return self._cost or 1

    @property
    def limit(self) -> int:
        """How much a window has."""
        return self._limit

    @property
    def base(self) -> int:
        """What was left by the last word of the upstream."""
        return self._base

    @property
    def low_us(self) -> int:
        """When the window is over at the earliest."""
        return self._low_us

    def reset_us(self, now_us: int) -> int:
        """Return how long it takes until all is back; 0 when that is not known."""
        return max(0, self._high_us - now_us)

    @property
    def ends_us(self) -> int:
        """When the window is over for sure; 0 when that is not known."""
        return self._high_us

    def left(self, now_us: int, replicas: int = 1) -> int:
        """Return how much may still be sent by this replica, of `replicas` that spend alike."""
        self._turn(now_us)
        cost = self.cost
        share, flight = max(0, self._base) // replicas, self._sends.in_flight * cost
        if self._high_us == 0 and (share < cost or not self._told):
            share = cost  # nobody would ever know: one finds out
        if replicas > 1 and now_us < self._old_us + _SETTLING * (self._slack_us + self._trip_us):
            share = min(share, self._limit // replicas - (self._sends.ended - self._before) * cost)
        return share - flight

    def wait_us(self, now_us: int, replicas: int, reserve: Reserve) -> int:
        """Return how long a request has to wait; 0 when it may go."""
        left = self.left(now_us, replicas)
        cost = self.cost
        spare = left - reserve.of(self._limit) // replicas
        if spare < cost and self._may_try(now_us):
            return 0
        if spare < cost:
            return max(1, self._high_us - now_us) if self._high_us > now_us else UNTOLD_US
        if spare * replicas * _FREE_PARTS > self._limit or self._high_us <= now_us:
            return 0
        pace_us = (self._high_us - self._last_us) * cost // (spare + cost)
        return max(0, self._last_us + pace_us - now_us)

    def _may_try(self, now_us: int) -> bool:
        """Tell whether one request may find out if the window is over: its end was believed for long, and is far."""
        if self._high_us - now_us <= LONGEST_US or self._sends.in_flight:
            return False
        return now_us >= max(self._word_us, self._last_us) + LONGEST_US

    def sent(self, now_us: int) -> None:
        """Note that a request left: those that are spread follow it at their distance."""
        self._last_us = now_us

    # ---- inside --------------------------------------------------------------------------------------------------

    def _begin(self, grant: Grant, low_us: int, high_us: int) -> None:
        self._low_us, self._high_us = low_us, high_us
        self._base = grant.remaining
        self._limit = max(self._limit, grant.remaining) if grant.limit is None else grant.limit
        self._told = grant.reset_us is not None
        self._early = -1

    def _sharpen(self, low_us: int, high_us: int) -> None:
        """Keep what both bounds leave: they overlap, or the reply would be of another window."""
        self._low_us, self._high_us = max(low_us, self._low_us), min(high_us, self._high_us)

    def _lower(self, grant: Grant) -> None:
        """Believe that less is left, never that more is."""
        drop = self._base - grant.remaining
        if self._cost != 1 and drop > 0:
            self._cost += -(-(drop - self._cost) // _LEARNING)
        if drop > 0:
            self._base = grant.remaining
        if grant.limit is not None:
            self._limit = grant.limit

    def _turn(self, now_us: int) -> None:
        """Begin the next window once this one is over for sure.

        Whatever ended since it may have begun is counted in it, as is what is in flight.
        """
        if self._high_us == 0:
            return
        if self._early < 0 and now_us >= self._low_us:
            self._early = self._sends.ended
        if now_us >= self._high_us:
            self._base = self._limit - (self._sends.ended - self._early) * self.cost
            self._before = self._early
            self._slack_us = self._high_us - self._low_us
            self._old_us, self._low_us, self._high_us, self._early = self._high_us, 0, 0, -1


def _bounds(grant: Grant, left_us: int, now_us: int) -> tuple[int, int]:
    """Return when the window ends at the earliest, and at the latest.

    The upstream counted from some moment between the request's leaving and now, wrote both that moment (its `Date`) and
    the end in steps, and may have rounded either way. It counted within the window, which so ends after that.
    """
    if grant.reset_us is None:
        return now_us, now_us + UNTOLD_US
    return max(left_us, left_us + grant.reset_us - 2 * grant.grain_us), now_us + grant.reset_us + grant.grain_us
