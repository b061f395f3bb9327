"""The examples of a dialect or an upstream, run: every one is a test, in `accord check` and in the test suite."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from gateway.model import Problem, Reply, Success
from gateway.pipeline.decide import Stream, decide
from gateway.pipeline.normalise import normalise
from gateway.pipeline.plan import Plan
from gateway.pipeline.render import problem_document, success_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config.load import Upstream
    from gateway.dialects.reader import Dialect
    from gateway.dialects.spec import Example, ExampleReply

_JSON = (b"Content-Type", b"application/json")
_JSON_BRACKETS = (b"{", b"[")
EXAMPLE_REQUEST_ID = "00000000-0000-7000-8000-000000000000"
EXAMPLE_NOW_S = 1_767_225_600.0
"""Unix time at which examples are read where they have no `Date`: 2026-01-01T00:00:00Z."""


def plan_for(dialect: Dialect, upstream: str, *, owns_credential: bool = False, expose_upstream: bool = True) -> Plan:
    """Return a plan for reading single replies, with the default limits."""
    return Plan(
        upstream=upstream,
        dialect=dialect,
        unify=dialect.success is not None and dialect.success.unify,
        translate=True,
        owns_credential=owns_credential,
        expose_upstream=expose_upstream,
        success_bytes=8 * 2**20,
        error_bytes=256 * 2**10,
        links=None,
    )


def plan_for_upstream(upstream: Upstream) -> Plan:
    """Return a plan for reading single replies as an upstream of the configuration does."""
    settings = upstream.settings
    return plan_for(
        upstream.dialect,
        settings.name,
        owns_credential=settings.credentials is not None,
        expose_upstream=settings.expose_upstream,
    )


def answer(reply: Reply, plan: Plan, now_s: float = EXAMPLE_NOW_S) -> tuple[Problem | Success | None, bytes | None]:
    """Return what becomes of a reply to a GET, and its document (None when it passes)."""
    if streams(reply, plan):
        return None, None
    result = normalise(reply, plan, now_s)
    match result:
        case Problem():
            return result, problem_document(result, EXAMPLE_REQUEST_ID, None)
        case Success():
            return result, success_document(result, EXAMPLE_REQUEST_ID, plan.upstream)
    return None, None


def streams(reply: Reply, plan: Plan) -> bool:
    """Tell whether a reply to a GET goes through by its head alone.

    A reply without a content type that looks like JSON is taken for JSON, for it was written by hand.
    """
    headers = reply.headers
    if reply.header(b"content-type") is None and reply.body.lstrip()[:1] in _JSON_BRACKETS:
        headers = (*headers, _JSON)
    return isinstance(decide(reply.status, headers, plan, "GET"), Stream)


def reply_of(example: ExampleReply) -> Reply:
    """Return the reply that an example describes; JSON written in YAML gets its content type."""
    headers = [(name.encode(), value.encode()) for name, value in example.headers.items()]
    body = example.body.encode()
    if example.json_ is not None:
        body = json.dumps(example.json_, ensure_ascii=False).encode()
        if not any(name.lower() == b"content-type" for name, _ in headers):
            headers.append(_JSON)
    return Reply(status=example.status, headers=tuple(headers), body=body)


def differences(example: Example, plan: Plan) -> list[str]:
    """Return a sentence for each thing that comes out otherwise than the example expects."""
    _, document = answer(reply_of(example.reply), plan)
    if document is None:
        return [] if example.expect == "pass" else ["passes untouched, but something was expected"]
    if example.expect == "pass":
        return ["is expected to pass untouched, but gives " + document.decode()[:400]]
    return list(_compare(example.expect, msgspec.json.decode(document), ""))


def _compare(wanted: object, found: object, at: str) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, inner in wanted.items():
            path = f"{at}.{name}" if at else name
            if name not in found:
                yield f"{path}: is not there, but {_shown(inner)} was expected"
            else:
                yield from _compare(inner, found[name], path)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (inner, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _compare(inner, other, f"{at}[{index}]")
    elif wanted != found or isinstance(wanted, bool) != isinstance(found, bool):
        yield f"{at}: is {_shown(found)}, but {_shown(wanted)} was expected"


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:400]
