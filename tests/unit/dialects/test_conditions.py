"""Conditions: which replies a rule is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.dialects.conditions import as_status, compile_condition, fold, is_filled
from gateway.dialects.spec import Condition, TypeName
from tests.unit.dialects.views import view_of

if TYPE_CHECKING:
    from gateway.dialects.view import View

REPLY = view_of(
    {
        "code": 17,
        "flag": True,
        "text": "Too  Many requests",
        "none": None,
        "list": [1],
        "empty": "",
        "deep": {"at": "404"},
    },
    status=422,
    headers={"Content-Type": "application/json", "X-Calls": "0", "WWW-Authenticate": 'Bearer error="no"'},
)
PAGE = view_of(b"<html><title>Oh</title>", status=502, headers={"Content-Type": "text/html"})


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({}, True),
        ({"status": 422}, True),
        ({"status": "4xx"}, True),
        ({"status": [400, "500-599"]}, False),
        ({"status": []}, False),
        ({"kind": "json"}, True),
        ({"kind": ["html", "text"]}, False),
        ({"content_type": "Application/JSON"}, True),
        ({"content_type": "text/html"}, False),
        ({"headers": {"has": "x-calls"}}, True),
        ({"headers": {"has": "X-Other"}}, False),
        ({"headers": {"lacks": "X-Other"}}, True),
        ({"headers": {"lacks": "X-CALLS"}}, False),
        ({"headers": {"equals": {"X-Calls": "0"}}}, True),
        ({"headers": {"equals": {"X-Calls": ["1", "2"]}}}, False),
        ({"headers": {"equals": {"X-Other": "0"}}}, False),
        ({"headers": {"contains": {"WWW-Authenticate": "ERROR="}}}, True),
        ({"headers": {"contains": {"X-Other": "a"}}}, False),
        ({"headers": {"matches": {"X-Calls": "^[0-9]$"}}}, True),
        ({"headers": {"matches": {"X-Other": ""}}}, False),
        ({"body": {"has": ["code", "list"]}}, True),
        ({"body": {"has": ["code", "empty"]}}, False),
        ({"body": {"lacks": ["none", "empty", "nowhere"]}}, True),
        ({"body": {"lacks": "flag"}}, False),
        ({"body": {"items": {"list": "number"}}}, True),
        ({"body": {"items": {"list": ["string", "null"]}}}, False),
        ({"body": {"items": {"deep": "string"}}}, True),
        ({"body": {"items": {"@": "string"}}}, False),
        ({"body": {"items": {"empty": "string"}}}, False),
        ({"body": {"items": {"text": "string"}}}, False),
        ({"body": {"items": {"nowhere": "null"}}}, False),
        ({"body": {"equals": {"code": 17}}}, True),
        ({"body": {"equals": {"code": [16, 17]}}}, True),
        ({"body": {"equals": {"code": "17"}}}, False),
        ({"body": {"equals": {"flag": True}}}, True),
        ({"body": {"equals": {"flag": 1}}}, False),
        ({"body": {"equals": {"none": None}}}, True),
        ({"body": {"equals": {"list": 1}}}, False),
        ({"body": {"equals": {"deep": "x"}}}, False),
        ({"body": {"type": {"list": "list", "deep": "object", "code": ["number", "string"]}}}, True),
        ({"body": {"type": {"flag": "number"}}}, False),
        ({"body": {"contains": {"text": "too many"}}}, True),
        ({"body": {"contains": {"text": ["none", "such"]}}}, False),
        ({"body": {"contains": {"code": "17"}}}, False),
        ({"body": {"matches": {"text": "(?i)^too +many"}}}, True),
        ({"body": {"matches": {"code": "17"}}}, False),
        ({"body": {"status": {"deep.at": "4xx"}}}, True),
        ({"body": {"status": {"code": "4xx"}}}, False),
        ({"any": [{"status": 500}, {"status": 422}]}, True),
        ({"any": [{"status": 500}, {"kind": "html"}]}, False),
        ({"none": [{"status": 500}]}, True),
        ({"none": [{"status": 500}, {"kind": "json"}]}, False),
        ({"status": 422, "kind": "json", "body": {"has": "code"}}, True),
        ({"status": 422, "kind": "html", "body": {"has": "code"}}, False),
    ],
)
def test_every_key_that_is_given_must_hold(condition: dict[str, Any], *, holds: bool) -> None:
    """A condition is a conjunction; one without a key is always true."""
    assert compile_condition(Condition.model_validate(condition))(REPLY) == holds


@pytest.mark.parametrize(
    ("view", "kind", "holds"), [(PAGE, "html", True), (view_of(), "empty", True), (view_of(b"\0"), "opaque", True)]
)
def test_kinds(view: View, kind: str, *, holds: bool) -> None:
    """What a body is can be asked for, whatever it claims to be."""
    assert compile_condition(Condition.model_validate({"kind": kind}))(view) == holds


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("too many", "TOO\n MANY!"),
        ("رقم الجوال", "رَقْمُ الجــوال مطلوب"),
        ("straße", "STRASSE 5"),
    ],
)
def test_phrases_are_compared_folded(phrase: str, text: str) -> None:
    """Case, runs of space, Arabic vowel signs and stretching do not count."""
    assert fold(phrase) in fold(text)


@pytest.mark.parametrize("test", [{"contains": {"text": "needle"}}, {"matches": {"text": "needle"}}])
def test_only_the_beginning_of_a_text_is_searched(test: dict[str, Any]) -> None:
    """Phrases and patterns are looked for in the first 4 KiB characters of a text."""
    holds = compile_condition(Condition.model_validate({"body": test}))
    assert holds(view_of({"text": " " * 4_000 + "needle"}))
    assert not holds(view_of({"text": "x" * 4_096 + "needle"}))


@pytest.mark.parametrize(
    ("value", "filled"),
    [(None, False), ("", False), ([], False), ({}, False), (0, True), (False, True), (" ", True), ([None], True)],
)
def test_a_value_is_filled_if_it_says_something(value: object, *, filled: bool) -> None:
    """Null and empty things say nothing; 0 and false do."""
    assert is_filled(value) == filled


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (404, 404),
        ("422", 422),
        (100, 100),
        (599, 599),
        (99, None),
        (600, None),
        ("0404", None),
        ("4x4", None),
        ("٤٠٤", None),
        (True, None),
        (404.0, None),
        (None, None),
        ([404], None),
    ],
)
def test_a_status_is_a_number_or_three_digits(value: object, status: int | None) -> None:
    """A body's status counts if it can be one."""
    assert as_status(value) == status


def _holds(condition: dict[str, Any], body: object) -> bool:
    return compile_condition(Condition.model_validate(condition))(view_of(body))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({}, TypeName.OBJECT),
        ([], TypeName.LIST),
        ("", TypeName.STRING),
        (1, TypeName.NUMBER),
        (1.5, TypeName.NUMBER),
        (True, TypeName.BOOLEAN),
        (None, TypeName.NULL),
    ],
)
def test_types_are_those_of_json(value: object, name: TypeName) -> None:
    """Each value of a tree has one of six types."""
    body = {"a": value}
    holding = [one for one in TypeName if _holds({"body": {"type": {"a": one}}}, body)]
    assert holding == [name]
