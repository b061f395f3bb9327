"""Examples of replies, run: what is promised of a reply comes out, and what does not is told."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config import presets
from gateway.dialects.spec import Example
from gateway.pipeline.examples import differences, plan_for, reply_of
from tests.unit.pipeline.plans import plan_with

LOST = {"status": 404, "json": {"error": {"message": "Nothing here", "code": 7}}}
PASSES = {"status": 200, "body": "words"}
PAGE = {"status": 200, "json": {"status": 200, "success": True, "data": [{"id": 1}, {"id": 2}]}}


def _differences(reply: dict[str, Any], expect: object) -> list[str]:
    example = Example.model_validate({"name": "a", "reply": reply, "expect": expect})
    return differences(example, plan_with("salla"))


@pytest.mark.parametrize(
    ("reply", "expect"),
    [
        (LOST, {}),
        (LOST, {"status": 404, "upstream": {"code": "7"}, "errors": []}),
        (PASSES, "pass"),
        (PAGE, {"data": [{"id": 1}, {}]}),
    ],
)
def test_only_what_is_named_is_compared(reply: dict[str, Any], expect: object) -> None:
    """Objects are compared in part, lists member by member."""
    assert _differences(reply, expect) == []


@pytest.mark.parametrize(
    ("reply", "expect", "told"),
    [
        (LOST, {"status": 400}, ["status: is 404, but 400 was expected"]),
        (LOST, {"upstream": {"code": 7}}, ['upstream.code: is "7", but 7 was expected']),
        (LOST, {"nothing": 1}, ["nothing: is not there, but 1 was expected"]),
        (LOST, {"errors": [{}]}, ["errors: is [], but [{}] was expected"]),
        (LOST, {"errors": {}}, ["errors: is [], but {} was expected"]),
        (PAGE, {"data": [{"id": 1}, {"id": 3}]}, ["data[1].id: is 2, but 3 was expected"]),
        (PAGE, {"data": [{"id": True}, {}]}, ["data[0].id: is 1, but true was expected"]),
        (PAGE, {"data": [{"id": 9}], "meta": 1}, None),
        (PASSES, {}, ["passes untouched, but something was expected"]),
    ],
)
def test_each_difference_is_a_sentence(reply: dict[str, Any], expect: object, told: list[str] | None) -> None:
    """All of them, each with its path; true is not 1."""
    found = _differences(reply, expect)
    assert found == told if told is not None else len(found) == 2


def test_a_reply_that_should_have_passed() -> None:
    """What came instead is shown, within bounds."""
    [told] = _differences({"status": 500, "body": "x" * 5_000}, "pass")
    assert told.startswith('is expected to pass untouched, but gives {"type":')
    assert len(told) < 500


@pytest.mark.parametrize(
    ("reply", "headers", "body"),
    [
        ({"status": 200, "json": {"a": "لا"}}, ((b"Content-Type", b"application/json"),), '{"a": "لا"}'.encode()),
        (
            {"status": 200, "json": [1], "headers": {"content-type": "text/html"}},
            ((b"content-type", b"text/html"),),
            b"[1]",
        ),
        ({"status": 200, "body": "words", "headers": {"X-A": "1"}}, ((b"X-A", b"1"),), b"words"),
        ({"status": 200}, (), b""),
    ],
)
def test_a_reply_is_what_its_example_describes(
    reply: dict[str, Any], headers: tuple[tuple[bytes, bytes], ...], body: bytes
) -> None:
    """JSON written in YAML gets its content type, unless it has one; a text is sent as it is."""
    found = reply_of(Example.model_validate({"name": "a", "reply": reply, "expect": "pass"}).reply)
    assert (found.status, found.headers, found.body) == (200, headers, body)


@pytest.mark.parametrize(
    ("reply", "passes"),
    [
        ({"status": 200, "body": '{"status": 200, "success": true, "data": 1}'}, False),
        ({"status": 206, "body": '{"status": 200, "success": true, "data": 1}'}, True),
        ({"status": 200, "json": {"success": True, "status": 200}, "headers": {"Cache-Control": "no-transform"}}, True),
        ({"status": 200, "body": "<p>yes</p>"}, True),
    ],
)
def test_a_reply_that_the_gateway_streams_passes_here_too(reply: dict[str, Any], *, passes: bool) -> None:
    """What is decided on the head alone is decided alike; JSON that was written by hand needs no content type."""
    example = Example.model_validate({"name": "a", "reply": reply, "expect": "pass"})
    assert (differences(example, plan_for(presets.preset("salla"), "salla")) == []) is passes
