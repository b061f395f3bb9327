"""What a gateway takes for each of what it has: memory, bytes of log, calls of Redis and its processor time.

These are the constants of docs/explanation/scale.md.
"""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Final

from redis import Redis

from bench.compare import saturate
from bench.limits import LIMIT_SETTINGS, redis_server
from bench.peers import ERROR, SMALL, SUCCESS, folder, origin
from bench.workshop import accord, compiled, upstream

if TYPE_CHECKING:
    from pathlib import Path

    from bench.peers import Load
    from bench.workshop import Process

_MANY: Final = 1_000
_IDLE: Final = 2_000
_ALONE: Final = 2_000
_LINE: Final = b'"event":"request"'
_REQUEST: Final = b"GET /raw HTTP/1.1\r\nHost: gateway.example\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes of memory and of log; calls of Redis and its processor time in seconds, for a decision.

    `lines` are the bytes of a line by the kind of request; `busy` and `alone` are (calls, seconds) for a decision, of
    requests that come 32 at a time and one after the other.
    """

    idle_bytes: float
    upstream_bytes: float
    connection_bytes: float
    lines: dict[str, float]
    busy: tuple[float, float]
    alone: tuple[float, float]

    def table(self) -> str:
        """Return a Markdown table."""
        rows = [
            ("a gateway with one upstream that has served nothing, resident", f"{self.idle_bytes / 2**20:.0f} MB"),
            ("an upstream more, with its metrics, unused", f"{self.upstream_bytes / 1024:.0f} kB"),
            ("a client's connection that is idle, after one request", f"{self.connection_bytes / 1024:.1f} kB"),
            *[(f"a log line: {name}", f"{size:.0f} bytes") for name, size in self.lines.items()],
            *[
                (f"calls of Redis for a decision, {name}", f"{calls:.2f}, {cpu_s * 1e6:.0f} µs of its processor")
                for name, (calls, cpu_s) in (("32 at a time", self.busy), ("one after the other", self.alone))
            ],
        ]
        head = ["## What each takes", "", "| what | how much |", "|---|---|"]
        return "\n".join([*head, *[f"| {what} | {much} |" for what, much in rows]])


def footprint(seconds: float) -> Footprint:
    """Measure all of it, compiled."""
    code = compiled()
    with folder() as into, ExitStack() as ends:
        source = origin(into)
        ends.callback(source.end)
        one = accord(code, into, upstream(source.port))
        ends.callback(one.end)
        idle_bytes = one.rss_bytes()
        lines = {load.name: _line_bytes(one, load) for load in (ERROR, SUCCESS, SMALL)}
        busy, alone = _decisions(code, into, source.port, seconds)
        return Footprint(
            idle_bytes=idle_bytes,
            upstream_bytes=(_with_many(code, into, source.port) - idle_bytes) / (_MANY - 1),
            connection_bytes=_connection_bytes(one),
            lines=lines,
            busy=busy,
            alone=alone,
        )


def _with_many(code: Path, into: Path, port: int) -> int:
    process = accord(code, into, *[upstream(port, f"api-{at}", f"/api-{at}") for at in range(_MANY)])
    try:
        return process.rss_bytes()
    finally:
        process.end()


def _line_bytes(process: Process, load: Load) -> float:
    """Ask a hundred times, and see what that adds to the log once the gateway has written it."""
    before, number = process.log.read_bytes(), 100
    _ask(process, load, number)
    while (after := process.log.read_bytes()).count(_LINE) < before.count(_LINE) + number:
        os.sched_yield()
    return (len(after) - len(before)) / number


def _ask(process: Process, load: Load, number: int) -> None:
    """Ask so many times, each after the last answer."""
    connection = HTTPConnection("127.0.0.1", process.port, timeout=5)
    for _ in range(number):
        connection.request("GET", load.path, headers={"User-Agent": "bench", "Authorization": "Bearer 0123456789"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == load.status, answer.status
    connection.close()


def _connection_bytes(process: Process) -> float:
    """Open many connections, have one answer on each, and see what they take."""
    with ExitStack() as stack:
        before = process.rss_bytes()
        for _ in range(_IDLE):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", process.port), timeout=5))
            one.sendall(_REQUEST)
            assert one.recv(65_536).startswith(b"HTTP/1.1 200")
        return (process.rss_bytes() - before) / _IDLE


def _decisions(code: Path, into: Path, port: int, seconds: float) -> tuple[tuple[float, float], tuple[float, float]]:
    with ExitStack() as ends:
        redis = redis_server(into)
        ends.callback(redis.end)
        settings, url = LIMIT_SETTINGS["Redis, one policy"], f"redis://127.0.0.1:{redis.port}/0"
        process = accord(code, into, upstream(port), settings=settings, ACCORD_REDIS_URL=url)
        ends.callback(process.end)
        admin = ends.enter_context(Redis.from_url(url))
        saturate(process.port, ERROR.path, 1)

        def spent(number: int, before: tuple[int, float]) -> tuple[float, float]:
            return (_calls(admin) - before[0]) / number, (redis.cpu_s() - before[1]) / number

        before = _calls(admin), redis.cpu_s()
        busy = spent(saturate(process.port, ERROR.path, seconds)[1], before)
        before = _calls(admin), redis.cpu_s()
        _ask(process, ERROR, _ALONE)
        return busy, spent(_ALONE, before)


def _calls(admin: Redis) -> int:
    """Return how many calls of our script the server has had."""
    stats = admin.info("commandstats")
    assert isinstance(stats, dict)
    return sum(int(stats[name]["calls"]) for name in ("cmdstat_evalsha", "cmdstat_eval") if name in stats)
