"""Captured replies as the examples of a file: distinct ones, short and without secrets, each with what it gives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.dialects.spec import BodyKind, ExampleReply
from gateway.model import Problem, Success
from gateway.pipeline.examples import answer, plan_for, reply_of
from gateway.pipeline.suggest.anonymous import masked, masked_headers, masked_text
from gateway.pipeline.suggest.choice import OWN_NAME
from gateway.pipeline.suggest.seen import look
from gateway.pipeline.suggest.shorten import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dialects.reader import Dialect
    from gateway.pipeline.captures import Capture
    from gateway.pipeline.suggest.leaves import Leaf
    from gateway.pipeline.suggest.seen import Seen

MOST_EXAMPLES: Final = 40
_LONGEST_BODY: Final = 1_200
_LONGEST_SHAPE: Final = 60
_words = re.compile(r"[^\w/.:-]+|[-_]+")
_UNTOLD: Final = frozenset((b"content-encoding", b"content-length", b"transfer-encoding"))
_TIMED: Final = frozenset((403, 429, 503))
_PROBLEM: Final = ("field", "detail", "code")


def examples_of(captures: Sequence[Capture], failed: Sequence[bool], dialect: Dialect) -> list[dict[str, Any]]:
    """Return an example for each distinct reply, as it stands in YAML."""
    found: dict[object, dict[str, Any]] = {}
    names: set[str] = set()
    for capture, wrong in zip(captures, failed, strict=True):
        seen = look(capture.reply)
        shape = (seen.status, seen.kind, wrong, _shape(seen))
        if shape not in found and len(found) < MOST_EXAMPLES:
            found[shape] = _example(_name(capture, names), seen, dialect, failed=wrong)
    return list(found.values())


def _shape(seen: Seen) -> frozenset[object]:
    """Return what makes a reply's structure: its paths and their types; positions in lists do not count."""
    paths = [tuple(step for step in leaf.path if isinstance(step, str)) for leaf in seen.leaves[:_LONGEST_SHAPE]]
    return frozenset(zip(paths, map(_type, seen.leaves), strict=False))


def _type(leaf: Leaf) -> type:
    return type(leaf.value)


def _name(capture: Capture, taken: set[str]) -> str:
    words = masked_text(_words.sub(" ", capture.name).strip())
    name = words if str(capture.reply.status) in words else f"{capture.reply.status} {words}".strip()
    again = 2
    unique = name
    while unique in taken:
        unique, again = f"{name} ({again})", again + 1
    taken.add(unique)
    return unique


def _example(name: str, seen: Seen, dialect: Dialect, *, failed: bool) -> dict[str, Any]:
    """Return one example; where cutting changes what the reply is, it is kept whole."""
    described = _described(seen, dialect, failed=failed, cut=True)
    if isinstance(_answer(described, dialect)[0], Problem) != failed:
        described = _described(seen, dialect, failed=failed, cut=False)
    return {"name": name, "reply": described, "expect": _expected(*_answer(described, dialect))}


def _described(seen: Seen, dialect: Dialect, *, failed: bool, cut: bool) -> dict[str, Any]:
    reply: dict[str, Any] = {"status": seen.status}
    headers = _headers(seen, dialect)
    if headers:
        reply["headers"] = headers
    if seen.kind is BodyKind.JSON and seen.tree is not None:
        tree = msgspec.json.decode(msgspec.json.encode(seen.tree))
        tree = [tree] if seen.wrapped else tree
        reply["json"] = masked(shortened(tree, failed=failed) if cut else tree, failed=failed)
    elif seen.reply.body:
        text = seen.reply.body.decode("utf-8", "replace")
        reply["body"] = masked_text(text[:_LONGEST_BODY] if cut else text)
    return reply


def _headers(seen: Seen, dialect: Dialect) -> dict[str, str]:
    """Return the fields that are read, and the content type where JSON written in YAML would not have it."""
    read = {name.lower().encode() for name in dialect.field_names} - _UNTOLD
    if seen.status not in _TIMED:
        read.discard(b"date")
    found: dict[str, str] = {}
    for name, value in seen.reply.headers:
        text = value.decode("utf-8", "replace")
        usual = name.lower() == b"content-type" and seen.tree is not None and text.startswith("application/json")
        if name.lower() in read and not usual:
            found.setdefault(name.decode("latin-1"), text)
    return masked_headers(found)


def _answer(described: dict[str, Any], dialect: Dialect) -> tuple[Problem | Success | None, bytes | None]:
    return answer(reply_of(ExampleReply.model_validate(described)), plan_for(dialect, OWN_NAME))


def _expected(result: Problem | Success | None, document: bytes | None) -> Any:
    if document is None:
        return "pass"
    told = msgspec.json.decode(document)
    if isinstance(result, Problem):
        return _problem(result, told)
    expected: dict[str, Any] = {"data": told["data"]}
    if "pagination" in told.get("meta", {}):
        known = {key: value for key, value in told["meta"]["pagination"].items() if value is not None}
        expected["meta"] = {"pagination": known}
    if told.get("warnings"):
        expected["warnings"] = told["warnings"]
    return expected


def _problem(problem: Problem, told: dict[str, Any]) -> dict[str, Any]:
    expected: dict[str, Any] = {"status": told["status"], "code": told["code"]}
    if problem.detail is not None:
        expected["detail"] = told["detail"]
    if told["errors"]:
        expected["errors"] = [{key: one[key] for key in _PROBLEM if one[key] is not None} for one in told["errors"]]
    if told.get("retry", {}).get("after") is not None:
        expected["retry"] = {"after": told["retry"]["after"]}
    code = told.get("upstream", {}).get("code")
    if code is not None:
        expected["upstream"] = {"code": code}
    return expected
