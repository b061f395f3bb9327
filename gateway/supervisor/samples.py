"""A scraped page as a value, and the value as a page again. Pure.

The page is one of ours. All of a line but its number is what tells a sample from others, so it is kept as it is: a
thousand upstreams make a hundred thousand lines of each process, and prometheus-client's parser would take 20 µs for
each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Final

from gateway.edge.series import number
from gateway.supervisor.steps import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.supervisor.steps import Steps

Key = str
"""A sample's name and its labels, as they are written."""
Pairs = tuple[tuple[str, str], ...]
"""Labels and their values as they are written, in alphabetical order."""

COUNTED: Final = frozenset(("counter", "histogram"))
"""The types of families whose samples only ever grow."""

_ABOUT: Final = "# HELP "
_TYPE: Final = "# TYPE "
_TOTAL: Final = "_total"
_PAIR: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Family:
    """The samples of one metric. `name` is without the `_total` of counters, `about` as it is written."""

    name: str
    kind: str
    about: str
    samples: dict[Key, float] = field(default_factory=dict)


Scrape = dict[str, Family]
"""Families by name."""


def read(text: str) -> Steps[Scrape]:
    """Read a page, some lines at once. Raises ValueError for what is none."""
    scrape: Scrape = {}
    about, samples = "", dict[Key, float]()
    for count, line in enumerate(StringIO(text)):  # which knows no line's end but ours
        if count % AT_ONCE == 0:
            yield
        if line.startswith(_ABOUT):
            about = line
        elif line.startswith(_TYPE):
            samples = _family(scrape, about, line).samples
        else:
            key, _, value = line.rpartition(" ")
            samples[key] = float(value)
    return scrape


def _family(scrape: Scrape, about: str, line: str) -> Family:
    """Return the family that a heading begins."""
    name, _, kind = line.removeprefix(_TYPE).rstrip("\n").partition(" ")
    short = name.removesuffix(_TOTAL) if kind == "counter" else name
    told = about.removeprefix(f"{_ABOUT}{name} ").rstrip("\n")
    return scrape.setdefault(short, Family(short, kind, told))


def write(families: Iterable[Family]) -> Steps[bytes]:
    """Write families as a page, some lines at once."""
    page: list[bytes] = []
    lines: list[str] = []
    for family in families:
        name = f"{family.name}{_TOTAL}" if family.kind == "counter" else family.name
        lines.append(f"{_ABOUT}{name} {family.about}\n{_TYPE}{name} {family.kind}\n")
        for key, value in list(family.samples.items()):
            lines.append(f"{key} {number(value)}\n")
            if len(lines) >= AT_ONCE:
                page.append("".join(lines).encode())
                lines = []
                yield
    page.append("".join(lines).encode())
    return b"".join(page)


def parted(key: Key) -> tuple[str, Pairs]:
    """Return a sample's name and its labels."""
    name, _, labels = key.partition("{")
    return name, tuple(_PAIR.findall(labels))


def joined(name: str, pairs: Iterable[tuple[str, str]]) -> Key:
    """Return what a sample of these labels is written as."""
    labels = ",".join([f'{label}="{value}"' for label, value in sorted(pairs)])
    return f"{name}{{{labels}}}" if labels else name
