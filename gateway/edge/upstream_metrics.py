"""Prometheus metrics of the connections to upstreams: how many there are, how many rest, and who waits for one.

The samples are made when somebody scrapes. The only label is the upstream's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client.registry import Collector

from gateway.edge.series import Family, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.upstream import Stats

_LABELS: Final = ("upstream",)

OPEN: Final = Family(
    "accord_pool_open_connections",
    "gauge",
    "Connections to an upstream that are being made, in use or at rest.",
    _LABELS,
)
IDLE: Final = Family("accord_pool_idle_connections", "gauge", "Connections to an upstream that rest.", _LABELS)
WAITING: Final = Family(
    "accord_pool_waiting_requests", "gauge", "Requests that wait for a connection to an upstream.", _LABELS
)
TUNNELS: Final = Family("accord_open_tunnels", "gauge", "WebSockets that are open to an upstream.", _LABELS)

FAMILIES: Final = (OPEN, IDLE, WAITING, TUNNELS)
"""In the order of the members of `Stats`."""


class UpstreamMetrics(Collector):
    """Tells how the pools stand. `stats` returns that of each upstream, by its name."""

    def __init__(self, registry: CollectorRegistry, stats: Callable[[], Mapping[str, Stats]]) -> None:
        """Register with `registry`."""
        self._stats = stats
        self._families = tuple(
            Told(family, lambda place=place: self._numbers(place))  # type: ignore[misc]
            for place, family in enumerate(FAMILIES)
        )
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape."""
        for family in self._families:
            yield family.metric()

    def _numbers(self, place: int) -> Iterator[tuple[tuple[str, ...], float]]:
        for name, stats in self._stats().items():
            yield (name,), stats[place]
