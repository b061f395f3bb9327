"""`accord catalog`: every code that a client can get, as Markdown, as JSON, or as components of OpenAPI."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway import __version__
from gateway.catalog import pages
from gateway.catalog.reference import codes_markdown
from gateway.cli.output import write_bytes
from gateway.pipeline.openapi import openapi

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

HELP: Final = "print every code that a client can get"
ABOUT: Final = """\
Print the catalogue of codes: as Markdown for people, as JSON for tools, or as OpenAPI 3.1
components of the unified format (schemas, responses, header fields) to refer to.
"""
EXAMPLES: Final = """\
examples:
  accord catalog > codes.md
  accord catalog --format json | jq -r '.problems[] | select(.retryable) | .code'
  accord catalog --format openapi --output accord.openapi.json

exit status: 0, or 1 when the file cannot be written.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument(
        "--format",
        choices=[*_FORMATS],
        default="markdown",
        metavar="FORMAT",
        help="markdown (the default), json, openapi",
    )
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="short for --format json")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it there instead of to standard output")


def run(args: argparse.Namespace) -> int:
    """Write the catalogue, and return the exit status."""
    try:
        write_bytes(_FORMATS[args.format](), args.output)
    except OSError as error:
        sys.stderr.write(f"accord catalog: {error.filename}: {error.strerror}\n")
        return 1
    return 0


def _markdown() -> bytes:
    return codes_markdown().encode()


def _json() -> bytes:
    return _indented(json.loads(pages.index_json()))


def _openapi() -> bytes:
    return _indented(openapi(__version__))


def _indented(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


_FORMATS: Final[dict[str, Callable[[], bytes]]] = {"markdown": _markdown, "json": _json, "openapi": _openapi}
