"""`accord check`: load everything, run every example, tell every fault."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.cli.output import write_json
from gateway.config.faults import fault_at
from gateway.config.load import load
from gateway.edge.limiting.stores import store_faults
from gateway.edge.series_budget import MANY, SeriesBudget, series_budget
from gateway.errors import ConfigError, Fault, Severity
from gateway.pipeline.vain import vain_limits
from gateway.pipeline.verify import count_examples, verify
from gateway.upstream import file_faults

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from gateway.config.load import Configuration

HELP: Final = "load the configuration, run its examples, tell every fault"
ABOUT: Final = """\
Read the configuration as `accord serve` would, run the examples in the upstream files,
and tell everything that is wrong, each with its file, line and column. Warnings are of
variables that are not set here, of limits that do not do what they seem to,
and of more series for Prometheus than are good for it.
"""
EXAMPLES: Final = """\
examples:
  accord check                                  config/gateway.yaml and the upstream files that it names
  accord check --config /etc/accord/gateway.yaml
  accord check && accord serve                  never serve what was not checked
  accord check --json | jq -r '.faults[] | "\\(.file):\\(.line) \\(.message)"'

exit status: 0 when all is well (warnings may be told), 1 when something is wrong.
"""


class _Report(msgspec.Struct, kw_only=True):
    """What `--json` writes; null where the files could not be read.

    `hash` is as the status page of a gateway tells it that serves them, `upstreams` and `examples` are counts,
    `series` those of `/metrics`: at the start, and at most.
    """

    ok: bool
    config: str
    hash: str | None = None
    upstreams: int | None = None
    examples: int | None = None
    series: SeriesBudget | None = None
    faults: tuple[Fault, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("--config", type=Path, default=Path("config/gateway.yaml"), metavar="FILE")
    parser.add_argument("--json", action="store_true", help="write one JSON object, with each fault in it")


def run(args: argparse.Namespace) -> int:
    """Check the configuration and return the exit status."""
    report = _report(args.config)
    if args.json:
        write_json(report)
    else:
        _tell(report)
    return 0 if report.ok else 1


def _report(path: Path) -> _Report:
    try:
        configuration = load(path)
    except ConfigError as error:
        return _Report(ok=False, config=str(path), faults=error.faults)
    environ = os.environ  # noqa: TID251 - a command is where the environment comes in
    faults = verify(configuration) + file_faults(configuration) + store_faults(configuration, environ)
    series = None if faults else series_budget(configuration)
    warnings = [] if series is None else _warnings(configuration, environ, series)
    return _Report(
        ok=not faults,
        config=str(path),
        hash=configuration.digest,
        upstreams=len(configuration.upstreams),
        examples=count_examples(configuration),
        series=series,
        faults=ConfigError(faults or warnings).faults,
    )


def _warnings(configuration: Configuration, environ: Mapping[str, str], series: SeriesBudget) -> list[Fault]:
    """Return what does not keep a gateway from starting elsewhere, or at all."""
    unset = configuration.environment_faults(environ)
    warnings = [replace(fault, severity=Severity.WARNING) for fault in unset] + vain_limits(configuration)
    return warnings + _too_many_series(configuration, series.most)


def _too_many_series(configuration: Configuration, most: int) -> list[Fault]:
    if most <= MANY:
        return []
    told = f"/metrics can grow to {most:,} series, of each replica"
    fault = fault_at(configuration.document, (), told, 'see "How many series" in docs/reference/metrics.md')
    return [replace(fault, severity=Severity.WARNING)]


def _tell(report: _Report) -> None:
    if report.ok:
        sys.stdout.write("".join(f"{fault}\n" for fault in report.faults))
        if report.series is not None:
            start, most = report.series.start, report.series.most
            sys.stdout.write(f"{report.config}: {start:,} series at /metrics from the start, {most:,} at most\n")
        sys.stdout.write(f"{report.config}: {report.upstreams} upstreams, {report.examples} examples: all is well\n")
        return
    count = len(report.faults)
    sys.stderr.write("".join(f"{fault}\n" for fault in report.faults))
    sys.stderr.write(f"{count} {'fault' if count == 1 else 'faults'}\n")
