"""Where a command's output goes: a file, or a stream whose reader may be a person or a program.

Colours only on a terminal, and not where `NO_COLOR` is set (https://no-color.org). Foreign text is written as it is,
without a meaning for brackets in it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_WIDTH: Final = 120
"""Columns where nobody says how many there are: a file, a pipe."""


def console() -> Console:
    """Return what writes to standard output for people."""
    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        width=None if terminal else _WIDTH,
        force_terminal=terminal,
        markup=False,
        highlight=False,
        emoji=False,
    )


def rows(output: Console, cells: Iterable[tuple[Text | str, ...]]) -> None:
    """Write rows in columns, indented, without the spaces at the ends of lines."""
    table = Table.grid(padding=(0, 2))
    for row in cells:
        while len(table.columns) < len(row):
            table.add_column(overflow="fold")
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    with output.capture() as written:
        output.print(table)
    for line in written.get().splitlines():
        output.out(f"  {line.rstrip()}", highlight=False)


def write_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Write a value to standard output for programs: one indented JSON text."""
    encoded = msgspec.json.encode(value, order=None)
    write_bytes(msgspec.json.format(encoded, indent=2) + b"\n")


def write_bytes(data: bytes, path: Path | None = None) -> None:
    """Write bytes to a file, or to standard output whatever encoding it has. Raises OSError."""
    if path is not None:
        path.write_bytes(data)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
