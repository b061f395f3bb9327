"""Prometheus metrics of where limits keep their counts: how it goes with a store on the network, and what is here.

The samples are made when somebody scrapes. Label values are words of ours alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client.registry import Collector

from gateway.edge.counters import BUCKETS_S, Histogram
from gateway.edge.series import Family, Ready, Told
from gateway.limits.stores.guard.breaker import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.limits.stores.guard.tally import StoreStats

UP: Final = Family(
    "accord_limit_store_up",
    "gauge",
    "1 while the store of limits decides, 0 while it is left alone, or asked by one request to see whether it does.",
)
REPLICAS: Final = Family(
    "accord_limit_replicas", "gauge", "Replicas that share the store, by what was last heard of it."
)
FAILURES: Final = Family(
    "accord_limit_store_failures",
    "counter",
    "Times that the store did not answer, or not in a way that is understood, by the reason.",
    ("reason",),
)
DECISIONS: Final = Family("accord_limit_store_decisions", "counter", "Decisions by where they were made.", ("where",))
SECONDS: Final = Family(
    "accord_limit_store_seconds",
    "histogram",
    "How long calls of the store took, those that ended too late to count too.",
)
KEYS: Final = Family("accord_limit_keys", "gauge", "Keys that limits count in the memory of this process.")


class StoreMetrics(Collector):
    """Tells of a store on the network. `stats` returns what was counted until now, its latency by BUCKETS_S."""

    def __init__(self, registry: CollectorRegistry, stats: Callable[[], StoreStats]) -> None:
        """Register with `registry`."""
        self._stats = stats
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape, all of one moment."""
        stats = self._stats()
        yield Told(UP, lambda: (((), int(stats.state is State.OK)),)).metric()
        yield Told(REPLICAS, lambda: (((), stats.replicas),)).metric()
        yield Told(FAILURES, lambda: [((str(word),), count) for word, count in stats.failures.items()]).metric()
        yield Told(DECISIONS, lambda: [((str(word),), count) for word, count in stats.decisions.items()]).metric()
        took = Histogram(SECONDS, BUCKETS_S)
        took.counts, took.sum_ms = list(stats.latency), stats.latency_us / 1000
        yield Ready(SECONDS, took.rows)


class KeyMetrics(Collector):
    """Tells how many keys are held in memory. `held` counts them."""

    def __init__(self, registry: CollectorRegistry, held: Callable[[], int]) -> None:
        """Register with `registry`."""
        self._keys = Told(KEYS, lambda: (((), held()),))
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Return the family of one scrape."""
        yield self._keys.metric()
