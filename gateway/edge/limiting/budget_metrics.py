"""Prometheus metrics of budgets: what upstreams still grant us, and how often they refused all the same.

The samples are made when somebody scrapes. The only label is the upstream's name.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.edge.clock import Clock
    from gateway.edge.limiting.budgets import Watched

_LABELS: Final = ("upstream",)
_UNKNOWN: Final = (nan, nan)


class BudgetMetrics(Collector):
    """Tells what is known of budgets."""

    def __init__(self, registry: CollectorRegistry, watched: Callable[[], Mapping[str, Watched]], clock: Clock) -> None:
        """Register with `registry`; `watched` returns what is known of all upstreams now, by their names."""
        self._watched = watched
        self._clock = clock
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape."""
        refused = CounterMetricFamily(
            "accord_budget_refused", "Replies by which an upstream refused a request as one too many.", labels=_LABELS
        )
        absurd = CounterMetricFamily(
            "accord_budget_absurd",
            "Fields of replies that say what no budget can be, and were ignored.",
            labels=_LABELS,
        )
        for name, watched in self._watched().items():
            refused.add_metric((name,), watched.tally.refusals)
            absurd.add_metric((name,), watched.tally.absurd)
        yield refused
        yield absurd
        yield from self._gauges()

    def _gauges(self) -> Iterator[Metric]:
        now_us = int(self._clock.monotonic_s() * US_IN_S)
        left = GaugeMetricFamily(
            "accord_budget_remaining", "What is left of the strictest of an upstream's learned budgets.", labels=_LABELS
        )
        limit = GaugeMetricFamily("accord_budget_limit", "What that budget has when it is full.", labels=_LABELS)
        paused = GaugeMetricFamily(
            "accord_budget_paused_seconds",
            "How long nothing is sent, since the upstream asked for it.",
            labels=_LABELS,
        )
        flight = GaugeMetricFamily(
            "accord_budget_in_flight", "Requests of which the budget was told, and no reply yet.", labels=_LABELS
        )
        for name, watched in self._watched().items():
            learned = None if watched.held is None else watched.held.learned
            least = None if learned is None else learned.least(now_us)
            known, full = _UNKNOWN if least is None else least
            left.add_metric((name,), known)
            limit.add_metric((name,), full)
            until_us = 0 if learned is None else learned.paused_until_us()
            paused.add_metric((name,), max(0, until_us - now_us) / US_IN_S)
            flight.add_metric((name,), 0 if learned is None else learned.in_flight)
        yield from (left, limit, paused, flight)
