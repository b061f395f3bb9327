"""Prometheus metrics of where limits keep their counts: how it goes with a store on the network, and what is here.

The samples are made when somebody scrapes. Label values are words of ours alone.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from gateway.edge.metrics import BUCKETS_S
from gateway.limits.stores.guard.breaker import State
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.limits.stores.guard.tally import StoreStats

Word = TypeVar("Word", bound=StrEnum)

_UP: Final = (
    "1 while the store of limits decides, 0 while it is left alone, or asked by one request to see whether it does."
)
_REPLICAS: Final = "Replicas that share the store, by what was last heard of it."
_FAILURES: Final = "Times that the store did not answer, or not in a way that is understood, by the reason."
_DECISIONS: Final = "Decisions by where they were made."
_SECONDS: Final = "How long calls of the store took, those that ended too late to count too."
_KEYS: Final = "Keys that limits count in the memory of this process."


class StoreMetrics(Collector):
    """Tells of a store on the network. `stats` returns what was counted until now, its latency by BUCKETS_S."""

    def __init__(self, registry: CollectorRegistry, stats: Callable[[], StoreStats]) -> None:
        """Register with `registry`."""
        self._stats = stats
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape, all of one moment."""
        stats = self._stats()
        yield GaugeMetricFamily("accord_limit_store_up", _UP, value=int(stats.state is State.OK))
        yield GaugeMetricFamily("accord_limit_replicas", _REPLICAS, value=stats.replicas)
        yield _by("accord_limit_store_failures", _FAILURES, "reason", stats.failures)
        yield _by("accord_limit_store_decisions", _DECISIONS, "where", stats.decisions)
        bounds = (*map(str, BUCKETS_S), "+Inf")
        buckets = list(zip(bounds, accumulate(stats.latency), strict=True))
        sum_s = stats.latency_us / US_IN_S
        yield HistogramMetricFamily("accord_limit_store_seconds", _SECONDS, buckets=buckets, sum_value=sum_s)


class KeyMetrics(Collector):
    """Tells how many keys are held in memory. `held` counts them."""

    def __init__(self, registry: CollectorRegistry, held: Callable[[], int]) -> None:
        """Register with `registry`."""
        self._held = held
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Return the family of one scrape."""
        yield GaugeMetricFamily("accord_limit_keys", _KEYS, value=self._held())


def _by(name: str, about: str, label: str, counts: Mapping[Word, int]) -> Metric:
    family = CounterMetricFamily(name, about, labels=(label,))
    for word, count in counts.items():
        family.add_metric((str(word),), count)
    return family
