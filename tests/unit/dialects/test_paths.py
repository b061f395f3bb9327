"""Paths into a body; that plain ones agree with the library is a property (tests/property/test_paths.py)."""

from __future__ import annotations

import pytest

from gateway.dialects.expressions import MOST_ITEMS, MOST_MEMBERS
from gateway.dialects.paths import PathError, find, plain_steps


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("@", ()),
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ('"invalid-params"[0].name', ("invalid-params", 0, "name")),
        ("[-1]", (-1,)),
        ("a[0][1]", ("a", 0, 1)),
        ('""', ("",)),
        ('"a\\"b"', None),
        ("a[*]", None),
        ("a || b", None),
        ("", None),
        (".a", None),
        ("a.", None),
        ("a.[0]", None),
        ("a[0]b", None),
    ],
)
def test_plain_paths_are_keys_and_indexes(text: str, steps: tuple[str | int, ...] | None) -> None:
    """What is more than keys and indexes needs the whole language."""
    assert plain_steps(text) == steps


def test_an_expression_looks_at_so_many_items_and_no_more() -> None:
    """Who sends a hundred thousand items does not get them all looked at."""
    items = [{"a": [{"b": 1}]}] * 5_000
    members = {f"key{number}": {"a": 1} for number in range(5_000)}
    for path in ("a[*].a", "a[].a", "a[?a].a", "a[].a[].b"):
        assert len(find(path)({"a": items})) == MOST_ITEMS
    assert len(find("*.a")(members)) == MOST_MEMBERS


@pytest.mark.parametrize(
    ("path", "tree", "found"),
    [
        ("a", {"a": 1}, 1),
        ("a", [1], None),
        ("a.b", {"a": {"b": 1}}, 1),
        ("a.b", {"a": [1]}, None),
        ("a.b", [], None),
        ("a.b.c", {"a": {"b": {"c": 1}}}, 1),
        ("a.b.c", {"a": {"b": 1}}, None),
        ("a[1]", {"a": [0, 1]}, 1),
        ("a[2]", {"a": [0, 1]}, None),
        ("a[-2]", {"a": [0, 1]}, 0),
        ("a[-3]", {"a": [0, 1]}, None),
        ("a[0]", {"a": "text"}, None),
        ("@", {"a": 1}, {"a": 1}),
        ("a || b", {"b": 1}, 1),
        ("items[?bad].name | [0]", {"items": [{"name": 1}, {"name": 2, "bad": True}]}, 2),
        ("sum(a)", {"a": ["x"]}, None),
        ("length(a)", {}, None),
    ],
)
def test_a_path_that_finds_nothing_is_none(path: str, tree: object, found: object) -> None:
    """A path into a value of another shape finds nothing, and a function that cannot work gives nothing."""
    assert find(path)(tree) == found


def test_a_function_with_too_many_arguments_finds_nothing() -> None:
    """It is told when it is asked for, as by the library, and not by an error at load."""
    assert find("length(a, b)")({"a": "x", "b": "y"}) is None


def test_a_path_survives_depth() -> None:
    """The library recurses with the body; a body that is too deep for it is a body without that value."""
    tree: object = 1
    for _ in range(5_000):
        tree = [tree]
    assert find("a || b")({"a": tree, "b": 1}) is not None
    assert find("to_string(a)")({"a": tree}) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a[", "not a JMESPath expression (character 3)"),
        ("a b", "not a JMESPath expression (character 3)"),
        ("", "not a JMESPath expression"),
        ('a."b', "not a JMESPath expression (character 3)"),
    ],
)
def test_what_is_no_path_is_refused(text: str, message: str) -> None:
    """The message says where in the text it stops making sense; it does not repeat the text."""
    with pytest.raises(PathError) as caught:
        find(text)
    assert str(caught.value) == message
