"""What a request costs with few and with many upstreams and routes: it must not depend on their number."""

from __future__ import annotations

import statistics
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.compare import saturate
from bench.peers import folder, origin
from bench.workshop import accord, compiled, upstream

if TYPE_CHECKING:
    from pathlib import Path

    from bench.workshop import Process

_UPSTREAMS = (3, 100, 1_000)
_ROUTES = 10


def scale(rounds: int, seconds: float) -> dict[int, float]:
    """Return the processor time of one request, in seconds, by the number of upstreams (each with ten routes)."""
    code = compiled()
    found: dict[int, list[float]] = {count: [] for count in _UPSTREAMS}
    with folder() as into, ExitStack() as ends:
        source = origin(into)
        ends.callback(source.end)
        running = {}
        for count in _UPSTREAMS:
            running[count] = _accord(code, into, source.port, count)
            ends.callback(running[count].end)
        for number in range(rounds):
            for count, process in running.items():
                before_s = process.cpu_s()
                _, requests = saturate(process.port, f"/api-{count - 1}/things/{_ROUTES - 1}/x", seconds)
                found[count].append((process.cpu_s() - before_s) / requests)
                sys.stderr.write(f"scale, round {number + 1}: {count} upstreams: {found[count][-1] * 1e6:.1f} µs\n")
    return {count: statistics.median(figures) for count, figures in found.items()}


def _accord(code: Path, into: Path, origin_port: int, count: int) -> Process:
    routes = [{"match": {"path": f"/things/{number}/*"}} for number in range(_ROUTES)]
    names = [f"api-{number}" for number in range(count)]
    return accord(code, into, *[upstream(origin_port, name, f"/{name}", routes=routes) for name in names])
