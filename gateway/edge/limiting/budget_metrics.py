"""Prometheus metrics of budgets: what upstreams still grant us, and how often they refused all the same.

The samples are made when somebody scrapes. The only label is the upstream's name.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Final

from prometheus_client.registry import Collector

from gateway.edge.series import Family, Told
from gateway.errors import StoreReason
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.edge.clock import Clock
    from gateway.edge.limiting.budgets import Watched

_LABELS: Final = ("upstream",)

REFUSED: Final = Family(
    "accord_budget_refused", "counter", "Replies by which an upstream refused a request as one too many.", _LABELS
)
ABSURD: Final = Family(
    "accord_budget_absurd", "counter", "Fields of replies that say what no budget can be, and were ignored.", _LABELS
)
REMAINING: Final = Family(
    "accord_budget_remaining", "gauge", "What is left of the strictest of an upstream's budgets.", _LABELS
)
LIMIT: Final = Family("accord_budget_limit", "gauge", "What that budget has when it is full.", _LABELS)
RESET: Final = Family("accord_budget_reset_seconds", "gauge", "How long it takes until all of it is back.", _LABELS)
PAUSED: Final = Family(
    "accord_budget_paused_seconds", "gauge", "How long nothing is sent, since the upstream asked for it.", _LABELS
)
FLIGHT: Final = Family(
    "accord_budget_in_flight", "gauge", "Requests of which the budget was told, and no reply yet.", _LABELS
)

BOARD_FAILURES: Final = Family(
    "accord_budget_board_failures",
    "counter",
    "Times that replicas could not tell each other of budgets, since the store did not do it, by the reason.",
    ("reason",),
)


class BoardMetrics(Collector):
    """Counts how often the store did not pass on what replicas tell each other. `on_change` hears when that changes."""

    def __init__(self, registry: CollectorRegistry, on_change: Callable[[StoreReason | None], None]) -> None:
        """Register with `registry`; it is taken to do it until it does not."""
        self._on_change = on_change
        self._reason: StoreReason | None = None
        self._failures = dict.fromkeys(StoreReason, 0)
        self._told = Told(BOARD_FAILURES, lambda: [((reason.value,), n) for reason, n in self._failures.items()])
        registry.register(self)

    def heard(self, reason: StoreReason | None) -> None:
        """Take what became of one call: why it failed, or None."""
        if reason is not None:
            self._failures[reason] += 1
        if reason is not self._reason:
            self._reason = reason
            self._on_change(reason)

    def collect(self) -> Iterator[Metric]:
        """Return the family of one scrape."""
        yield self._told.metric()


class BudgetMetrics(Collector):
    """Tells what is known of budgets."""

    def __init__(self, registry: CollectorRegistry, watched: Callable[[], Mapping[str, Watched]], clock: Clock) -> None:
        """Register with `registry`; `watched` returns what is known of all upstreams now, by their names."""
        self._watched = watched
        self._clock = clock
        self._families = tuple([self._told(family, number) for family, number in _NUMBERS])
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape."""
        for family in self._families:
            yield family.metric()

    def _told(self, family: Family, number: Callable[[Watched, int], float]) -> Told:
        def numbers() -> Iterator[tuple[tuple[str, ...], float]]:
            now_us = int(self._clock.monotonic_s() * US_IN_S)
            for name, watched in list(self._watched().items()):
                yield (name,), number(watched, now_us)

        return Told(family, numbers)


def _known(place: int) -> Callable[[Watched, int], float]:
    """Return what tells of one part of what is known: what is left, of how much, until when in microseconds."""

    def number(watched: Watched, now_us: int) -> float:
        least = watched.least(now_us)
        return nan if least is None else least[place]

    return number


def _reset(watched: Watched, now_us: int) -> float:
    return _known(2)(watched, now_us) / US_IN_S


def _paused(watched: Watched, now_us: int) -> float:
    until_us = 0 if watched.held is None else watched.held.learned.paused_until_us()
    return max(0, until_us - now_us) / US_IN_S


_NUMBERS: Final[tuple[tuple[Family, Callable[[Watched, int], float]], ...]] = (
    (REFUSED, lambda watched, _now_us: watched.tally.refusals),
    (ABSURD, lambda watched, _now_us: watched.tally.absurd),
    (REMAINING, _known(0)),
    (LIMIT, _known(1)),
    (RESET, _reset),
    (PAUSED, _paused),
    (FLIGHT, lambda watched, _now_us: 0 if watched.held is None else watched.held.learned.in_flight),
)
"""Each family, and its number of one upstream at a time in microseconds."""

FAMILIES: Final = tuple(family for family, _ in _NUMBERS)
