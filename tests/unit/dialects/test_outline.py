"""The envelope of a success, read without decoding its payload."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config import presets
from gateway.dialects.outline import Outline, outline_of
from gateway.dialects.spec import Condition, SuccessSpec

OUTLINE = Outline("data", ["ok", "message", "data"])


@pytest.mark.parametrize(
    ("body", "tree", "payload"),
    [
        (b'{"ok":true,"x":1,"data":[{"a":1}]}', {"ok": True, "data": [None, None]}, b'[{"a":1}]'),
        (b'{"data": [ 1 ] }', {"data": [None, None]}, b"[ 1 ]"),
        (b'{"data":[ ]}', {"data": []}, b"[ ]"),
        (b'{"data":[' + b" " * 99 + b"]}", {"data": []}, b"[" + b" " * 99 + b"]"),
        (b'{"data":{"message":"m","a":[]}}', {"data": {"message": "m"}}, b'{"message":"m","a":[]}'),
        (b'{"data":{"a":1}}', {"data": {"a": 1}}, b'{"a":1}'),
        (b'{"data":{}}', {"data": {}}, b"{}"),
        (b'{"data":7}', {"data": 7}, b"7"),
        (b'{"data":null}', {"data": None}, b"null"),
        (b'{"data":[1],"data":"\xc3\xa9"}', {"data": "é"}, b'"\xc3\xa9"'),
        (b'{"data":[1e999]}', {"data": [None, None]}, b"[1e999]"),
    ],
)
def test_the_payload_stands_as_it_came(body: bytes, tree: object, payload: bytes) -> None:
    """In its place in the tree is a value of its type, empty where it is empty, with the keys that matter."""
    assert OUTLINE.read(body) == (tree, payload)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[1]",
        b'{"ok":true}',
        b'{"data":[1}',
        b'{"data":["\xff"]}',
        b'{"data":["\\ud800"]}',
        b'{"data":1e999}',
        b'{"ok":1e999,"data":[]}',
        b'{"data":' + b"[" * 9_000 + b"]" * 9_000 + b"}",
    ],
)
def test_what_has_no_payload_is_read_in_full(body: bytes) -> None:
    """And so is what is not JSON as it should be: the patient reader has its own rules for that."""
    assert OUTLINE.read(body) is None


def _outline(success: dict[str, Any] | None, *conditions: dict[str, Any]) -> Outline | None:
    spec = None if success is None else SuccessSpec.model_validate(success)
    return outline_of(spec, [Condition.model_validate(condition) for condition in conditions])


PAGES = {"from": ["@", "meta"], "page": "page", "next": "links[0]"}


@pytest.mark.parametrize(
    ("success", "condition"),
    [
        ({"data": "data"}, {}),
        ({"data": "body.data"}, {"body": {"has": "body"}}),
        ({"data": "data"}, {"body": {"type": {"@": "object", "data": "null"}, "lacks": "data"}}),
        ({"data": "data", "message": ["data.message", "rows[0]"], "pagination": PAGES}, {"status": 200}),
        ({"data": "data", "warnings": [{"when": {"kind": "json"}, "from": "failed", "code": "code"}]}, {}),
        ({"data": "data", "envelope": {"body": {"equals": {"ok": True}}}}, {"any": [{"body": {"has": "data.x"}}]}),
        ({"data": "data"}, {"kind": "xml", "body": {"has": "*.Errors | [0]"}}),
    ],
)
def test_a_payload_that_nobody_looks_into_has_an_outline(success: dict[str, Any], condition: dict[str, Any]) -> None:
    """Its type, whether it is empty, and what is under its keys can be told without decoding it."""
    assert _outline(success, condition) is not None


@pytest.mark.parametrize(
    ("success", "condition"),
    [
        (None, {}),
        ({}, {}),
        ({"data": "@"}, {}),
        ({"data": "[0]"}, {}),
        ({"data": "data[0]"}, {}),
        ({"data": "data", "message": "data"}, {}),
        ({"data": "data", "message": "@"}, {}),
        ({"data": "data", "message": "data[0].x"}, {}),
        ({"data": "data", "message": "rows | [0]"}, {}),
        ({"data": "data", "pagination": {"from": "data"}}, {}),
        ({"data": "data", "pagination": {"page": "data[0]"}}, {}),
        ({"data": "data", "warnings": [{"from": "data"}]}, {}),
        ({"data": "data", "warnings": [{"from": "a", "when": {"body": {"has": "data[0]"}}}]}, {}),
        ({"data": "data", "envelope": {"body": {"has": "[0]"}}}, {}),
        ({"data": "data"}, {"body": {"has": "@"}}),
        ({"data": "data"}, {"body": {"type": {"length(@)": "number"}}}),
        ({"data": "data"}, {"body": {"type": {"data[0]": "object"}}}),
        ({"data": "data"}, {"none": [{"body": {"equals": {"data[0]": 1}}}]}),
    ],
)
def test_a_payload_that_somebody_looks_into_has_none(success: dict[str, Any] | None, condition: dict[str, Any]) -> None:
    """Where more of it is read than its type and its keys, or all of the body, everything is decoded."""
    assert _outline(success, condition) is None


@pytest.mark.parametrize(
    ("name", "outlined"), [("salla", True), ("status-message-body", True), ("generic", False), ("auto", False)]
)
def test_which_presets_have_an_outline(name: str, *, outlined: bool) -> None:
    """Those that take a payload out of an envelope."""
    assert (presets.preset(name).outline is not None) == outlined
