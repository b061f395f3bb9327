"""Bodies of any kind and any bytes: always an answer, and of what was cut off a beginning."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.dialects.bodies import READ_LIMIT, parse
from gateway.dialects.bodies.repair import DEEPEST, completed
from gateway.dialects.bodies.xmltree import DEEPEST as DEEPEST_XML
from gateway.dialects.spec import BodyKind

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["\\u12", '\\"', "\U0001f600", "{[,:]}"])
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS
)
_TREES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=16,
)
_ROOTS = st.lists(_TREES, max_size=4) | st.dictionaries(_TEXTS, _TREES, max_size=4)
_INDENTS = st.sampled_from([None, 2])


def _begins(part: Any, whole: Any) -> bool:  # noqa: ANN401 - JSON
    """Say whether `part` is `whole` or its beginning, at every depth."""
    if isinstance(whole, str):
        return isinstance(part, str) and whole.startswith(part)
    if isinstance(whole, list):
        return isinstance(part, list) and len(part) <= len(whole) and all(map(_begins, part, whole))
    if isinstance(whole, dict):
        names = list(whole)[: len(part)] if isinstance(part, dict) else None
        return names == list(part) and all(_begins(part[name], whole[name]) for name in names)
    return type(part) is type(whole) and part == whole


@given(_ROOTS, st.booleans(), _INDENTS, st.data())
def test_a_beginning_of_json_gives_a_beginning_of_its_tree(
    tree: object, ascii_only: bool, indent: int | None, data: st.DataObject
) -> None:
    """Wherever it is cut off, all that is read of it is in the whole, in its place."""
    whole = json.dumps(tree, ensure_ascii=ascii_only, indent=indent).encode()
    cut = data.draw(st.integers(1, len(whole)))
    body = parse(whole[:cut], "application/json")
    if cut == len(whole):
        assert (body.kind, body.tree, body.truncated) == (BodyKind.JSON, tree, False)
    elif body.tree is not None and body.kind is BodyKind.JSON:
        assert body.truncated
        assert _begins(body.tree, tree)
    else:  # nothing was whole
        assert completed(whole[:cut].decode("utf-8", "ignore")) in ("{}", "[]")


@given(_ROOTS, _INDENTS, st.sampled_from([",", ", ", ", 12", ',\n  "']))
def test_nothing_that_is_whole_is_left_out(tree: object, indent: int | None, rest: str) -> None:
    """Cut off behind a comma, all that stands before it is there."""
    text = json.dumps([tree], indent=indent)[:-1].rstrip() + rest
    body = parse(text.encode(), "")
    assert (body.tree, body.truncated) == ([tree, ""] if rest.endswith('"') else [tree], True)


@given(st.binary(max_size=200), st.sampled_from(["application/json", "text/html", "text/plain", "application/xml", ""]))
@example(b"}", "application/json")
@example(b"<a>" * 60, "text/plain")
def test_any_bytes_have_a_kind(data: bytes, content_type: str) -> None:
    """Nothing raises, and a tree can always be written as JSON."""
    body = parse(data, content_type)
    assert (body.tree is None) == (body.kind in (BodyKind.EMPTY, BodyKind.OPAQUE)) or body.kind is BodyKind.JSON
    json.dumps(body.tree).encode()


_PIECES = st.lists(
    st.sampled_from(
        ["<a>", "</a>", "<x:c d='1'>", "</x:c>", "<b/>", "text", "&lt;", "&", "<![CDATA[", "]]>", "<!--", "-->"]
    )
    | st.text(max_size=3),
    max_size=30,
).map("".join)


@given(_PIECES)
def test_any_markup_is_read_without_raising(text: str) -> None:
    """However it is malformed, what is read is a tree of bounded depth, texts at its ends."""
    body = parse(f"<Root>{text}".encode("utf-8", "replace"), "application/xml")
    assert body.kind is BodyKind.XML
    _check(body.tree, DEEPEST_XML + 1)


def _check(tree: Any, depth: int) -> None:  # noqa: ANN401 - a foreign tree
    assert depth >= 0
    for value in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        _check(value, depth - (not isinstance(tree, list)))
    assert isinstance(tree, (dict, list, str))


_HOSTILE = [
    '"',
    '\\"',
    '"\\',
    "{",
    "[",
    "[]",
    "{}",
    '{"',
    ',"',
    '":"',
    "[1,",
    r"\u",
    r"\ud83d",
    "(",
    "</",
    "<!--",
    "<?",
]
_HOSTILE += ["a(", "<a "]


@pytest.mark.parametrize("piece", _HOSTILE)
@pytest.mark.parametrize("start", ["[", '{"a": "', "<e>", "", "<p>\n"])
def test_time_grows_with_the_length_alone(start: str, piece: str) -> None:
    """Were it the square of the length, this would take hours."""
    text = start + piece * (4 * READ_LIMIT // len(piece))
    parse(text.encode(), "application/json")
    completed(text)


@given(st.integers(1, 3 * DEEPEST))
def test_depth_is_bounded(depth: int) -> None:
    """What is nested too deep is not completed."""
    assert (completed("[" * depth) is None) == (depth > DEEPEST)
