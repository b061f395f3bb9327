"""The loop's lag is how late it comes to a timer, measured while the gateway runs."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry, generate_latest

from gateway.edge.runtime_metrics import PERIOD_S, RuntimeMetrics
from tests.integration.loops import in_virtual_time


class _Late:
    """The loop's time, and that by which it is late."""

    late_s = 0.0

    def monotonic_s(self) -> float:
        """Return the time."""
        return asyncio.get_running_loop().time() + self.late_s

    def now_s(self) -> float:
        """Return the same."""
        return self.monotonic_s()


def lags(registry: CollectorRegistry) -> dict[str, float]:
    """Return how many lags there were, by their bound."""
    lines = [line for line in generate_latest(registry).decode().splitlines() if "lag_seconds_bucket" in line]
    return {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines}


@in_virtual_time
async def test_a_loop_that_is_held_up_is_late() -> None:
    """By as long as it was; before and after it is in time, and once it is stopped nothing is measured."""
    registry, clock = CollectorRegistry(), _Late()
    runtime = RuntimeMetrics(registry, clock)
    runtime.start()
    await asyncio.sleep(PERIOD_S * 1.5)
    assert lags(registry)["0.001"] == lags(registry)["+Inf"] == 1
    clock.late_s = 0.3
    await asyncio.sleep(PERIOD_S)
    counted = lags(registry)
    assert (counted["0.25"], counted["0.5"], counted["+Inf"]) == (1, 2, 2)
    await asyncio.sleep(PERIOD_S)
    assert lags(registry)["0.001"] == 2
    runtime.stop()
    await asyncio.sleep(10 * PERIOD_S)
    assert lags(registry)["+Inf"] == 3
