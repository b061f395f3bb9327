"""`python -m bench [limits|micro|peers|scale|scrape|start]`: measure; without a word, all, into the page of results."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench import micro, report, scrape
from bench.compare import compare
from bench.footprint import footprint
from bench.limits import limits
from bench.scale import scale
from bench.start import start

_RESULTS = Path(__file__).resolve().parents[1] / "docs" / "reference" / "benchmarks.md"

_WHAT = ("all", "limits", "micro", "peers", "scale", "scrape", "start")


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=_WHAT, default="all")
    parser.add_argument("--rounds", type=int, default=7, help="alternating rounds; medians are told")
    parser.add_argument("--seconds", type=float, default=4, help="length of one run")
    parser.add_argument("--only", default="", help="peers, or `compiled` scrapes, by name, comma-separated")
    args = parser.parse_args()
    only = frozenset(filter(None, args.only.split(",")))
    parts: list[str] = []
    if args.what in ("all", "micro"):
        parts.append(micro.table())
    if args.what in ("all", "scale"):
        parts.append(report.scale_table(scale(args.rounds, args.seconds)))
        parts.append(footprint(args.seconds).table())
    if args.what in ("all", "scrape"):
        parts.append(scrape.table(scrape.scrape(args.rounds, args.seconds, only)))
    if args.what in ("all", "start"):
        parts.append(start(args.rounds))
    if args.what in ("all", "limits"):
        parts.append(limits(args.rounds, args.seconds).table())
    if args.what in ("all", "peers"):
        results = compare(args.rounds, args.seconds, only)
        parts.insert(0, report.comparison(results))
        if args.what == "all":
            report.picture(results, _RESULTS.with_suffix(".png"))
    text = report.page(parts, args.rounds, args.seconds)
    sys.stdout.write(text)
    if args.what == "all":
        _RESULTS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
