"""`accord try`: what clients would get for one reply, or for many."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.config import presets
from gateway.config.load import load
from gateway.edge.clock import SystemClock
from gateway.errors import ConfigError
from gateway.model import Problem, Reply, Success
from gateway.pipeline.examples import answer, plan_for, plan_for_upstream

if TYPE_CHECKING:
    import argparse

    from gateway.pipeline.plan import Plan

HELP: Final = "show what clients would get for a reply"
ABOUT: Final = """\
Show what clients would get for a reply of an upstream: the problem document, the unified
success, or that it passes untouched. Nothing is sent anywhere.
"""
EXAMPLES: Final = """\
examples:
  accord try --dialect salla --status 422 reply.json
  curl -si https://api.example.com/orders/9 | accord try --http
  accord try --upstream parts --status 409 reply.json          a dialect of your own, from config/
  accord try --jsonl < replies.jsonl > answers.jsonl

With --jsonl each line of standard input is a reply:
  {"id": "a", "dialect": "salla", "status": 422, "headers": {"Content-Type": "application/json"}, "body": "{...}"}
and each line of standard output its answer:
  {"id": "a", "is_error": true, "dialect": "salla", "status": 422, "headers": {...}, "document": {...}}
`dialect` is a preset or "auto"; `document` is null when the reply passes untouched.

exit status: 0 when every reply could be read, 1 when a line or an option is wrong.
"""


class _Line(msgspec.Struct, kw_only=True):
    """One line of `--jsonl`."""

    status: int
    body: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    dialect: str = "auto"
    id: Any = None


class _Answer(msgspec.Struct, kw_only=True):
    """What becomes of one reply."""

    id: Any
    is_error: bool
    dialect: str
    status: int
    headers: dict[str, str]
    document: msgspec.Raw


class _UsageError(Exception):
    """An option or a line that cannot be used; its text is told to the person who wrote it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("file", nargs="?", type=Path, help="the reply's body; standard input when left out")
    parser.add_argument("--dialect", metavar="NAME", help=f"{', '.join(presets.names())} or auto (the default)")
    parser.add_argument("--upstream", metavar="NAME", help="read it as this upstream of the configuration does")
    parser.add_argument("--config", type=Path, default=Path("config/gateway.yaml"), metavar="FILE")
    parser.add_argument("--status", type=int, default=None, metavar="CODE", help="the reply's HTTP status (200)")
    parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE", help="a field of the reply")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--http", action="store_true", help="the input is a whole reply: status line, fields, body")
    how.add_argument("--jsonl", action="store_true", help="the input is one reply a line")


def run(args: argparse.Namespace) -> int:
    """Read the reply or replies, write what becomes of them, and return the exit status."""
    try:
        if args.jsonl:
            return _many(args)
        reply = _reply(args)
        plan = _plan(args, args.dialect or "auto")
        line = _answered(reply, plan, None)
    except (_UsageError, ConfigError) as error:
        sys.stderr.write(f"accord try: {error}\n")
        return 1
    text = msgspec.json.format(line.document, indent=2).decode() if line.document != _PASSES else "passes untouched"
    fields = "".join(f"{name}: {value}\n" for name, value in line.headers.items())
    sys.stdout.write(f"HTTP {line.status}\n{fields}\n{text}\n")
    return 0


_PASSES = msgspec.Raw(b"null")


def _many(args: argparse.Namespace) -> int:
    decode = msgspec.json.Decoder(_Line).decode
    plans: dict[str, Plan] = {}
    wrong = 0
    for number, text in enumerate(sys.stdin.buffer, 1):
        if not text.strip():
            continue
        try:
            line = decode(text)
            if line.dialect not in plans:
                plans[line.dialect] = _plan(args, line.dialect)
        except (msgspec.MsgspecError, UnicodeDecodeError, _UsageError) as error:
            sys.stderr.write(f"accord try: line {number}: {error}\n")
            wrong += 1
            continue
        headers = tuple((name.encode(), value.encode()) for name, value in line.headers.items())
        reply = Reply(status=line.status, headers=headers, body=line.body.encode())
        answered = _answered(reply, plans[line.dialect], line.id)
        sys.stdout.buffer.write(msgspec.json.encode(answered) + b"\n")
    return 1 if wrong else 0


def _answered(reply: Reply, plan: Plan, identity: object) -> _Answer:
    result, document = answer(reply, plan, SystemClock().now_s())
    return _Answer(
        id=identity,
        is_error=isinstance(result, Problem),
        dialect=_dialect(result, plan),
        status=reply.status if result is None else result.status,
        headers=_HEADERS[type(result)],
        document=msgspec.Raw(document) if document is not None else _PASSES,
    )


_HEADERS: dict[type, dict[str, str]] = {
    Problem: {"Content-Type": "application/problem+json", "Cache-Control": "no-store"},
    Success: {"Content-Type": "application/json", "Accord-Format": "unified"},
    type(None): {"Accord-Format": "passed"},
}


def _dialect(result: Problem | Success | None, plan: Plan) -> str:
    match result:
        case Problem(upstream=upstream) if upstream is not None:
            return upstream.dialect
        case Success(dialect=dialect):
            return dialect
        case _:
            return plan.dialect.name


def _plan(args: argparse.Namespace, dialect: str) -> Plan:
    if args.upstream is None:
        if dialect != "auto" and dialect not in presets.names():
            message = f"there is no dialect {dialect!r}; known: auto, {', '.join(presets.names())}"
            raise _UsageError(message)
        return plan_for(presets.preset(dialect), dialect)
    for upstream in load(args.config).upstreams:
        if upstream.settings.name == args.upstream:
            return plan_for_upstream(upstream)
    message = f"{args.config} has no upstream {args.upstream!r}"
    raise _UsageError(message)


def _reply(args: argparse.Namespace) -> Reply:
    try:
        data = args.file.read_bytes() if args.file is not None else sys.stdin.buffer.read()
    except OSError as error:
        message = f"{args.file}: {error.strerror}"
        raise _UsageError(message) from error
    headers = tuple(_header(text) for text in args.header)
    if not args.http:
        return Reply(status=args.status or 200, headers=headers, body=data)
    head, _, body = data.replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
    status_line, *lines = head.replace(b"\r\n", b"\n").split(b"\n")
    parts = status_line.split(b" ", 2)
    if not status_line.startswith(b"HTTP/") or len(parts) < 2 or not parts[1].isdigit():
        message = "with --http the input begins with a status line such as HTTP/1.1 422"
        raise _UsageError(message)
    fields = tuple(_header(line.decode("latin-1")) for line in lines)
    return Reply(status=args.status or int(parts[1]), headers=(*fields, *headers), body=body)


def _header(text: str) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        message = f"a field is written NAME:VALUE, not {text[:40]!r}"
        raise _UsageError(message)
    return name.strip().encode("latin-1", "replace"), value.strip().encode("utf-8")
