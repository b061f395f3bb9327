"""`accord serve`: the gateway, as its configuration says, until it is told to stop."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from pathlib import Path
from typing import Final

from gateway.errors import AccordError

MOST_PROCESSES: Final = 256
_DEFAULT: Final = Path("config/gateway.yaml")

HELP: Final = "serve what the configuration says"
ABOUT: Final = "Run the gateway."
EXAMPLES: Final = """\
examples:
  accord serve                                   config/gateway.yaml in this folder
  accord serve --config /etc/accord/gateway.yaml
  PARTS_TOKEN=s3cret accord serve                secrets come from the variables that `*_env` keys name
  accord serve --processes auto                  one process for each CPU, all on one port

SIGTERM or Ctrl-C ends it: it says that it is not ready, waits `shutdown.delay`, finishes
what is under way within `shutdown.grace`, and leaves. A second one ends it at once.
SIGHUP, or a change of the files, has the configuration read again: all of it is taken,
or nothing.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("--config", type=Path, default=_DEFAULT, metavar="FILE", help="default: %(default)s")
    parser.add_argument(
        "--processes",
        type=_processes,
        default=1,
        metavar="N",
        help="how many processes serve the port; auto or 0: one for each CPU; default: %(default)s",
    )


def _processes(text: str) -> int:
    """Read how many processes there shall be."""
    number = int(text) if text.isascii() and text.isdigit() else -(text != "auto")
    if not 0 <= number <= MOST_PROCESSES:
        message = f"not a number of processes: write auto, or a number up to {MOST_PROCESSES}"
        raise argparse.ArgumentTypeError(message)
    return number or usable_cpus()


def usable_cpus() -> int:
    """Return how many CPUs this process may run on, which in a container can be fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; 0 after a clean end, 1 when the configuration or a port does not allow it."""
    gc.disable()  # until it is loaded: next to nothing of that is garbage, and looking for some takes long
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP,))  # it would end us; it is heard when we can reload
    if os.getpid() == 1:  # in a container, where the kernel ignores a signal that nobody handles
        signal.signal(signal.SIGTERM, _leave)
    import uvloop  # noqa: PLC0415 - what only serving needs would make every other command slow to start

    from gateway.app.loading import load_all  # noqa: PLC0415 - as above
    from gateway.cli.running import serve, serve_by  # noqa: PLC0415 - as above

    environ = os.environ  # noqa: TID251 - a command is where the environment is read
    try:
        config = load_all(args.config, environ)
        gc.enable()
        one = args.processes == 1
        uvloop.run(
            serve(args.config, config, environ) if one else serve_by(args.processes, args.config, config, environ)
        )
    except (AccordError, ValueError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"accord: {error.strerror or error}", file=sys.stderr)
        return 1
    finally:
        gc.enable()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP,))
    return 0


def _leave(number: int, _frame: object) -> None:
    """End before anything was begun."""
    sys.exit(128 + number)
