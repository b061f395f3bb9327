"""What a scrape costs: its own time, how long requests stand still meanwhile, and what it takes of the throughput.

The gateway has a thousand upstreams, all of which have had traffic. Requests come at a steady rate, first without a
scrape and then with one a second; the gateway's own metric of its loop's lag is read before and after.
"""

from __future__ import annotations

import os
import re
import statistics
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from bench.compare import saturate, steady
from bench.peers import ERROR, SMALL, SUCCESS, folder, origin
from bench.workshop import LOAD_CORE, ROOT, accord, compiled, upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bench.workshop import Process

_UPSTREAMS: Final = 1_000
_FEW: Final = 10
_RATE: Final = 640
_EVERY_S: Final = 1.0
SCRAPE_BAR_S: Final = 2.0
STALL_BAR_S: Final = 0.03
_CODES: Final[Mapping[str, Callable[[], Path]]] = {"compiled": compiled, "not compiled": lambda: ROOT}
_LAG: Final = re.compile(rb'^accord_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)


@dataclass(slots=True, kw_only=True)
class Scraped:
    """What was measured of one gateway, in seconds. `quiet_s` and `scraped_s` are times to answer, sorted.

    `lags` are counts by the upper ends of buckets, by the gateway's own metric; `ratios` are rates with a scrape a
    second in parts of those without.
    """

    code: str
    upstreams: int
    samples: int = 0
    page_bytes: int = 0
    scrapes_s: list[float] = field(default_factory=list)
    quiet_s: list[float] = field(default_factory=list)
    scraped_s: list[float] = field(default_factory=list)
    lags: dict[float, float] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    @property
    def lag_s(self) -> str:
        """The end of the bucket that the longest lag of the loop fell into."""
        most = max(self.lags.values(), default=0.0)
        within = [end for end, number in self.lags.items() if number == most]
        return f"≤ {min(within) * 1e3:g} ms" if most else "not told"


def scrape(rounds: int, seconds: float, only: frozenset[str]) -> list[Scraped]:
    """Measure gateways with many and with few upstreams, compiled and not, or `only` one of these."""
    os.sched_setaffinity(0, {int(LOAD_CORE)})  # who scrapes is no guest on the gateway's core
    codes = {name: code() for name, code in _CODES.items() if not only or name in only}
    found = []
    with folder() as into, ExitStack() as ends:
        source = origin(into)
        ends.callback(source.end)
        for upstreams in (_UPSTREAMS, _FEW):
            for name, code in codes.items():
                one = Scraped(code=name, upstreams=upstreams)
                process = accord(code, into, *[upstream(source.port, *_named(at)) for at in range(upstreams)])
                try:
                    _measure(one, process, rounds, seconds, into / "steady.tsv")
                finally:
                    process.end()
                sys.stderr.write(f"{name}, {upstreams} upstreams: {_row(one)}\n")
                found.append(one)
    return found


def table(found: list[Scraped]) -> str:
    """Return a Markdown table."""
    about = (
        f"`/metrics` is asked for once a second under {_RATE} translated errors a second, and under all that the "
        f"gateway can take. The bars: a scrape within {SCRAPE_BAR_S:g} s, no stall over {STALL_BAR_S * 1e3:g} ms. A "
        "stall shows in the longest time to answer, less what it is without scrapes, and in the gateway's own "
        "`accord_event_loop_lag_seconds`. The access log goes to a file in all measurements."
    )
    head = (
        "| upstreams | code | samples | MB | scrape, median (longest) | longest answer without scrapes | with "
        "| p99 without | with | lag of the loop | requests/s at most, scraped |"
    )
    lines = ["## Scrapes", "", about, "", head, "|---|---|---|---|---|---|---|---|---|---|---|"]
    return "\n".join([*lines, *[f"| {one.upstreams:,} | {one.code} | {_row(one)} |" for one in found]])


def _row(one: Scraped) -> str:
    times = statistics.median(one.scrapes_s), max(one.scrapes_s)
    cells = [
        f"{one.samples:,}",
        f"{one.page_bytes / 1e6:.1f}",
        f"{times[0] * 1e3:.0f} ms ({times[1] * 1e3:.0f} ms)",
        *[f"{sorted_s[-1] * 1e3:.1f} ms" for sorted_s in (one.quiet_s, one.scraped_s)],
        *[f"{sorted_s[len(sorted_s) * 99 // 100] * 1e3:.1f} ms" for sorted_s in (one.quiet_s, one.scraped_s)],
        one.lag_s,
        f"{statistics.median(one.rates):,.0f}, {statistics.median(one.ratios):.2f} × of not scraped",
    ]
    return " | ".join(cells)


def _named(number: int) -> tuple[str, str]:
    return f"api-{number}", f"/api-{number}"


def _measure(one: Scraped, process: Process, rounds: int, seconds: float, log: Path) -> None:
    _warm_up(process, one.upstreams)
    path = f"/api-{one.upstreams - 1}{ERROR.path}"
    for _ in range(rounds):
        one.quiet_s += steady(process.port, path, _RATE, seconds, log)
        before = _lags(process)
        with _scraping(process, one):
            one.scraped_s += steady(process.port, path, _RATE, seconds, log)
        for end, number in _lags(process).items():
            one.lags[end] = one.lags.get(end, 0) + number - before.get(end, 0)
        plain, _ = saturate(process.port, path, seconds)
        with _scraping(process, one, timed=False):
            rate, _ = saturate(process.port, path, seconds)
        one.rates.append(rate)
        one.ratios.append(rate / plain)
    one.quiet_s.sort()
    one.scraped_s.sort()


def _warm_up(process: Process, upstreams: int) -> None:
    """Have a success, an error and a reply that passes of each upstream."""
    connection = HTTPConnection("127.0.0.1", process.port, timeout=5)
    for at in range(upstreams):
        for load in (SUCCESS, ERROR, SMALL):
            connection.request("GET", f"{_named(at)[1]}{load.path}")
            answer = connection.getresponse()
            answer.read()
            assert answer.status == load.status, (load.name, answer.status)
    connection.close()


@contextmanager
def _scraping(process: Process, one: Scraped, *, timed: bool = True) -> Iterator[None]:
    """Scrape once a second, beginning at once, until the context ends."""
    over = Event()

    def scrapes() -> None:
        while not over.is_set():
            began_s = time.monotonic()  # noqa: TID251 - a measuring tool's own clock
            page = _page(process)
            took_s = time.monotonic() - began_s  # noqa: TID251 - as above
            if timed:
                one.scrapes_s.append(took_s)
            one.page_bytes, one.samples = len(page), page.count(b"\n") - page.count(b"\n#") - page.startswith(b"#")
            over.wait(max(0.0, _EVERY_S - took_s))

    thread = Thread(target=scrapes)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _page(process: Process) -> bytes:
    connection = HTTPConnection("127.0.0.1", process.admin_port, timeout=60)
    connection.request("GET", "/metrics")
    page = connection.getresponse().read()
    connection.close()
    return page


def _lags(process: Process) -> dict[float, float]:
    return {float(end): float(number) for end, number in _LAG.findall(_page(process))}
