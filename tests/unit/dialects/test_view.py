"""One reply as rules see it."""

from __future__ import annotations

import pytest

from gateway.dialects.spec import BodyKind
from gateway.dialects.view import View
from gateway.model import Reply
from tests.unit.dialects.views import view_of


def test_fields_are_read_by_name() -> None:
    """Names are in lower case, the first field of a name counts, a value is text of at most 8 KiB."""
    headers = ((b"X-One", b"1"), (b"x-one", b"2"), (b"X-Bytes", b"\xff"), (b"X-Long", b"a" * 9_000))
    view = View(Reply(status=200, headers=headers))
    assert view.fields["x-one"] == "1"
    assert view.fields["x-bytes"] == "\N{REPLACEMENT CHARACTER}"
    assert len(view.fields["x-long"]) == 8_192


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


def test_an_object_inside_a_body_has_no_fields() -> None:
    """A view of a part sees that part alone."""
    view = View.of_tree({"a": 1})
    assert (view.status, view.fields, view.tree, view.spliceable) == (0, {}, {"a": 1}, None)
