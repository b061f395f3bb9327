"""Plain paths, which are compiled to closures, find what JMESPath finds."""

from __future__ import annotations

import json
from typing import Any

import jmespath
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.dialects.paths import PathError, find

KEYS = ["a", "b", "_c", "a b", "ü", "", "0", "a.b", 'say "no"', "line\nbreak", "back\\slash"]
trees: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)),
    max_leaves=15,
)
_steps = st.one_of(st.sampled_from(KEYS), st.integers(-4, 4))


def _written(steps: list[str | int]) -> str:
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            plain = step.isascii() and step.isidentifier()
            text += ("." if text else "") + (step if plain else json.dumps(step))
    return text


@given(steps=st.lists(_steps, min_size=1, max_size=4), tree=trees)
def test_a_path_finds_what_jmespath_finds(steps: list[str | int], tree: object) -> None:
    """Compiled or not, a path of keys and indexes means what the standard says, on any tree."""
    text = _written(steps)
    assert find(text)(tree) == jmespath.compile(text).search(tree)


@given(text=st.one_of(st.text(max_size=12), st.text('ab"\\.[]0-1@*| ', max_size=10)), tree=trees)
@example(text="a.[0]", tree={"a": [1]})
@example(text="a[0]b", tree={"a": [1]})
@example(text='a."b"[-1]', tree={"a": {"b": [1, 2]}})
@example(text=".a", tree={"a": 1})
@example(text="", tree={"a": 1})
def test_every_text_is_a_path_or_is_refused(text: str, tree: object) -> None:
    """What JMESPath refuses is refused, what it takes is taken and finds the same."""
    try:
        found = find(text)(tree)
    except PathError:
        return
    assert found == jmespath.compile(text).search(tree)


_keys = st.sampled_from(["a", "b", '"a b"'])
_bounds = st.sampled_from(["", 0, 1, -1, 9])
_expressions = st.recursive(
    st.one_of(_keys, st.sampled_from(["@", "'x'", "a[0]", "a[-1].b"])),
    lambda inner: st.one_of(
        st.builds("{}[].{}".format, _keys, inner),
        st.builds("{}[*].{}".format, _keys, inner),
        st.builds("{}[?{}].{}".format, _keys, inner, _keys),
        st.builds("{}[?{}=='x' && !{}].{}".format, _keys, _keys, _keys, _keys),
        st.builds("{}[?{}!='x']".format, _keys, _keys),
        st.builds("{}[?`1`=={}]".format, _keys, _keys),
        st.builds("{}[?{}<`1`]".format, _keys, _keys),
        st.builds("{}.*.{}".format, _keys, inner),
        st.builds("[{}, {}][?{}]".format, inner, inner, _keys),
        st.builds("{} | [0]".format, inner),
        st.builds("{} || {}".format, inner, inner),
        st.builds("{} && {}".format, inner, inner),
        st.builds("length({}, {})".format, inner, inner),
        st.builds("values({})[?type(@) != 'array'][]".format, inner),
        st.builds("{}[?@ == `null`]".format, _keys),
        st.builds("{}[{}:{}:{}]".format, _keys, _bounds, _bounds, st.sampled_from(["", 1, -2, 0])),
        st.builds("{{a: {}, b: {}}}".format, inner, inner),
        st.builds(
            "{}({})".format, st.sampled_from(["length", "type", "keys", "values", "to_array", "to_string"]), inner
        ),
        st.builds("values({})[?type(@) == 'string' || !keys(@)]".format, _keys),
        st.builds("contains({}, {})".format, inner, inner),
        st.builds("contains(keys({}), 'a') && {}".format, _keys, _keys),
    ),
    max_leaves=4,
)
listed: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 1), st.sampled_from(["", "x", "y"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["a", "b", "a b"]), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(text=_expressions, tree=listed)
@example(text="a[][].b", tree={"a": [[[{"b": 1}]], {"b": 2}]})
@example(text="a[*].b[].a", tree={"a": [{"b": [{"a": 1}, {"a": [2]}]}, {"b": None}]})
@example(text="[?a!='x'] | [0]", tree=[{"a": "x"}, {"a": 0}])
@example(text="keys(@)[?@ == 'a']", tree={"a": 1, "b": 2})
@example(text="keys(a)", tree={"a": "x"})
@example(text="values(@)[?type(@) == 'array'][]", tree={"a": [1], "b": 2})
@example(text="[*].values(@)[]", tree=[{"a": 1}, "x"])
@example(text="length(a)", tree={"a": ["x", "y"]})
@example(text="length(a)", tree={"a": 1})
@example(text="a[1:] && a", tree={"a": [1, 2]})
@example(text="a[::0]", tree={"a": [1, 2]})
@example(text="a[1:]", tree={"a": "xy"})
@example(text="{a: b, b: @}", tree={"b": 1})
@example(text="a.{b: b}", tree={"b": 1})
@example(text="length(a, b)", tree={"a": "x"})
@example(text="contains(a, 'x')", tree={"a": ["y", "x"]})
@example(text="contains(a, 'x')", tree={"a": "yx"})
@example(text="contains(a, 'x')", tree={"a": 1})
@example(text="contains('x', a)", tree={"a": None})
def test_an_expression_over_lists_finds_what_jmespath_finds(text: str, tree: object) -> None:
    """A compiled expression means what the standard says, on any tree; one that fails in the library finds nothing."""
    try:
        wanted = jmespath.compile(text).search(tree)
    except jmespath.exceptions.ParseError:
        return
    except (jmespath.exceptions.JMESPathError, ValueError, TypeError):  # slices in steps of nothing, null in a text
        wanted = None
    found = find(text)(tree)
    assert (found, type(found)) == (wanted, type(wanted))
