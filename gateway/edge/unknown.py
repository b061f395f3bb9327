"""What operators are told of replies that no dialect knows: a counter, a gauge, and a page on their port."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.pipeline.advice import advise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.pipeline.radar import Sightings

_SEEN: Final = "Replies that no dialect's own rules knew, so that they were read by guesses."
_KEPT: Final = "Different shapes of such replies that are remembered."


class UnknownShapes(Collector):
    """Shows the sightings of each upstream, by its name."""

    def __init__(self, registry: CollectorRegistry, sightings: Mapping[str, Sightings]) -> None:
        """Register with `registry`."""
        self._sightings = sightings
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape; an upstream whose replies are all known is in none."""
        seen = CounterMetricFamily("accord_unknown_shapes", _SEEN, labels=("upstream",))
        kept = GaugeMetricFamily("accord_unknown_shapes_kept", _KEPT, labels=("upstream",))
        for name, one in self._met():
            seen.add_metric((name,), one.seen)
            kept.add_metric((name,), len(one))
        yield seen
        yield kept

    async def page(self) -> dict[str, Any]:
        """Return the page: for each upstream its shapes.

        A rule takes tens of milliseconds to suggest, once for each shape: a thread does it, one after the other.
        """
        upstreams = []
        for name, one in self._met():
            shapes = one.shapes()
            for shape in shapes:
                if shape.suggested_rule is None:
                    await asyncio.to_thread(advise, shape)
            upstreams.append({"name": name, "seen": one.seen, "shapes": shapes})
        return {"upstreams": sorted(upstreams, key=_seen, reverse=True)}

    def _met(self) -> list[tuple[str, Sightings]]:
        return [(name, one) for name, one in self._sightings.items() if one.seen]


def _seen(upstream: dict[str, Any]) -> int:
    seen: int = upstream["seen"]
    return seen
