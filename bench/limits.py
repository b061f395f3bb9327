"""What limits cost where their counts are: nowhere, in memory, in shared memory, in Redis; and a Redis that stalls.

Every gateway runs on the proxy's core under the same load, in turn; Redis shares the other core with the origin and the
load generator.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.compare import saturate
from bench.peers import ERROR, folder, origin
from bench.workshop import LOAD_CORE, Process, accord, compiled, debian, free_port, upstream

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ONE = ({"name": "per-client", "key": "client", "requests": 1_000_000, "per": "1s"},)
_FOUR = (
    *_ONE,
    {"name": "per-address", "key": "ip", "requests": 1_000_000, "per": "1s"},
    {"name": "per-upstream", "key": "upstream", "requests": 1_000_000, "per": "1s"},
    {"name": "per-method", "key": ["client", "method"], "requests": 1_000_000, "per": "1s"},
)
_REDIS = {"redis": {"url_env": "ACCORD_REDIS_URL"}}
LIMIT_SETTINGS: Mapping[str, Mapping[str, object]] = {
    "no limits": {},
    "memory, one policy": {"limits": _ONE},
    "memory, four policies": {"limits": _FOUR},
    "shared memory, one policy": {"limits": _ONE, "store": "shared"},
    "shared memory, four policies": {"limits": _FOUR, "store": "shared"},
    "Redis, one policy": {"limits": _ONE, "store": _REDIS},
    "Redis, four policies": {"limits": _FOUR, "store": _REDIS},
}
MEMORY, REDIS = "memory, one policy", "Redis, one policy"
_STALLED_AFTER_S, _STALL_S, _STALL_RUN_S = 1.0, 2.0, 5
_STALL_RATE = 320


class Limits:
    """What was measured: requests a second and seconds of processor time a request, a run a figure, by setting.

    `stall_s` are the times to answer of a steady trickle over two seconds in which Redis stood still, sorted.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.rates: dict[str, list[float]] = {name: [] for name in LIMIT_SETTINGS}
        self.cpu_s: dict[str, list[float]] = {name: [] for name in LIMIT_SETTINGS}
        self.stall_s: list[float] = []

    def table(self) -> str:
        """Return a Markdown table."""
        lines = [
            "## Limits",
            "",
            "A translated error, with limits that never refuse; Redis on the core of the load generator.",
            "",
            "| counts | requests/s | of those in memory | µs CPU a request |",
            "|---|---|---|---|",
        ]
        for name, rates in self.rates.items():
            ratio = statistics.median(ours / theirs for ours, theirs in zip(rates, self.rates[MEMORY], strict=True))
            cpu_us = statistics.median(self.cpu_s[name]) * 1e6
            lines.append(f"| {name} | {statistics.median(rates):,.0f} | {ratio:.2f} × | {cpu_us:.0f} |")
        return "\n".join([*lines, "", self._stall()])

    def _stall(self) -> str:
        times = self.stall_s
        shares = (("median", 0.5), ("99th percentile", 0.99), ("99.9th", 0.999), ("longest", 1.0))
        told = ", ".join(f"{name} {_ms(times, share)}" for name, share in shares)
        return f"Redis stopped for {_STALL_S:g} s under {_STALL_RATE} requests/s: {told}, of {len(times)} answers."


def limits(rounds: int, seconds: float) -> Limits:
    """Measure every setting in turn, round after round, then the stall."""
    found = Limits()
    code = compiled()
    with folder() as into, ExitStack() as ends:
        source = origin(into)
        ends.callback(source.end)
        redis = redis_server(into)
        ends.callback(redis.end)
        running = {}
        for name, settings in LIMIT_SETTINGS.items():
            running[name] = accord(
                code,
                into,
                upstream(source.port),
                settings=settings,
                ACCORD_REDIS_URL=f"redis://127.0.0.1:{redis.port}/0",
            )
            ends.callback(running[name].end)
            saturate(running[name].port, ERROR.path, 1)
        for number in range(rounds):
            for name, process in running.items():
                before_s = process.cpu_s()
                rate, count = saturate(process.port, ERROR.path, seconds)
                found.rates[name].append(rate)
                found.cpu_s[name].append((process.cpu_s() - before_s) / count)
                sys.stderr.write(f"limits, round {number + 1}: {name}: {rate:.0f}/s\n")
        found.stall_s = _stalled(running[REDIS].port, redis, into / "stall.tsv")
    return found


def redis_server(into: Path) -> Process:
    """Start a Redis that keeps nothing."""
    port = free_port()
    command = [debian("redis-server", "redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    return Process([*command, "--appendonly", "no", "--dir", str(into)], port, LOAD_CORE, into)


def _stalled(port: int, redis: Process, log: Path) -> list[float]:
    """Ask steadily while Redis stands still for a while; return the times to answer in seconds, sorted."""
    h2load = debian("h2load", "nghttp2-client")
    command = ["taskset", "-c", LOAD_CORE, h2load, "--h1", "-c32", f"-D{_STALL_RUN_S}", f"--rps={_STALL_RATE // 32}"]
    asking = subprocess.Popen(  # noqa: S603 - a program named here
        [*command, f"--log-file={log}", f"http://127.0.0.1:{port}{ERROR.path}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(_STALLED_AFTER_S)  # noqa: TID251 - a measuring tool's own clock
    os.kill(redis.pid, signal.SIGSTOP)
    try:
        time.sleep(_STALL_S)  # noqa: TID251 - as above
    finally:
        os.kill(redis.pid, signal.SIGCONT)
    asking.wait(_STALL_RUN_S * 4)
    rows = [line.split("\t") for line in log.read_text().splitlines()]
    assert all(row[1] == str(ERROR.status) for row in rows), {row[1] for row in rows}
    return sorted(int(row[2]) / 1e6 for row in rows)


def _ms(times_s: list[float], share: float) -> str:
    return f"{times_s[min(len(times_s) - 1, int(len(times_s) * share))] * 1e3:.1f} ms"
