"""`accord explain`: why a reply was read as it was, and which upstream takes a request."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.cli.explanation import show
from gateway.cli.output import console, write_json
from gateway.cli.replies import UsageError, add_reply_arguments, plan_from, reply_from
from gateway.config.load import load
from gateway.edge.clock import SystemClock
from gateway.errors import ConfigError
from gateway.pipeline.candidates import Way, way
from gateway.pipeline.explain import Explanation, explain
from gateway.pipeline.matches import Matched
from gateway.pipeline.plan import plan_of
from gateway.pipeline.targets import Target, read_target

if TYPE_CHECKING:
    import argparse

    from gateway.pipeline.plan import Plan

HELP: Final = "show why a reply is read as it is"
ABOUT: Final = """\
Show how a reply of an upstream becomes what clients get: which dialect and which rule read it
and why the others did not, where each value was found, what named the code, and where the
status comes from. With --request, also which upstream and route take it. Nothing is sent anywhere.
"""
EXAMPLES: Final = """\
examples:
  accord explain --status 422 reply.json                        which preset knows it?
  curl -si https://api.example.com/orders/9 | accord explain --http
  accord explain --upstream parts --status 409 reply.json       by the rules of an upstream of config/
  accord explain --request "GET /parts/orders"                  who takes this request?
  accord explain --request "POST /parts/orders" --http reply.http
                                                                both, the reply read as that route reads it
  accord explain --json --status 422 reply.json | jq .reply.trace.places

exit status: 0 when the reply could be read, 1 when an option, the input or the configuration is wrong.
"""


class _Report(msgspec.Struct, kw_only=True):
    """What `--json` writes."""

    request: Way | None
    reply: Explanation | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    add_reply_arguments(parser)
    parser.add_argument("--http", action="store_true", help="the input is a whole reply: status line, fields, body")
    parser.add_argument("--request", metavar="TEXT", help='method and path, or address: "GET /parts/orders"')
    parser.add_argument("--json", action="store_true", help="write one JSON object")


def run(args: argparse.Namespace) -> int:
    """Explain the reply, the request or both, and return the exit status."""
    try:
        report = _report(args)
    except (UsageError, ConfigError) as error:
        sys.stderr.write(f"accord explain: {error}\n")
        return 1
    if args.json:
        write_json(report)
    else:
        show(console(), report.request, report.reply)
    return 0


def _report(args: argparse.Namespace) -> _Report:
    request, plan = _way(args) if args.request is not None else (None, None)
    if plan is None or args.upstream is not None or args.dialect is not None:
        if request is not None and not _has_reply(args):
            return _Report(request=request, reply=None)
        plan = plan_from(args, args.dialect or "auto")
    if not _has_reply(args):
        return _Report(request=request, reply=None)
    return _Report(request=request, reply=explain(reply_from(args), plan, SystemClock().now_s()))


def _has_reply(args: argparse.Namespace) -> bool:
    """Tell whether a reply is given: with a request, something has to say so."""
    return args.request is None or bool(args.file or args.http or args.status or args.header)


def _way(args: argparse.Namespace) -> tuple[Way, Plan | None]:
    """Return where the request goes, and how the replies of that route are read. Raises UsageError, ConfigError."""
    method, _, text = args.request.strip().partition(" ")
    target = read_target(method, text.strip().encode("utf-8", "replace"))
    if not isinstance(target, Target):
        message = f'a request is written "GET /path" or "GET https://host/path": {target.reason}'
        raise UsageError(message)
    configuration = load(args.config)
    settings = [upstream.settings for upstream in configuration.upstreams]
    found, match = way(settings, target.authority or b"", method, target.path)
    if not isinstance(match, Matched):
        return found, None
    return found, plan_of(configuration.gateway, configuration.upstreams[match.upstream], match.route)
