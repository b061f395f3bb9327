"""The signs of dialects, found by what has to be there for them; that none is missed is a property."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.dialects.detect import Signs
from gateway.dialects.reader import Dialect
from gateway.dialects.spec import Detection, DialectSpec
from tests.unit.dialects.views import view_of

DIALECT = Dialect([DialectSpec.model_validate({"name": "any", "extends": []})])


def _signs(*conditions: dict[str, Any]) -> Signs:
    return Signs([(Detection.model_validate(condition), DIALECT) for condition in conditions])


def _asked(signs: Signs, body: object, headers: dict[str, str] | None = None) -> list[int]:
    return sorted(sign.order for sign in signs.of(view_of(body, headers=headers)))


@pytest.mark.parametrize(
    ("body", "headers", "asked"),
    [
        ({"a": 1}, {}, [0]),
        ({"a": None}, {}, []),
        ({"b": {"c": 1}}, {}, [1]),
        ({"b": {"d": 1}}, {}, []),
        ({"b": "c"}, {}, []),
        ({"l": [{"m": 1}]}, {}, [2]),
        ({"l": [1]}, {}, []),
        ({"l": []}, {}, []),
        ({"x": 1}, {}, [3]),
        ({"y": 1}, {}, [3]),
        ({}, {"X-Id": "1"}, [4]),
        (b"<html></html>", {}, [5]),
        ({"z": 1, "n": 1, "o": 1}, {}, []),
    ],
)
def test_a_reply_is_asked_about_the_signs_that_it_leads_to(
    body: object, headers: dict[str, str], asked: list[int]
) -> None:
    """What a condition needs is a member, one of two members, a field, or a kind of body."""
    signs = _signs(
        {"body": {"has": "a"}},
        {"body": {"type": {"b.c": "number"}}},
        {"body": {"equals": {"l[0].m": 1}}},
        {"any": [{"body": {"has": "x"}}, {"body": {"has": "y"}}]},
        {"headers": {"has": "X-Id"}},
        {"kind": "html"},
    )
    assert _asked(signs, body, headers) == asked


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"body": {"lacks": "a"}},
        {"body": {"type": {"a": ["null", "string"]}}},
        {"body": {"equals": {"a": [None, 1]}}},
        {"body": {"has": "@"}},
        {"body": {"has": "[1].a"}},
        {"body": {"has": "length(a)"}},
        {"status": "4xx"},
        {"none": [{"body": {"has": "a"}}]},
    ],
)
def test_a_sign_that_needs_nothing_is_always_asked(condition: dict[str, Any]) -> None:
    """Where nothing has to be there, nothing can be looked for."""
    assert _asked(_signs(condition), {}) == [0]


def test_a_sign_is_kept_under_its_rarest_member() -> None:
    """A member that many dialects have leads to few of them."""
    signs = _signs(*({"body": {"has": ["error", f"own{number}"]}} for number in range(5)))
    assert _asked(signs, {"error": 1}) == []
    assert _asked(signs, {"error": 1, "own3": 1}) == [3]


def test_the_rest_of_a_path_behind_a_later_item_is_not_followed() -> None:
    """Only the first item of a list is looked at; what stands behind another is found out by the sign itself."""
    assert _asked(_signs({"body": {"has": "a[2].b"}}), {"a": [1]}) == [0]
