"""The `accord` command: the table of its subcommands, and which of them was meant."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

_ABOUT: Final = """\
An HTTP gateway in front of many APIs: whatever dialect an upstream uses for its
errors, clients read one format, one set of codes and one answer to "who failed?".
"""

_EXAMPLES: Final = """\
examples:
  accord demo                              three demo APIs behind a gateway, to try with curl
  accord check                             read config/gateway.yaml and run the examples in its files
  accord serve                             serve what config/gateway.yaml says
  accord serve --config /etc/accord/gateway.yaml
  accord try --dialect salla --status 422 reply.json
                                           what clients would get for one reply
  accord infer captured/ --name parts      an upstream file from captured replies, tested

`accord COMMAND --help` shows each command's own examples.
"""


class _Command(NamedTuple):
    """A subcommand: the module with its `HELP`, `ABOUT`, `EXAMPLES`, `add_arguments(parser)` and `run(args)`."""

    name: str
    module: str


_COMMANDS: Final = (
    _Command("serve", "gateway.cli.serve"),
    _Command("health", "gateway.cli.health"),
    _Command("demo", "gateway.cli.demo"),
    _Command("check", "gateway.cli.check"),
    _Command("try", "gateway.cli.try_"),
    _Command("infer", "gateway.cli.infer"),
    _Command("explain", "gateway.cli.explain"),
    _Command("diff", "gateway.cli.diff"),
    _Command("schema", "gateway.cli.schema"),
    _Command("catalog", "gateway.cli.catalog"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in `argv` (by default the process's own) and return its exit status."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    args = _parser(arguments).parse_args(arguments)
    status: int = args.run(args)
    return status


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Make the parser, with the commands that these arguments need: each module costs time at every start."""
    parser = argparse.ArgumentParser(
        prog="accord",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"accord {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _needed(arguments):
        module = import_module(command.module)
        added = subparsers.add_parser(
            command.name,
            help=module.HELP,
            description=module.ABOUT,
            epilog=module.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(added)
        added.set_defaults(run=module.run)
    return parser


def _needed(arguments: Sequence[str]) -> Sequence[_Command]:
    first = arguments[0] if arguments else ""
    if first == "--version":
        return ()
    return [command for command in _COMMANDS if command.name == first] or _COMMANDS
