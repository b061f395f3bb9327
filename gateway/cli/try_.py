"""`accord try`: what clients would get for one reply, or for many."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.cli.output import write_json
from gateway.cli.replies import UsageError, add_reply_arguments, line_of, plan_from, reply_from
from gateway.config import views
from gateway.config.load import load
from gateway.edge.clock import SystemClock
from gateway.errors import ConfigError
from gateway.headers import is_json
from gateway.model import Problem, Success
from gateway.pipeline.examples import answer
from gateway.pipeline.preference import Preference, preference
from gateway.pipeline.writers.table import Writers

if TYPE_CHECKING:
    import argparse

    from gateway.model import Reply
    from gateway.pipeline.plan import Plan

HELP: Final = "show what clients would get for a reply"
ABOUT: Final = """\
Show what clients would get for a reply of an upstream: the problem in the view of your choice,
the unified success, or that it passes untouched. Nothing is sent anywhere.
"""
EXAMPLES: Final = """\
examples:
  accord try --dialect salla --status 422 reply.json
  curl -si https://api.example.com/orders/9 | accord try --http
  accord try --upstream parts --status 409 reply.json          a dialect of your own, from config/
  accord try --status 409 --json reply.json | jq .document.code
  accord try --status 409 --view salla reply.json              as a client that knows one dialect gets it
  accord try --jsonl < replies.jsonl > answers.jsonl

With --jsonl each line of standard input is a reply:
  {"id": "a", "dialect": "salla", "status": 422, "headers": {"Content-Type": "application/json"}, "body": "{...}"}
and each line of standard output its answer:
  {"id": "a", "is_error": true, "dialect": "salla", "status": 422, "headers": {...}, "document": {...}}
`dialect` is a preset or "auto"; `document` is null when the reply passes untouched, and a text
where the view is not JSON.

exit status: 0 when every reply could be read, 1 when a line or an option is wrong.
"""


class _Answer(msgspec.Struct, kw_only=True):
    """What becomes of one reply."""

    id: Any
    is_error: bool
    dialect: str
    status: int
    headers: dict[str, str]
    document: msgspec.Raw


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    add_reply_arguments(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--http", action="store_true", help="the input is a whole reply: status line, fields, body")
    how.add_argument("--jsonl", action="store_true", help="the input is one reply a line")
    parser.add_argument("--json", action="store_true", help="write the answer as one JSON object")
    parser.add_argument(
        "--view", metavar="NAME", help="write problems in this view; else as --upstream or --accept says"
    )
    parser.add_argument("--accept", metavar="VALUE", help="the client's Accept")
    parser.add_argument("--language", metavar="VALUE", help="the client's Accept-Language")


def run(args: argparse.Namespace) -> int:
    """Read the reply or replies, write what becomes of them, and return the exit status."""
    try:
        wanted = _wanted(args)
        if args.jsonl:
            return _many(args, wanted)
        line = _answered(reply_from(args), plan_from(args, args.dialect or "auto"), None, wanted)
    except (UsageError, ConfigError) as error:
        sys.stderr.write(f"accord try: {error}\n")
        return 1
    if args.json:
        write_json(line)
        return 0
    fields = "".join(f"{name}: {value}\n" for name, value in line.headers.items())
    sys.stdout.write(f"HTTP {line.status}\n{fields}\n{_shown(line.document)}\n")
    return 0


_PASSES = msgspec.Raw(b"null")


def _shown(document: msgspec.Raw) -> str:
    """Return a document for people: what is not JSON stands as a text in JSON, and is shown as it is."""
    if document == _PASSES:
        return "passes untouched"
    if bytes(document).startswith(b'"'):
        return msgspec.json.decode(document, type=str).rstrip("\n")
    return msgspec.json.format(document, indent=2).decode()


def _wanted(args: argparse.Namespace) -> Preference:
    """Return how problems are to be written: as `--view` says, else as the upstream's file, else as `--accept`.

    Raises UsageError, ConfigError.
    """
    asked = preference(*[() if text is None else (text.encode(),) for text in (args.accept, args.language)])
    name, specs = args.view, views.of_presets()
    if args.upstream is not None:
        config = load(args.config)
        named = [one.settings.view for one in config.upstreams if one.settings.name == args.upstream]
        name, specs = name or next(iter(named), None), dict(config.views)
    if name is None:
        return asked
    if name not in (*views.GENERAL, *specs):
        message = f"there is no view {name!r}; known: {', '.join((*views.GENERAL, *specs))}"
        raise UsageError(message)
    return Preference(Writers(specs).named(name), asked.language)


def _many(args: argparse.Namespace, wanted: Preference) -> int:
    if args.file is not None:
        message = "with --jsonl the replies come from standard input: accord try --jsonl < FILE"
        raise UsageError(message)
    plans: dict[str, Plan] = {}
    wrong = 0
    for number, text in enumerate(sys.stdin.buffer, 1):
        if not text.strip():
            continue
        try:
            line = line_of(text)
            if line.dialect not in plans:
                plans[line.dialect] = plan_from(args, line.dialect)
        except UsageError as error:
            sys.stderr.write(f"accord try: line {number}: {error}\n")
            wrong += 1
            continue
        answered = _answered(line.reply(), plans[line.dialect], line.id, wanted)
        sys.stdout.buffer.write(msgspec.json.encode(answered) + b"\n")
    return 1 if wrong else 0


def _answered(reply: Reply, plan: Plan, identity: object, wanted: Preference) -> _Answer:
    result, document = answer(reply, plan, SystemClock().now_s(), wanted)
    headers = _problem_headers(result, wanted) if isinstance(result, Problem) else _HEADERS[type(result)]
    if document is not None and not is_json(headers.get("Content-Type", "").encode()):
        document = msgspec.json.encode(document.decode())
    return _Answer(
        id=identity,
        is_error=isinstance(result, Problem),
        dialect=_dialect(result, plan),
        status=reply.status if result is None else result.status,
        headers=headers,
        document=msgspec.Raw(document) if document is not None else _PASSES,
    )


def _problem_headers(problem: Problem, wanted: Preference) -> dict[str, str]:
    found = {"Content-Type": wanted.writer.media_type.decode("ascii"), "Cache-Control": "no-store"}
    language = wanted.writer.language_of(problem, wanted.language)
    return found if language is None else found | {"Content-Language": language}


_HEADERS: dict[type, dict[str, str]] = {
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
