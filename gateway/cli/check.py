"""`accord check`: load everything, run every example, tell every fault."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.config.load import load
from gateway.errors import ConfigError, Severity
from gateway.pipeline.verify import count_examples, verify
from gateway.upstream import file_faults

if TYPE_CHECKING:
    import argparse

HELP: Final = "load the configuration, run its examples, tell every fault"
ABOUT: Final = """\
Read the configuration as `accord serve` would, run the examples in the upstream files,
and tell everything that is wrong, each with its file, line and column.
"""
EXAMPLES: Final = """\
examples:
  accord check                                  config/gateway.yaml and the upstream files that it names
  accord check --config /etc/accord/gateway.yaml
  accord check && accord serve                  never serve what was not checked

exit status: 0 when all is well (warnings may be told), 1 when something is wrong.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("--config", type=Path, default=Path("config/gateway.yaml"), metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """Check the configuration and return the exit status."""
    try:
        configuration = load(args.config)
        faults = verify(configuration) + file_faults(configuration)
    except ConfigError as error:
        return _tell(error)
    if faults:
        return _tell(ConfigError(faults))
    environ = os.environ  # noqa: TID251 - a command is where the environment comes in
    for unusable in configuration.environment_faults(environ):
        sys.stdout.write(f"warning: {unusable}\n")
    upstreams, examples = len(configuration.upstreams), count_examples(configuration)
    sys.stdout.write(f"{args.config}: {upstreams} upstreams, {examples} examples: all is well\n")
    return 0


def _tell(found: ConfigError) -> int:
    errors = sum(fault.severity is Severity.ERROR for fault in found.faults)
    sys.stderr.write(f"{found}\n")
    sys.stderr.write(f"{errors} {'fault' if errors == 1 else 'faults'}\n")
    return 1
