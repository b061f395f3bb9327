"""`accord diff`: what clients would see otherwise after a change."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from rich.text import Text

from gateway.cli.output import console, rows, write_json
from gateway.cli.replies import UsageError, line_of
from gateway.cli.sides import Side, side
from gateway.errors import ConfigError
from gateway.pipeline.changes import SettingChange, gateway_changes, upstream_changes
from gateway.pipeline.compare import Case, Change, Comparison, compare
from gateway.pipeline.examples import EXAMPLE_NOW_S

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from rich.console import Console

HELP: Final = "show what clients would see otherwise after a change"
ABOUT: Final = """\
Answer the same replies by two configurations, and tell what clients would see otherwise: codes,
statuses, details, fields, when to retry, and what passes untouched. The replies are the examples
of both, and those that you recorded. Upstreams and routes that come, go or change are told too.
"""
EXAMPLES: Final = """\
examples:
  accord diff /etc/accord/gateway.yaml config/gateway.yaml
  accord diff old/parts.yaml config/upstreams/parts.yaml --replies recorded.jsonl
  accord diff auto generic                                   two presets
  git show HEAD:config/upstreams/parts.yaml > /tmp/parts.yaml
  accord diff /tmp/parts.yaml config/upstreams/parts.yaml    what the change that is not committed does

Each line of the replies is one, as `accord try --jsonl` takes it; `"upstream": NAME` says whose it is,
and without it the reply is tried with every upstream that both have.

exit status: 0 when nothing changes, 1 when something does, 2 when the input cannot be used.
"""
_NAMES_SHOWN: Final = 3


class _Report(msgspec.Struct, kw_only=True):
    """What `--json` writes."""

    settings: tuple[SettingChange, ...]
    replies: int
    changed: int
    changes: tuple[Change, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("old", metavar="OLD", help="a gateway's file, an upstream's, a dialect's, or a preset's name")
    parser.add_argument("new", metavar="NEW", help="the same after the change")
    parser.add_argument("--replies", type=Path, metavar="FILE", help="recorded replies, one a line")
    parser.add_argument("--json", action="store_true", help="write one JSON object")


def run(args: argparse.Namespace) -> int:
    """Compare, write what changes, and return the exit status."""
    try:
        old, new = _like(side(args.old), side(args.new))
        recorded = list(_recorded(args.replies)) if args.replies is not None else []
    except (UsageError, ConfigError, OSError) as error:
        sys.stderr.write(f"accord diff: {error}\n")
        return 2
    comparison = compare(old.plans, new.plans, [*old.cases, *new.cases, *recorded], EXAMPLE_NOW_S)
    settings = tuple(_settings(old, new))
    if args.json:
        write_json(
            _Report(
                settings=settings,
                replies=comparison.replies,
                changed=comparison.changed,
                changes=comparison.changes,
            )
        )
    else:
        _show(console(), settings, comparison)
    return 1 if settings or comparison.changes else 0


def _like(old: Side, new: Side) -> tuple[Side, Side]:
    """Return both, the one thing of each under one name. Raises UsageError where they are not alike."""
    if (old.alone is None) != (new.alone is None):
        message = f"OLD is {old.what} and NEW is {new.what}: give two of a kind"
        raise UsageError(message)
    return (old if new.alone is None else old.called(new.alone)), new


def _recorded(path: Path) -> Iterator[Case]:
    """Read recorded replies. Raises UsageError, OSError."""
    with path.open("rb") as lines:
        for number, text in enumerate(lines, 1):
            if not text.strip():
                continue
            try:
                line = line_of(text)
            except UsageError as error:
                message = f"{path}: line {number}: {error}"
                raise UsageError(message) from error
            name = f"line {number}" if line.id is None else str(line.id)
            yield Case(upstream=line.upstream, name=name, reply=line.reply())


def _settings(old: Side, new: Side) -> Iterator[SettingChange]:
    if old.gateway is not None and new.gateway is not None:
        yield from gateway_changes(old.gateway, new.gateway)
    if old.upstreams and new.upstreams:
        yield from upstream_changes(old.upstreams, new.upstreams)


# -- for people ------------------------------------------------------------------------------------------------------


def _show(output: Console, settings: tuple[SettingChange, ...], comparison: Comparison) -> None:
    if settings:
        output.print(Text("Settings", "bold"))
        rows(output, map(_setting_row, settings))
    for upstream, changes in groupby(comparison.changes, key=lambda change: change.upstream):
        output.print(Text(upstream, "bold"))
        rows(output, _change_rows(changes))
    said = f"{comparison.changed} of {comparison.replies} replies would be answered otherwise"
    nothing = f"no answer changes; {comparison.replies} replies compared"
    output.print(Text(said if comparison.changed else nothing), soft_wrap=True)


_SIGNS: Final = {"added": Text("+", "green"), "removed": Text("-", "red"), "changed": Text("~", "yellow")}


def _setting_row(change: SettingChange) -> tuple[Text | str, ...]:
    if change.kind != "changed":
        said = Text(change.kind)
    elif change.old is None and change.new is None:
        said = Text("differs (its values are not shown)")
    else:
        said = _from_to(change.old, change.new)
    return _SIGNS[change.kind], change.upstream or "the gateway", change.key, said


def _change_rows(changes: Iterable[Change]) -> Iterator[tuple[Text | str, ...]]:
    for change in changes:
        count = len(change.replies)
        names = ", ".join(change.replies[:_NAMES_SHOWN])
        more = f" and {count - _NAMES_SHOWN} more" if count > _NAMES_SHOWN else ""
        yield (
            Text(change.member, "cyan"),
            _from_to(change.old, change.new),
            Text(f"{count} {'reply' if count == 1 else 'replies'}: {names}{more}", "dim"),
        )


def _from_to(old: str | None, new: str | None) -> Text:
    return Text.assemble((old or "nothing", "red"), " → ", (new or "nothing", "green"))
