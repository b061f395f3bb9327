"""What budgets are asked with, and what they remember of a request that left.

Times are integer microseconds of one monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.units import US_IN_S

HUNDRED: Final = 100
LONGEST_US: Final = 15 * 60 * US_IN_S
"""So long at most nothing is sent because of what an upstream said; then one request finds out if it still holds."""


class Scope(StrEnum):
    """How far a pause reaches that an upstream imposes."""

    CREDENTIAL = "credential"
    """All that goes upstream under our credential."""
    BUCKET = "bucket"
    """What the upstream counts together with the request."""
    ROUTE = "route"
    """Requests with the same method and path, and no others: somebody else used up what all share there."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one of an upstream's counts behaves.

    Without more it is a window: all comes back at once at the reset. `refill_us` is how long an empty bucket takes to
    be full; `until_reset` says that the bucket is full at the reset. `requests` is false where something else than
    requests is counted, so that what one costs has to be learned.
    """

    refill_us: int = 0
    until_reset: bool = False
    requests: bool = True


WINDOW: Final = Kind()


@dataclass(frozen=True, slots=True)
class Reserve:
    """What is kept for the chosen: so many percent of the limit, or so many requests."""

    percent: int = 0
    requests: int = 0

    def of(self, limit: int) -> int:
        """Return how many of `limit` are kept."""
        return min(limit, max(self.requests, limit * self.percent // HUNDRED))


NO_RESERVE: Final = Reserve()


class Sends:
    """How many requests left, and how many of them are over: those between are in flight."""

    __slots__ = ("ended", "sent")

    def __init__(self) -> None:
        self.sent = 0
        self.ended = 0

    @property
    def in_flight(self) -> int:
        """How many left of which no reply has come."""
        return self.sent - self.ended
