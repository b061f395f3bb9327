"""Prometheus metrics of this process: which build it is, and how late its loop comes to what is due.

A loop that is late is late for every request: the lag is what the process adds to all of them at that moment.
"""

from __future__ import annotations

import asyncio
import platform
from typing import TYPE_CHECKING, Final

from prometheus_client.registry import Collector

from gateway import __version__
from gateway.edge import call
from gateway.edge.counters import BUCKETS_S, Histogram
from gateway.edge.series import Family, Ready, Told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.edge.clock import Clock

PERIOD_S: Final = 0.125
"""How often the loop's lag is measured."""

LAG: Final = Family(
    "accord_event_loop_lag_seconds",
    "histogram",
    "How late the event loop came to a timer, measured eight times a second.",
)
BUILD: Final = Family("accord_build_info", "gauge", "Which build this is.", ("version", "python", "compiled"))


class RuntimeMetrics(Collector):
    """Tells of the build, and of the lag from `start` to `stop`."""

    def __init__(self, registry: CollectorRegistry, clock: Clock) -> None:
        """Register with `registry`."""
        self._clock = clock
        self._lag = Histogram(LAG, BUCKETS_S)
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0
        build = (__version__, platform.python_version(), "no" if str(call.__file__).endswith(".py") else "yes")
        self._build = Told(BUILD, lambda: ((build, 1),))
        registry.register(self)

    def start(self) -> None:
        """Measure from now on. Must be called in a running loop."""
        self._due_s = self._clock.monotonic_s() + PERIOD_S
        self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self._measure)

    def stop(self) -> None:
        """Measure no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _measure(self) -> None:
        self._lag.observe(max(0.0, self._clock.monotonic_s() - self._due_s) * 1000)
        self.start()

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape."""
        yield Ready(LAG, self._lag.rows)
        yield self._build.metric()
