"""What operators are told of replies that no dialect knows: a counter, a gauge, and a page on their port."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from prometheus_client.registry import Collector

from gateway.edge.series import Family, Told
from gateway.pipeline.advice import advise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.pipeline.radar import Sightings

_LABELS: Final = ("upstream",)

SEEN: Final = Family(
    "accord_unknown_shapes",
    "counter",
    "Replies that no dialect's own rules knew, so that they were read by guesses.",
    _LABELS,
)
KEPT: Final = Family(
    "accord_unknown_shapes_kept", "gauge", "Different shapes of such replies that are remembered.", _LABELS
)


class UnknownShapes(Collector):
    """Shows the sightings of each upstream, by its name."""

    def __init__(self, registry: CollectorRegistry, sightings: Mapping[str, Sightings]) -> None:
        """Register with `registry`."""
        self._sightings = sightings
        self._seen = Told(SEEN, lambda: (((name,), one.seen) for name, one in self._met()))
        self._kept = Told(KEPT, lambda: (((name,), len(one)) for name, one in self._met()))
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape; an upstream whose replies are all known is in none."""
        yield self._seen.metric()
        yield self._kept.metric()

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
