"""A condition taken apart: each key, what it wants, what was found, and whether it holds."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.dialects.explain.evidence import Evidence, examined
from gateway.dialects.spec import Condition
from tests.unit.dialects.views import view_of

HEADERS = {"Content-Type": "application/json", "X-Kind": "busy"}
BODY = {"ok": False, "code": "17", "text": "not now", "inner": {"list": [1]}, "none": None}


def _examined(condition: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    view = view_of(BODY, status=422, headers=HEADERS)
    found = examined(Condition.model_validate(condition), view)
    return [(one.key, one.wanted, one.found, one.holds) for one in found]


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ({}, []),
        ({"status": "4xx"}, [("status", "4xx", "422", True)]),
        ({"status": [404, "5xx"]}, [("status", "404 or 5xx", "422", False)]),
        ({"kind": ["html", "json"]}, [("kind", "html or json", "json", True)]),
        ({"content_type": "text/html"}, [("content_type", "text/html", "application/json", False)]),
        ({"headers": {"has": "X-Kind"}}, [("headers.has.X-Kind", "something", '"busy"', True)]),
        ({"headers": {"lacks": "X-Kind"}}, [("headers.lacks.X-Kind", "nothing", '"busy"', False)]),
        ({"headers": {"equals": {"X-Other": "a"}}}, [("headers.equals.X-Other", '"a"', "nothing", False)]),
        (
            {"body": {"has": ["code", "gone"]}},
            [("body.has.code", "something", '"17"', True), ("body.has.gone", "something", "nothing", False)],
        ),
        ({"body": {"lacks": "none"}}, [("body.lacks.none", "nothing", "nothing", True)]),
        ({"body": {"equals": {"code": [17, "18"]}}}, [("body.equals.code", '17 or "18"', '"17"', False)]),
        ({"body": {"equals": {"ok": False}}}, [("body.equals.ok", "false", "false", True)]),
        ({"body": {"type": {"inner.list": "list"}}}, [("body.type.inner.list", "list", "[1]", True)]),
        ({"body": {"contains": {"text": ["Not"]}}}, [("body.contains.text", '"Not"', '"not now"', True)]),
        ({"body": {"status": {"code": "4xx"}}}, [("body.status.code", "4xx", '"17"', False)]),
        (
            {"any": [{"status": 404}, {"body": {"has": ["ok"]}}]},
            [("any", "one of 2", "(1) status wants 404, found 422; (2) holds", True)],
        ),
        ({"none": [{"status": 422}]}, [("none", "none of 1", "(1) holds", False)]),
        (
            {"status": 422, "body": {"has": ["ok"], "type": {"ok": "string"}}},
            [
                ("status", "422", "422", True),
                ("body.has.ok", "something", "false", True),
                ("body.type.ok", "string", "false", False),
            ],
        ),
    ],
)
def test_each_key_by_itself(condition: dict[str, Any], told: list[tuple[str, str, str, bool]]) -> None:
    """Keys stand as in a file, texts that are compared are quoted, and alternatives are one key."""
    assert _examined(condition) == told


def test_many_alternatives_are_cut() -> None:
    """What is told of alternatives is bounded."""
    [(_, wanted, found, holds)] = _examined({"any": [{"body": {"has": ["x" * 50]}}] * 40})
    assert (wanted, holds) == ("one of 40", False)
    assert len(found) == 640
    assert found.endswith("…")


def test_foreign_types_have_no_colour() -> None:
    """What a reply claims as its type is foreign text, too."""
    view = view_of(b"x", headers={"Content-Type": "a/\x1b[31m"})
    [found] = examined(Condition.model_validate({"content_type": "text/html"}), view)
    assert found == Evidence(key="content_type", wanted="text/html", found=r"a/\u001b[31m", holds=False)
