"""`accord demo`: three small APIs behind a gateway, to see what it does before writing a line of configuration."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

PORT: Final = 8080

if TYPE_CHECKING:
    import argparse

HELP: Final = "three demo APIs behind a gateway, to try with curl"
ABOUT: Final = "Start three demo APIs, each with its own idea of an error, and a gateway in front of them."
EXAMPLES: Final = """\
examples:
  accord demo                 on port 8080, or the next free one
  accord demo --port 9000

It prints calls to try with curl, each before (straight to the API) and after (through
the gateway), and runs until Ctrl-C. Nothing leaves this machine.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help="default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Run the demo until Ctrl-C; 1 when no port can be had."""
    import uvloop  # noqa: PLC0415 - what only running a gateway needs would make every other command slow to start

    from gateway.cli.demonstration import demonstrate  # noqa: PLC0415 - as above

    try:
        uvloop.run(demonstrate(args.port))
    except OSError as error:
        print(f"accord: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0
