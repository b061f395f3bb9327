"""`accord schema`: the JSON Schemas of the configuration's files, for editors and other tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.cli.output import write_bytes
from gateway.config.schema import SCHEMAS, schema

if TYPE_CHECKING:
    import argparse

HELP: Final = "print the JSON Schema of a configuration file"
ABOUT: Final = """\
Print the JSON Schema of the gateway's file or of an upstream's file. Editors that know it
complete keys and mark mistakes while you write.
"""
EXAMPLES: Final = """\
examples:
  accord schema upstream > upstream.schema.json
  accord schema --write config/schema                both, into a folder

In a YAML file, the first line tells an editor where the schema is:
  # yaml-language-server: $schema=../schema/upstream.schema.json

exit status: 0, or 1 when a file cannot be written.
"""
_FILES: Final = {name.partition(".")[0]: name for name in SCHEMAS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("which", nargs="?", choices=[*_FILES], default="upstream", help="default: %(default)s")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write all of them into this folder instead")


def run(args: argparse.Namespace) -> int:
    """Print a schema, or write all of them, and return the exit status."""
    if args.write is None:
        write_bytes(schema(_FILES[args.which]).encode())
        return 0
    try:
        for name in SCHEMAS:
            write_bytes(schema(name).encode(), args.write / name)
    except OSError as error:
        sys.stderr.write(f"accord schema: {error.filename}: {error.strerror}\n")
        return 1
    return 0
