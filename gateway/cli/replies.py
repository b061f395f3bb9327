"""Replies as commands take them: a file or standard input, alone or one a line, and how each is to be read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.config import presets
from gateway.config.load import load
from gateway.model import Reply
from gateway.pipeline.examples import plan_for, plan_for_upstream

if TYPE_CHECKING:
    import argparse

    from gateway.pipeline.plan import Plan


_STATUSES = range(100, 1_000)


class Line(msgspec.Struct, kw_only=True):
    """One line of JSON Lines: a reply, by whom it is to be read, and what its answer is to be called."""

    status: int
    body: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    dialect: str = "auto"
    upstream: str | None = None
    id: Any = None

    def reply(self) -> Reply:
        """Return the reply."""
        headers = tuple((name.encode(), value.encode()) for name, value in self.headers.items())
        return Reply(status=self.status, headers=headers, body=self.body.encode())


class UsageError(Exception):
    """An option or a line that cannot be used; its text is told to the person who wrote it."""


def add_reply_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says which reply is meant, and by whom it is read."""
    parser.add_argument("file", nargs="?", type=Path, help="the reply's body; standard input when left out")
    parser.add_argument("--dialect", metavar="NAME", help="a preset, such as generic, or auto (the default)")
    parser.add_argument("--upstream", metavar="NAME", help="read it as this upstream of the configuration does")
    parser.add_argument("--config", type=Path, default=Path("config/gateway.yaml"), metavar="FILE")
    parser.add_argument("--status", type=int, default=None, metavar="CODE", help="the reply's HTTP status (200)")
    parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE", help="a field of the reply")


def plan_from(args: argparse.Namespace, dialect: str) -> Plan:
    """Return how a reply is read: as `--upstream` does, else as the preset `dialect`.

    Raises UsageError, ConfigError.
    """
    if args.upstream is None:
        return plan_for(presets.preset(known(dialect)), dialect)
    for upstream in load(args.config).upstreams:
        if upstream.settings.name == args.upstream:
            return plan_for_upstream(upstream)
    message = f"{args.config} has no upstream {args.upstream!r}"
    raise UsageError(message)


def known(dialect: str) -> str:
    """Return the name of a preset, or `auto`. Raises UsageError when there is none of that name."""
    if dialect != "auto" and dialect not in presets.names():
        message = f"there is no dialect {dialect[:80]!r}: {presets.hint(dialect, also=[presets.AUTO])}"
        raise UsageError(message)
    return dialect


def reply_from(args: argparse.Namespace) -> Reply:
    """Return the reply that the arguments describe. Raises UsageError."""
    try:
        data = args.file.read_bytes() if args.file is not None else sys.stdin.buffer.read()
    except OSError as error:
        message = f"{args.file}: {error.strerror}"
        raise UsageError(message) from error
    if args.status is not None and args.status not in _STATUSES:
        message = f"a status is a number of three digits, not {args.status}"
        raise UsageError(message)
    headers = tuple(_header(text) for text in args.header)
    if not args.http:
        return Reply(status=args.status or 200, headers=headers, body=data)
    head, _, body = data.replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
    status_line, *lines = head.replace(b"\r\n", b"\n").split(b"\n")
    parts = status_line.split(b" ", 2)
    if not status_line.startswith(b"HTTP/") or len(parts) < 2 or not parts[1].isdigit():
        message = "with --http the input begins with a status line such as HTTP/1.1 422"
        raise UsageError(message)
    fields = tuple(_header(line.decode("latin-1")) for line in lines)
    return Reply(status=args.status or int(parts[1]), headers=(*fields, *headers), body=body)


def _header(text: str) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        message = f"a field is written NAME:VALUE, not {text[:40]!r}"
        raise UsageError(message)
    return name.strip().encode("latin-1", "replace"), value.strip().encode("utf-8")


_decode = msgspec.json.Decoder(Line).decode


def line_of(text: bytes) -> Line:
    """Read one line of JSON Lines. Raises UsageError."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(str(error)) from error
