"""What operators want to know of a store on another machine: counted here, read at a scrape."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.errors import StoreReason
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.limits.stores.guard.breaker import State


class Where(StrEnum):
    """Where a decision was made."""

    REMOTE = "remote"
    """By the store."""
    DENIED = "denied"
    """Here, since the store refused the same before."""
    LEASED = "leased"
    """Here, out of units that were taken from the store."""
    LOCAL = "local"
    """Here, since the store is away, by shares of the policies."""
    ALLOWED = "allowed"
    """Nowhere: the store is away, and the policies let pass then."""
    REFUSED = "refused"
    """Nowhere: the store is away, and a policy refuses then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """How it goes with a store. Every word is a key, with 0 where nothing was counted.

    `latency` has the calls that ended within each bound and not within the one before, and last those beyond all;
    `latency_us` is their sum. A call that ends after the deadline is in it too.
    """

    state: State
    replicas: int
    failures: Mapping[StoreReason, int]
    decisions: Mapping[Where, int]
    latency: tuple[int, ...]
    latency_us: int


class Tally:
    """Counts. `bounds_s` are the upper ends of the histogram's buckets."""

    def __init__(self, bounds_s: Sequence[float]) -> None:
        """Start at 0."""
        self._bounds_us = [round(bound_s * US_IN_S) for bound_s in bounds_s]
        self._latency = [0] * (len(bounds_s) + 1)
        self._latency_us = 0
        self._failures = dict.fromkeys(StoreReason, 0)
        self._decisions = dict.fromkeys(Where, 0)

    def took(self, us: int) -> None:
        """Count a call that has ended."""
        self._latency[bisect_left(self._bounds_us, us)] += 1
        self._latency_us += us

    def failed(self, reason: StoreReason) -> None:
        """Count a failure."""
        self._failures[reason] += 1

    def decided(self, where: Where) -> None:
        """Count a decision."""
        self._decisions[where] += 1

    def read(self, state: State, replicas: int) -> StoreStats:
        """Return what was counted until now."""
        return StoreStats(
            state=state,
            replicas=replicas,
            failures=self._failures.copy(),
            decisions=self._decisions.copy(),
            latency=tuple(self._latency),
            latency_us=self._latency_us,
        )
