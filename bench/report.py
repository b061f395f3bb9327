"""Figures as a Markdown page and a picture."""

from __future__ import annotations

import platform
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.peers import LOADS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.compare import Result


def page(parts: Iterable[str], rounds: int, seconds: float) -> str:
    """Return the whole page."""
    today = datetime.now(UTC).date()  # noqa: TID251 - the date of a measurement
    machine = f"{_processor()}, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    head = (
        f"# Benchmarks\n\nMeasured on {today}: {machine}. Made by `make bench`: the proxy pinned to one core, the "
        f"origin and the load generator to another; 32 connections; {rounds} alternating rounds of {seconds:g} s, "
        "medians. Machines are busy and differ: the ratios mean something, the absolute figures little. The load "
        "generator asks the same again and again; what requests cost that differ stands in "
        "[performance](../explanation/performance.md).\n\n![Requests a second, by load](benchmarks.png)"
    )
    return "\n\n".join([head, *parts]) + "\n"


def comparison(results: Sequence[Result]) -> str:
    """Return a table for each load, with every peer as a multiple of Accord's rate."""
    parts = ["## Against peers"]
    for load in LOADS:
        rows = [result for result in results if result.load == load.name]
        accord = next((result for result in rows if result.peer == "Accord"), None)
        if accord is None:
            continue
        parts.append(f"### {load.name[0].upper()}{load.name[1:]}\n\n" + _table(rows, accord))
    return "\n\n".join(parts)


def _table(rows: Sequence[Result], accord: Result) -> str:
    lines = [
        "| proxy | requests/s | Accord is | µs CPU a request | p50 at half load | p99 at half load | RSS |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: -row.rate):
        ratio = statistics.median(ours / theirs for ours, theirs in zip(accord.rates, row.rates, strict=True))
        cpu, p50, p99 = (statistics.median(figures) for figures in (row.cpu_s_per_request, row.p50_s, row.p99_s))
        lines.append(
            f"| {row.peer} | {row.rate:,.0f} | {ratio:.2f} × | {cpu * 1e6:.0f} "
            f"| {p50 * 1e3:.2f} ms | {p99 * 1e3:.2f} ms | {row.rss_bytes / 2**20:.0f} MB |"
        )
    return "\n".join(lines)


def scale_table(costs: Mapping[int, float]) -> str:
    """Return the cost of a request by the number of upstreams."""
    first = next(iter(costs.values()))
    lines = [
        "## Many upstreams",
        "",
        "| upstreams, ten routes each | µs CPU a request | of the first |",
        "|---|---|---|",
    ]
    lines += [f"| {count:,} | {cost * 1e6:.1f} | {cost / first:.2f} × |" for count, cost in costs.items()]
    return "\n".join(lines)


def picture(results: Sequence[Result], path: Path) -> None:
    """Draw each load's rates as multiples of Accord's."""
    import matplotlib as mpl  # noqa: PLC0415 - only a whole run draws

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - as above

    figure, axes = plt.subplots(1, len(LOADS), figsize=(4.2 * len(LOADS), 3.6))
    for axis, load in zip(axes, LOADS, strict=True):
        rows = sorted((row for row in results if row.load == load.name), key=lambda row: row.rate)
        colours = ["#b4552d" if row.peer == "Accord" else "#9aa5b1" for row in rows]
        axis.barh([row.peer for row in rows], [row.rate for row in rows], color=colours)
        axis.set_title(load.name)
        axis.set_xlabel("requests a second, one core")
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor"
    )
