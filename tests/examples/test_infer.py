"""APIs that no preset knows, each in a file of its own: what is inferred from their replies reads them rightly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.config.document import Document
from gateway.config.load import upstream_of
from gateway.model import Problem, Reply
from gateway.pipeline.captures import Capture
from gateway.pipeline.examples import answer, plan_for
from gateway.pipeline.suggest.file import Facts, infer

FILES = sorted((Path(__file__).parent / "infer").glob("*.yaml"))
FACTS = Facts(name="tried", base_url="https://api.example", prefix="/tried")


def _replies(file: Path) -> list[tuple[Reply, Any]]:
    document = Document(file.read_text(encoding="utf-8"), str(file))
    assert document.faults == []
    return [(_reply(one), one["expect"]) for one in document.value["replies"]]


def _reply(one: dict[str, Any]) -> Reply:
    headers = {"Content-Type": "application/json"} | one.get("headers", {})
    body = msgspec.json.encode(one["json"]) if "json" in one else one["body"].encode()
    return Reply(
        status=one["status"],
        headers=tuple((name.encode(), value.encode()) for name, value in headers.items()),
        body=body,
    )


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_replies_are_read_as_they_are_meant(file: Path) -> None:
    """What is inferred from some replies finds their message, code, category, fields and time to wait."""
    replies = _replies(file)
    inferred = infer([Capture(name=str(number), reply=reply) for number, (reply, _) in enumerate(replies)], FACTS)
    upstream, faults = upstream_of(Document(inferred.text, "tried.yaml"))
    assert upstream is not None, faults
    for reply, expected in replies:
        result, _ = answer(reply, plan_for(upstream.dialect, "tried"))
        assert _told(result, expected) == expected, inferred.text


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_the_file_passes_the_check_at_once(file: Path) -> None:
    """Every inferred file loads, its rules are reached, and its examples come out as they say."""
    captures = [Capture(name=f"reply {number}", reply=reply) for number, (reply, _) in enumerate(_replies(file))]
    inferred = infer(captures, FACTS)
    assert inferred.faults == ()
    assert inferred.examples >= 1
    assert infer(captures, FACTS) == inferred


def _told(result: object, expected: dict[str, object] | str) -> object:
    """Return what was read, of what is expected."""
    if isinstance(expected, str):
        return expected if not isinstance(result, Problem) else f"an error: {result}"
    if not isinstance(result, Problem) or result.upstream is None:
        return "no error"
    told = {
        "message": result.detail,
        "code": result.upstream.code,
        "type": result.upstream.type,
        "category": result.code.category.value,
        "fields": _fields(result),
        "request_id": result.upstream.request_id,
        "after": result.retry.after,
    }
    return {name: told[name] for name in expected}


def _fields(problem: Problem) -> dict[str | None, Any]:
    found: dict[str | None, list[str | None]] = {}
    for error in problem.errors:
        found.setdefault(error.field, []).append(error.detail)
    return {name: several[0] if len(several) == 1 else several for name, several in found.items()}
