"""A bucket that an upstream counts in: it fills evenly, up to its limit, and each request takes from it.

Invariants: what is taken for left never exceeds what the upstream holds, if nobody else uses the credential: what was
sent and not answered counts as spent, and filling counts from when the reply came, not from when it was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.units import US_IN_S

if TYPE_CHECKING:
    from gateway.limits.budget.values import Kind, Reserve, Sends
    from gateway.model import Grant

_FREE_PARTS: Final = 5
_LEARNING: Final = 8


class Bucket:
    """What is known of one bucket. Levels are kept as times: `_level_us` of filling are in it at `_at_us`."""

    __slots__ = (
        "_at_us",
        "_cost",
        "_full_us",
        "_kind",
        "_last_us",
        "_level_us",
        "_limit",
        "_sends",
    )

    def __init__(self, grant: Grant, sends: Sends, kind: Kind, *, now_us: int) -> None:
        """Begin with a first reply, which came now."""
        self._sends = sends
        self._kind = kind
        self._cost = 1 if kind.requests else 0
        self._last_us = now_us
        self._at_us = now_us
        self._limit = self._full_us = self._level_us = 0
        self._measure(grant)
        self._level_us = self._us(grant.remaining)

    @property
    def cost(self) -> int:
        """What one request costs; where that is learned, at least 1."""
        return self._cost or 1

    @property
    def limit(self) -> int:
        """How much a full bucket holds."""
        return self._limit

    def report(self, grant: Grant, *, alone: bool, now_us: int) -> None:
        """Take what a reply says that came now.

        `alone`: no other request was answered since its request left, so that it speaks for all of them.
        """
        before = self._now(now_us) * self._limit // self._full_us
        self._measure(grant)
        drop = before - grant.remaining
        if not self._kind.requests and drop > 0:
            self._cost += -(-(drop - self._cost) // _LEARNING)
        told_us = self._us(grant.remaining)
        self._level_us = told_us if alone else min(self._us(before + 1) - 1, told_us)
        self._at_us = now_us

    def silent(self) -> None:
        """Note that a request is over which the upstream may have counted, and that nobody said so."""
        self._level_us -= self._us(self.cost)

    def left(self, now_us: int, replicas: int = 1) -> int:
        """Return how much may still be sent by this replica, of `replicas` that spend alike."""
        held = max(0, self._now(now_us)) * self._limit // self._full_us
        return held // replicas - self._sends.in_flight * self.cost

    def reset_us(self, now_us: int) -> int:
        """Return how long it takes until it is full."""
        return self._full_us - self._now(now_us)

    def wait_us(self, now_us: int, replicas: int, reserve: Reserve) -> int:
        """Return how long a request has to wait; 0 when it may go."""
        cost = self.cost
        spare = self.left(now_us, replicas) - reserve.of(self._limit) // replicas
        each_us = max(1, self._us(cost) * replicas)
        if spare < cost:
            return each_us
        if spare * replicas * _FREE_PARTS > self._limit:
            return 0
        return max(0, self._last_us + each_us - now_us)

    def sent(self, now_us: int) -> None:
        """Note that a request left."""
        self._last_us = now_us

    def _now(self, now_us: int) -> int:
        return min(self._full_us, self._level_us + now_us - self._at_us)

    def _us(self, count: int) -> int:
        """Return how long it takes until so many have come back."""
        return -(-count * self._full_us // max(1, self._limit))

    def _measure(self, grant: Grant) -> None:
        """Note how large the bucket is, and how fast it fills."""
        limit = max(self._limit, grant.remaining, 1) if grant.limit is None else max(1, grant.limit)
        full_us = self._kind.refill_us
        if self._kind.until_reset and grant.reset_us is not None and grant.remaining < limit:
            full_us = (grant.reset_us + grant.grain_us) * limit // (limit - grant.remaining)
        self._limit = limit
        self._full_us = full_us or self._full_us or US_IN_S
