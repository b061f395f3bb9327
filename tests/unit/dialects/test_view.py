"""One reply as rules see it."""

from __future__ import annotations

import pytest

from gateway.dialects.bodies import SHALLOW_MEMBER
from gateway.dialects.outline import Outline
from gateway.dialects.paths import find
from gateway.dialects.spec import BodyKind
from gateway.dialects.view import View, in_body
from tests.unit.dialects.views import view_of


def test_the_media_type_stands_without_parameters() -> None:
    """Conditions name media types; a charset or a profile does not change them."""
    view = view_of({"a": 1}, headers={"Content-Type": "Application/Problem+JSON ; charset=utf-8"})
    assert (view.content_type, view.kind, view.tree) == ("application/problem+json", BodyKind.JSON, {"a": 1})


@pytest.mark.parametrize(
    ("body", "tree"),
    [([{"a": 1}], {"a": 1}), ({"a": 1}, {"a": 1}), ([{}, {}], [{}, {}]), ([1], [1]), ([], [])],
)
def test_a_list_of_one_object_is_unwrapped(body: object, tree: object) -> None:
    """Only an object that stands alone in a list is taken out of it."""
    assert view_of(body).unwrapped() == tree


@pytest.mark.parametrize("path", ["a", "a.b", "a.b.c", "a.b.c.d", '"a"."b".c', "rows[0].c", "@", "a.b | c", "rows.c"])
@pytest.mark.parametrize(
    "body", [{"a": {"b": {"c": {"d": 1}}}, "rows": [{"c": 2}]}, {"a": {"b": 1}}, {"a": [1]}, [1], "a"]
)
def test_a_path_in_a_view_finds_what_it_finds_in_the_tree(path: str, body: object) -> None:
    """However many steps it has, and whatever stands in its way."""
    assert in_body(path)(view_of(body)) == find(path)(body)


OUTLINE = Outline("data", ["ok", "data"])


@pytest.mark.parametrize(
    ("body", "content_type", "payload"),
    [
        (b'{"ok": true, "data": [1]}', b"application/json", b"[1]"),
        (b'{"ok": true, "data": [1]}', b"application/json; charset=UTF-8", b"[1]"),
        (b'{"ok": true, "data": [1]}', b"application/json; charset=cp1252", None),
        (b'{"ok": true}', b"application/json", None),
        (b'{"data": [' + b"1," * SHALLOW_MEMBER + b"1]}", b"application/json", None),
    ],
)
def test_small_json_in_utf8_is_outlined(body: bytes, content_type: bytes, payload: bytes | None) -> None:
    """Any other body is read as if there was no outline."""
    view = View(200, {b"content-type": content_type}, body, outline=OUTLINE)
    assert view.payload == payload
    assert (view.kind, view.spliceable) == (BodyKind.JSON, body)


def test_what_was_outlined_can_be_completed() -> None:
    """A rule that reads an error sees all of its body."""
    view = View(200, {}, b'{"ok": true, "data": [1], "more": 2}', outline=OUTLINE)
    assert view.tree == {"ok": True, "data": [None, None]}
    view.complete()
    whole = {"ok": True, "data": [1], "more": 2}
    assert (view.tree, view.payload) == (whole, None)
