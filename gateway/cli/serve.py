"""`accord serve`: the gateway, as its configuration says, until it is told to stop."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.errors import ConfigError

_DEFAULT: Final = Path("config/gateway.yaml")
if TYPE_CHECKING:
    import argparse

HELP: Final = "serve what the configuration says"
ABOUT: Final = "Run the gateway."
EXAMPLES: Final = """\
examples:
  accord serve                                   config/gateway.yaml in this folder
  accord serve --config /etc/accord/gateway.yaml
  PARTS_TOKEN=s3cret accord serve                secrets come from the variables that `*_env` keys name

SIGTERM or Ctrl-C ends it: it says that it is not ready, waits `shutdown.delay`, finishes
what is under way within `shutdown.grace`, and leaves. A second one ends it at once.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("--config", type=Path, default=_DEFAULT, metavar="FILE", help="default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; 0 after a clean end, 1 when the configuration or a port does not allow it."""
    import uvloop  # noqa: PLC0415 - what only serving needs would make every other command slow to start

    from gateway.cli.running import load_all, serve  # noqa: PLC0415 - as above

    environ = os.environ  # noqa: TID251 - a command is where the environment is read
    try:
        uvloop.run(serve(load_all(args.config, environ), environ))
    except (ConfigError, ValueError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"accord: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0
