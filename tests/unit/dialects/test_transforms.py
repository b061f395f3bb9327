"""What is taken of a value that a pick has found."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.dialects.sources import code_at, compile_finder, compile_pick, text_at
from gateway.dialects.spec import Pick
from tests.unit.dialects.views import view_of


def _taken(pick: dict[str, Any], body: object) -> object:
    return compile_pick(Pick.model_validate({"path": "a", **pick}))(view_of(body))


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ('{"b": [{"c": "deep"}]}', "deep"),
        ('{"b": []}', None),
        ('These are wrong: {"b": [{"c": "deep"}]}', "deep"),
        ('[1, {"b": 2}]', None),
        ("not JSON", None),
        ("[" * 70_000, None),
        ("[" * 60_000, None),
        ("\ud800", None),
        (7, None),
    ],
)
def test_json_in_a_text(text: object, taken: object) -> None:
    """A text that is JSON is looked into, within bounds; any other value gives nothing."""
    assert _taken({"json": "b[0].c"}, {"a": text}) == taken


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ({"code": "outer", "inner": {"code": "deeper", "inner": {"code": "deepest"}}}, "deepest"),
        ({"code": "outer", "inner": {"inner": {"code": ""}}}, "outer"),
        ({"code": "outer", "inner": "no object"}, "outer"),
        ({"inner": {}}, None),
        ("no object", None),
    ],
)
def test_the_deepest_object(value: object, taken: object) -> None:
    """Of nested objects the deepest that has something counts."""
    assert _taken({"through": "inner", "take": "code"}, {"a": value}) == taken


def test_nested_objects_are_followed_so_far() -> None:
    """Who nests a hundred objects does not get them all looked into."""
    tree: dict[str, Any] = {"code": 100}
    for depth in range(99, 0, -1):
        tree = {"code": depth, "inner": tree}
    assert _taken({"through": "inner", "take": "code"}, {"a": tree}) == 32


@pytest.mark.parametrize(
    ("pick", "value", "taken"),
    [
        ({"pattern": "field '([a-z]+)'"}, "The field 'size' is odd", "size"),
        ({"pattern": "E[0-9]+"}, "It is E17", "E17"),
        ({"pattern": "E[0-9]+"}, "It is well", None),
        ({"pattern": "(x)|y"}, "y", None),
        ({"pattern": "17"}, 17, None),
        ({"after": "#"}, "com.shop#v1#TooLate", "TooLate"),
        ({"after": "#"}, "TooLate", "TooLate"),
        ({"after": "#"}, 17, 17),
        ({"before": ":"}, "TooLate:http://shop/", "TooLate"),
        ({"before": ":"}, "TooLate", "TooLate"),
        ({"before": ":"}, 17, 17),
        ({"enum": {"5": "NOT_FOUND"}}, 5, "NOT_FOUND"),
        ({"enum": {"5": "NOT_FOUND"}}, "5", "NOT_FOUND"),
        ({"enum": {"5": "NOT_FOUND"}}, 6, 6),
        ({"enum": {"True": "NOT_FOUND"}}, True, True),
        ({"after": "/", "before": "?", "enum": {"late": "TOO_LATE"}}, "https://shop/late?x=1", "TOO_LATE"),
    ],
)
def test_a_part_of_a_text(pick: dict[str, Any], value: object, taken: object) -> None:
    """Steps are taken in one order; what they are not for stays as it is, and what a pattern misses is nothing."""
    assert _taken(pick, {"a": value}) == taken


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        ("%1 needs %2", ["size", 3], "size needs 3"),
        ("%0 %3 %x", ["size", 3], "%0 %3 %x"),
        ("{0} needs {1}", ["size", 3], "size needs 3"),
        ("{9} {999999999999} {x}", ["size", 3], "{9} {999999999999} {x}"),
        (
            "%field needs {least}, ${least}, %{least}, {{ least }}",
            {"field": "size", "least": 3},
            "size needs 3, 3, 3, 3",
        ),
        ("%field", {"field": {"no": "text"}}, "%field"),
        ("100 %, {", {"field": "size"}, "100 %, {"),
        ("%field", None, "%field"),
        ("%field", "size", "%field"),
        (17, {"field": "size"}, 17),
        ("%field", {"field": "x" * 600}, "x" * 500),
    ],
)
def test_placeholders(text: object, values: object, filled: object) -> None:
    """Placeholders of every usual spelling get their values; one without a value stays."""
    assert _taken({"fill": "values"}, {"a": text, "values": values}) == filled


def test_a_header_field_is_taken_apart_too() -> None:
    """Where a value stands does not matter to what is taken of it."""
    pick = Pick.model_validate({"header": "X-Error", "before": ":"})
    assert code_at([pick])(view_of({}, headers={"X-Error": "TooLate:http://shop/"})) == "TooLate"
    assert code_at([pick])(view_of({})) is None


def test_inside_a_list_there_are_no_header_fields() -> None:
    """A finder is for values in a body."""
    assert compile_finder(Pick.model_validate({"path": "a", "after": "."}))({"a": "x.y"}) == "y"
    assert compile_finder(Pick.model_validate({"path": "a", "after": "."}))({}) is None
    with pytest.raises(ValueError, match="no header fields"):
        compile_finder(Pick.model_validate({"header": "X"}))


def test_the_text_of_an_element_with_attributes() -> None:
    """An XML element that has attributes beside its text is taken for the text."""
    pick = Pick.model_validate("a")
    assert text_at([pick])(view_of({"a": {"@lang": "en", "#text": "It is late"}})) == "It is late"
    assert text_at([pick])(view_of({"a": [{"@lang": "en", "#text": "It is late"}]})) == "It is late"
    assert text_at([pick])(view_of({"a": {"@lang": "en"}})) is None
