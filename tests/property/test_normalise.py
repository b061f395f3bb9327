"""Whatever an upstream sends, the client gets an answer that keeps the promises of the format."""

from __future__ import annotations

import gzip
import json
import math
import sys
import tracemalloc
from functools import cache
from typing import TYPE_CHECKING, Any

import brotli
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from gateway.catalog import CODES
from gateway.config import presets
from gateway.dialects.fields import MOST_ERRORS
from gateway.dialects.reader import Dialect
from gateway.dialects.success import MOST_WARNINGS
from gateway.dialects.text import LONGEST_TEXT
from gateway.model import Problem, Reply, Success
from gateway.pipeline import render
from gateway.pipeline.examples import answer, plan_for
from tests.property.calls import counted
from tests.property.replies import DIALECTS, exchanges, plans, values

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.pipeline.plan import Plan

LARGEST_PROBLEM = 4 * 2**20
"""Bytes of the largest problem document: 256 field errors, each with a name, a pointer and a text at their bounds."""
JSON = ((b"Content-Type", b"application/json"),)
POLLING = b"authorization_pending"  # an "error" of a polling answer (RFC 8628), which passes as it is


def checked(reply: Reply, plan: Plan) -> Problem | Success | None:
    """Answer a reply, and hold the answer to every promise that is made for all of them."""
    result, document = answer(reply, plan)
    match result:
        case Problem():
            assert document is not None
            _check_problem(result, document, reply, plan)
        case Success():
            assert document is not None
            _check_success(result, document, reply, plan)
        case None:
            assert document is None
            assert reply.status < 400 or not plan.translate or POLLING in _plain_body(reply)
    return result


def _check_problem(problem: Problem, document: bytes, reply: Reply, plan: Plan) -> None:
    found = _json(document)
    assert 400 <= problem.status <= 599
    assert found["status"] == problem.status
    assert CODES[found["code"]] is problem.code
    assert len(found["errors"]) <= MOST_ERRORS
    assert 0 < len(found["detail"]) <= LONGEST_TEXT
    assert len(document) <= LARGEST_PROBLEM
    assert plan.translate
    after = problem.retry.after
    assert after is None or (math.isfinite(after) and after >= 0)
    assert (render.retry_after(problem) or b"0").isdigit()
    assert render.proxy_status(problem, "accord").startswith(b"accord; ")
    assert not plan.owns_credential or (problem.status != 401 and not problem.code.credential)
    assert plan.expose_upstream == ("upstream" in found)
    assert not plan.expose_upstream or found["upstream"]["status"] == reply.status


def _check_success(success: Success, document: bytes, reply: Reply, plan: Plan) -> None:
    found = _json(document)
    assert reply.status < 400
    assert plan.unify
    assert document.startswith(b'{"data":' + success.data + b',"meta":{')
    assert found["meta"]["upstream"] == plan.upstream
    assert len(success.warnings) <= MOST_WARNINGS


def _json(document: bytes) -> dict[str, Any]:
    msgspec.json.decode(document, type=Raw)  # strict, and any number counts
    found = json.loads(document.decode(), parse_int=float)
    assert isinstance(found, dict)
    return found


def _plain_body(reply: Reply) -> bytes:
    body = reply.body.replace(b"\0", b"")  # UTF-16
    for coding in (reply.header(b"content-encoding") or b"").split(b","):
        if coding.strip() in {b"gzip", b"deflate"}:
            return POLLING  # what it says is not looked up here
    return body


@given(exchange=exchanges())
@settings(max_examples=400)
def test_every_reply_has_an_answer(exchange: tuple[Reply, Plan]) -> None:
    """Any status, header and body, under any dialect and any switches, give a sound document or pass."""
    checked(*exchange)


@given(
    status=st.integers(0, 999),
    headers=st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=60)), max_size=6),
    body=st.binary(max_size=400),
    plan=plans(),
)
def test_every_sequence_of_bytes_has_an_answer(
    status: int, headers: list[tuple[bytes, bytes]], body: bytes, plan: Plan
) -> None:
    """Nothing about a reply is taken for granted: not its status, not its header, not one byte of its body."""
    checked(Reply(status=status, headers=tuple(headers), body=body), plan)


MB = 1_000_000
HUGE = {
    "open brackets": b"[" * (10 * MB),
    "open objects": b'{"a":' * (2 * MB),
    "balanced brackets": b"[" * (5 * MB) + b"]" * (5 * MB),
    "one text": b'"' + b"a" * (8 * MB) + b'"',
    "one text in a message": b'{"status":"400","message":"' + b"a" * (8 * MB) + b'"}',
    "one text in an error": b'{"error":{"message":"' + b"a" * (8 * MB) + b'"}}',
    "one number": b"1" * (8 * MB),
    "entities": b'{"message":"' + b"&lt;" * (2 * MB) + b'"}',
    "opened tags": b"<" * (10 * MB),
    "paragraphs": b"<html>" + b"<p>x" * (2 * MB),
    "spaces": b" " * (10 * MB),
    "words": b"lorem " * MB,
    "form fields": b"a=b&" * (2 * MB),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("status", [200, 422])
@pytest.mark.parametrize("body", HUGE.values(), ids=HUGE)
def test_a_huge_body_costs_no_work_of_its_size(dialect: str, status: int, body: bytes) -> None:
    """A body of 10 MB without structure is answered in a few calls; its error document stays small."""
    plan = plan_for(presets.preset(dialect), "shop")
    result, calls = counted(lambda: checked(Reply(status=status, headers=JSON, body=body), plan))
    assert calls < 10_000
    if isinstance(result, Problem):
        _, document = answer(Reply(status=status, headers=JSON, body=body), plan)
        assert len(document or b"") < 10_000


MEMBERS = 100_000


@pytest.mark.parametrize("dialect", ["salla", "auto"])
@pytest.mark.parametrize("status", [200, 422])
@pytest.mark.parametrize("inside", [(), ("error", "fields")], ids=".".join)
def test_work_grows_with_the_number_of_members_and_no_faster(
    dialect: str, status: int, inside: tuple[str, ...]
) -> None:
    """An object of 100,000 keys, wherever it stands, costs a few calls a key, and gives at most 256 field errors."""
    value: Any = {f"key{number}": "is wrong" for number in range(MEMBERS)}
    for name in reversed(inside):
        value = {name: value, "message": "no"}
    body = json.dumps(value).encode()
    plan = plan_for(presets.preset(dialect), "shop")
    result, calls = counted(lambda: answer(Reply(status=status, headers=JSON, body=body), plan)[0])
    assert calls < 10 * MEMBERS
    assert not isinstance(result, Problem) or len(result.errors) <= MOST_ERRORS


BOMBS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstd.compress,
    "gzip, gzip": lambda data: gzip.compress(gzip.compress(data)),
}


@pytest.mark.parametrize("dialect", ["salla", "auto"])
@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("content", [b" ", b"[", b"a", b"<"])
@pytest.mark.parametrize("coding", BOMBS)
def test_a_bomb_is_not_unpacked(dialect: str, status: int, content: bytes, coding: str) -> None:
    """A small coded body that claims to be a thousand times larger is never held in memory at that size."""
    size = 20 * MB
    bomb = BOMBS[coding](content * size)
    assert len(bomb) * 900 < size
    reply = Reply(status=status, headers=(*JSON, (b"Content-Encoding", coding.encode())), body=bomb)
    plan = plan_for(presets.preset(dialect), "shop")
    tracemalloc.start()
    try:
        result, document = answer(reply, plan)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < size / 4  # 100 times the bomb's size, twice while zlib's buffer grows
    assert (document is None) == (status == 200)
    assert isinstance(result, Problem) == (status == 500)


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("generic", {"errors": {f"{number:03}" + "\x01" * 300: "\U0001f600" * 3_000 for number in range(300)}}),
        ("generic", {"errors": [{"field": "\U0001f600" * 300, "message": "\U0001f600" * 3_000}] * 300}),
        ("generic", {"errors": [{"source": {"pointer": "\U0001f600" * 300}, "detail": '"' * 3_000}] * 300}),
        (
            "status-message-body",
            {"status": "400", "message": "no", "body": {"text": "\U0001f600" * 3_000, "fields": ["\x01" * 300] * 300}},
        ),
        (
            "problem-json",
            {"title": "\U0001f600" * 3_000, "detail": '"' * 3_000, "code": "\x01" * 300, "more": "x" * 16_000},
        ),
    ],
    ids=["tree", "list", "pointers", "positions", "extensions"],
)
def test_the_largest_problem(dialect: str, body: object) -> None:
    """Names, pointers, texts and extension members at their bounds, as many as there may be, stay within the bound."""
    data = json.dumps(body, ensure_ascii=False).encode()
    result = checked(Reply(status=400, headers=JSON, body=data), plan_for(presets.preset(dialect), "shop"))
    assert isinstance(result, Problem)
    assert len(result.errors) in {0, MOST_ERRORS}


OUTLINED: dict[str, list[Callable[[Any], Any]]] = {
    "salla": [
        lambda value: {"status": 404, "message": "no", "data": value},
        lambda value: {"errors": [{"message": "no"}], "data": value},
        lambda value: {"status": 200, "success": True, "data": value, "more": value},
        lambda value: {"status": 200, "success": True, "data": {"message": value, "status": 404}, "code": "no"},
    ],
    "status-message-body": [
        lambda value: {"status": "200", "message": "yes", "body": value},
        lambda value: {"status": "200", "message": "yes", "body": {"text": value, "data": value}},
        lambda value: {"status": "404", "message": "no", "body": value},
    ],
}
"""Presets that do not decode the payload of a success, and bodies that turn on what is in it."""


@cache
def _without_outline(name: str) -> Dialect:
    dialect = Dialect(presets.chain(presets.specs()[name]))
    dialect.outline = None
    return dialect


@pytest.mark.parametrize("name", OUTLINED)
@given(value=values)
def test_an_outline_tells_what_the_whole_body_does(name: str, value: object) -> None:
    """Nobody sees from an answer that the payload was not decoded."""
    whole = _without_outline(name)
    for body in OUTLINED[name]:
        reply = Reply(status=200, headers=JSON, body=json.dumps(body(value)).encode())
        assert answer(reply, plan_for(presets.preset(name), "shop")) == answer(reply, plan_for(whole, "shop"))
