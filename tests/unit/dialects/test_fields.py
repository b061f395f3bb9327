"""Field errors from every common shape, in one list."""

from __future__ import annotations

import tracemalloc
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET

from gateway.dialects.fields import MOST_ERRORS, FieldReader, pointer_of
from gateway.dialects.spec import FieldsSpec
from gateway.model import FieldCode, FieldError, Location
from tests.unit.dialects.views import view_of

if TYPE_CHECKING:
    from collections.abc import Mapping

EACH = {
    "pointer": ["at", "source.pointer"],
    "field": ["name", "path"],
    "detail": ["why", "words"],
    "code": ["kind"],
    "names": ["nobody", "all"],
    "located": True,
}


def _errors(
    spec: dict[str, Any],
    body: object,
    message: str | None = "It is wrong",
    *,
    codes: Mapping[str, FieldCode] = MappingProxyType({}),
    in_body: bool = True,
) -> list[FieldError]:
    return FieldReader(FieldsSpec.model_validate(spec)).read(view_of(body), message, codes, in_body=in_body)


def _told(errors: list[FieldError]) -> list[tuple[str | None, str | None, str | None]]:
    return [(error.field, error.pointer, error.detail) for error in errors]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"size": "too small"}, [("size", "#/size", "too small")]),
        ({"size": ["too small", "not round"]}, [("size", "#/size", "too small"), ("size", "#/size", "not round")]),
        ({"size": ["", "too small", " "]}, [("size", "#/size", "too small")]),
        ({"": ["nameless"]}, [(None, None, "nameless")]),
        ({"paint.colour": ["none such"]}, [("paint.colour", "#/paint/colour", "none such")]),
        ({"paint": {"colour": ["none such"]}}, [("paint.colour", "#/paint/colour", "none such")]),
        ({"rows": [{}, {"size": ["too small"]}]}, [("rows.1.size", "#/rows/1/size", "too small")]),
        ({"size": {"why": "too small", "kind": "min"}}, [("size", "#/size", "too small")]),
        (
            {"size": [{"why": "too small"}, {"why": "odd"}]},
            [("size", "#/size", "too small"), ("size", "#/size", "odd")],
        ),
        ({"paint": {"__all__": ["both are missing"]}}, [("paint", "#/paint", "both are missing")]),
        ({"__all__": ["all is wrong"]}, [(None, None, "all is wrong")]),
        ({"ignored": "no", "size": "too small"}, [("size", "#/size", "too small")]),
        ({"size": None, "count": 7, "flag": True, "list": [1, None], "empty": "", "none": {}}, []),
        ({"size": "<b>too</b> small"}, [("size", "#/size", "too small")]),
        ({"": "nameless"}, [(None, None, "nameless")]),
        ({"x" * 300: "long"}, [("x" * 256, "#/" + "x" * 256, "long")]),
        (["too small"], [(None, None, "too small")]),
        ("too small", []),
    ],
)
def test_a_tree(found: object, told: list[tuple[str | None, str | None, str | None]]) -> None:
    """An object of names to texts, lists of texts or deeper objects; a marker speaks of the object around it."""
    spec = {"from": "errors", "shape": "tree", "each": EACH, "markers": "__all__", "skip": "ignored"}
    assert _told(_errors(spec, {"errors": found})) == told


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([{"name": "size", "why": "too small"}], [("size", "#/size", "too small")]),
        ([{"name": "rows[0].size", "words": "too small"}], [("rows[0].size", "#/rows/0/size", "too small")]),
        ([{"path": ["rows", 0, "size"], "why": "no"}], [("rows.0.size", "#/rows/0/size", "no")]),
        ([{"path": [], "why": "no"}], [(None, None, "no")]),
        ([{"path": [None], "why": "no"}], [(None, None, "no")]),
        ([{"path": ["rows", None], "why": "no"}], [(None, None, "no")]),
        ([{"at": "/size", "why": "no"}], [("size", "#/size", "no")]),
        ([{"at": "#/a%20b/0/c~1d~0e", "why": "no"}], [("a b.0.c/d~e", "#/a%20b/0/c~1d~0e", "no")]),
        ([{"source": {"pointer": "/data/attributes/size"}}], [("size", "#/data/attributes/size", None)]),
        ([{"at": "/data", "why": "no"}], [(None, None, "no")]),
        ([{"at": "", "why": "no"}], [(None, None, "no")]),
        ([{"at": "/data"}], []),
        (
            [{"name": "size", "why": ["too small", "", "odd"]}],
            [("size", "#/size", "too small"), ("size", "#/size", "odd")],
        ),
        ([{"name": "size", "why": ["", 7]}], [("size", "#/size", None)]),
        ([{"all": ["size", "", "age"], "why": "no"}], [("size", "#/size", "no"), ("age", "#/age", "no")]),
        ([{"all": "size", "kind": "E1"}], [("size", "#/size", None)]),
        ([{"at": "/" + "é" * 300}], [("é" * 255, "#/" + "%C3%A9" * 255, None)]),
        ([{"why": "something"}], [(None, None, "something")]),
        ([{"kind": "E1"}], [(None, None, "E1")]),
        (["something", " ", 7, None, {}, {"other": 1}], [(None, None, "something")]),
        ("something", [(None, None, "something")]),
        ({"name": "size", "why": "too small"}, [("size", "#/size", "too small")]),
        ([], []),
    ],
)
def test_a_list(found: object, told: list[tuple[str | None, str | None, str | None]]) -> None:
    """Objects or texts, or one of them alone; a name is dotted, bracketed, a list of keys or a pointer."""
    spec = {"from": "errors", "shape": "list", "each": EACH, "strip": ["/data/attributes", "/data"]}
    assert _told(_errors(spec, {"errors": found})) == told


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"1": "size", "6": "weight"}, [("size", 1), ("weight", 6)]),
        (["size", "weight"], [("size", 0), ("weight", 1)]),
        ({"first": "size", "-1": "weight", "٣": "age"}, [("size", UNSET), ("weight", UNSET), ("age", UNSET)]),
        ({"123456789": "size", "1234567890": "age"}, [("size", 123456789), ("age", UNSET)]),
        ({"1" * 5_000: "size"}, [("size", UNSET)]),
        ({"123456789x": "size"}, [("size", UNSET)]),
        ({"1": "", "2": None, "3": 3}, []),
        ("size", []),
    ],
)  # fmt: skip
def test_positions(found: object, told: list[tuple[str, object]]) -> None:
    """Positions to names, or names in a list that has no gap; what is wrong with each is said of all."""
    errors = _errors({"from": "fields", "shape": "positions", "detail": "text"}, {"fields": found, "text": "Missing"})
    assert [(error.field, error.position) for error in errors] == told
    assert {error.detail for error in errors} <= {"Missing"}


@pytest.mark.parametrize(
    ("found", "told"),
    [("address.city", [("address.city", "#/address/city", "It is wrong")]), (None, []), (7, []), ("", [])],
)
def test_one_name(found: object, told: list[tuple[str, str, str]]) -> None:
    """One name; what is wrong with it is the message."""
    assert _told(_errors({"from": "param", "shape": "param"}, {"param": found})) == told


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"size": "no"}, [("size", "#/size", "no")]),
        ([{"name": "size", "why": "no"}], [("size", "#/size", "no")]),
        ("no", [(None, None, "no")]),
        (7, []),
    ],
)
def test_the_type_tells_the_shape(found: object, told: list[tuple[str | None, str | None, str]]) -> None:
    """Where no shape is named an object is a tree, and a list or a text is a list."""
    assert _told(_errors({"from": "errors", "each": EACH}, {"errors": found})) == told


def test_the_first_place_that_gives_errors_counts() -> None:
    """Empty places, and places of another shape, are passed over."""
    spec = {"from": ["a", "b", "c", "d"], "each": EACH}
    assert _told(_errors(spec, {"a": [], "b": 7, "c": [7], "d": {"size": "no"}})) == [("size", "#/size", "no")]
    assert _errors(spec, {"a": []}) == []


@pytest.mark.parametrize(
    ("item", "in_body", "location", "field", "pointer"),
    [
        ({"path": ["query", "page"]}, True, Location.QUERY, "page", None),
        ({"path": ["header", "x-shop"]}, True, Location.HEADER, "x-shop", None),
        ({"path": ["path", "id"]}, True, Location.PATH, "id", None),
        ({"path": ["body", "size"]}, True, Location.BODY, "size", "#/size"),
        ({"path": ["body"]}, True, None, None, None),
        ({"path": ["other", "size"]}, True, Location.BODY, "other.size", "#/other/size"),
        ({"name": "size"}, True, Location.BODY, "size", "#/size"),
        ({"name": "size"}, False, Location.QUERY, "size", None),
        ({"path": ["path", "id"]}, False, Location.PATH, "id", None),
        ({"why": "all"}, True, None, None, None),
    ],
)
def test_where_a_field_is(
    item: dict[str, Any], *, in_body: bool, location: Location | None, field: str | None, pointer: str | None
) -> None:
    """A field is where its path says, else in the body, or the query if there was none; pointers are into bodies."""
    [error] = _errors({"from": "errors", "each": EACH}, {"errors": [{"why": "no", **item}]}, in_body=in_body)
    assert (error.location, error.field, error.pointer) == (location, field, pointer)


def test_the_first_key_is_a_name_unless_it_is_said_to_locate() -> None:
    """A field may be called body."""
    [error] = _errors(
        {"from": "e", "each": {"field": "path", "detail": "why"}}, {"e": [{"path": ["body", "a"], "why": "no"}]}
    )
    assert (error.field, error.location) == ("body.a", Location.BODY)


@pytest.mark.parametrize(("location", "expected"), [("query", Location.QUERY), (None, None)])
def test_the_location_may_be_declared(location: str | None, expected: Location | None) -> None:
    """Where an API's errors are about the query, or nobody knows about what, the preset says so."""
    [error] = _errors({"from": "errors", "location": location}, {"errors": {"size": "no"}})
    assert (error.location, error.pointer) == (expected, None)


@pytest.mark.parametrize(
    ("spec", "body", "code"),
    [
        ({"from": "e", "each": EACH}, {"e": [{"name": "a", "why": "x", "kind": "E7"}]}, FieldCode.OUT_OF_RANGE),
        ({"from": "e", "each": EACH}, {"e": [{"name": "a", "why": "It is required"}]}, FieldCode.REQUIRED),
        ({"from": "e", "each": EACH}, {"e": [{"name": "a", "why": "x", "kind": 7}]}, FieldCode.OTHER),
        ({"from": "e", "each": EACH}, {"e": {"a": {"why": "x", "kind": "E7"}}}, FieldCode.OUT_OF_RANGE),
        ({"from": "p", "shape": "param", "code": "c"}, {"p": "a", "c": "E7"}, FieldCode.OUT_OF_RANGE),
    ],
)
def test_what_is_wrong_in_one_word(spec: dict[str, Any], body: object, code: FieldCode) -> None:
    """The upstream's own word counts, by the preset's table first; then the text; what nobody knows is other."""
    [error] = _errors(spec, body, codes={"E7": FieldCode.OUT_OF_RANGE})
    assert error.code is code


@pytest.mark.parametrize(
    "found",
    [
        {f"key{number}": "no" for number in range(1_000)},
        {"a": ["no"] * 1_000},
        {"a": [["no"] * 300] * 300},
        {f"key{number}": {"inner": ["no"]} for number in range(1_000)},
        [{"name": "a", "why": "no"}] * 1_000,
    ],
    ids=["names", "texts", "lists of texts", "objects", "list"],
)
def test_at_most_256_errors(found: object) -> None:
    """However many errors are listed, a bounded number is told."""
    assert len(_errors({"from": "errors", "each": EACH}, {"errors": found})) == MOST_ERRORS


@pytest.mark.parametrize(
    ("opening", "closing"),
    [(b'{"a":', b"}"), (b"[", b"]"), (b'{"__all__":', b"}")],
    ids=["objects", "lists", "markers"],
)
@pytest.mark.parametrize(("depth", "count"), [(5, 1), (15, 1), (16, 0), (500, 0)])
def test_what_is_nested_too_deep_is_left_out(opening: bytes, closing: bytes, depth: int, count: int) -> None:
    """Nesting is followed for a few levels, whatever it is made of, and costs no recursion beyond."""
    body = b'{"errors":{"name":' + opening * depth + b'"no"' + closing * depth + b"}}"
    assert len(_errors({"from": "errors", "markers": "__all__"}, body)) == count


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("size", "#/size"),
        ("a.b", "#/a/b"),
        ("a[0].b", "#/a/0/b"),
        ("a[b][c]", "#/a/b/c"),
        ("a/b~c", "#/a~1b~0c"),
        ("لون", "#/%D9%84%D9%88%D9%86"),
        ("a b", "#/a%20b"),
        ("a..b", "#/a/b"),
    ],
)
def test_pointers(name: str, pointer: str) -> None:
    """RFC 6901 section 6: a JSON pointer, as a URI fragment."""
    assert pointer_of(name) == pointer


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["too small", "too old"], [("size", "too small"), ("age", "too old")]),
        (["too small", 7], [("size", "too small"), ("age", None)]),
        (["only one"], [("size", "only one"), ("age", "only one")]),
        ("of both", [("size", "of both"), ("age", "of both")]),
        (["three", "are", "too many"], [("size", "It is wrong"), ("age", "It is wrong")]),
        (None, [("size", "It is wrong"), ("age", "It is wrong")]),
    ],
)
def test_several_names(texts: object, told: list[tuple[str, str | None]]) -> None:
    """As many texts beside a list of names are taken in pairs with them; one text, or the message, is said of all."""
    spec = {"from": "names", "shape": "param", "detail": "texts"}
    errors = _errors(spec, {"names": ["size", "age"], "texts": texts})
    assert [(error.field, error.detail) for error in errors] == told


def test_names_that_are_no_texts_are_left_out() -> None:
    """A name is a text that is not empty."""
    assert _told(_errors({"from": "names", "shape": "param"}, {"names": ["", 7, "a"]})) == [("a", "#/a", "It is wrong")]


@pytest.mark.parametrize(
    ("word", "location"),
    [
        ("body", Location.BODY),
        ("querystring", Location.QUERY),
        ("Params", Location.PATH),
        ("headers", Location.HEADER),
        ("elsewhere", Location.BODY),
        (7, Location.BODY),
    ],
)
def test_a_word_for_the_location(word: object, location: Location) -> None:
    """Usual words for the parts of a request are understood; another leaves the usual location."""
    spec = {"from": "errors", "each": {"field": "name", "detail": "why", "location": "in"}}
    (error,) = _errors(spec, {"errors": [{"name": "size", "why": "no", "in": word}]})
    assert error.location is location
    assert (error.pointer is not None) is (location is Location.BODY)


def test_a_tree_whose_items_name_their_field() -> None:
    """An item may say its own name, which stands behind that of the object around it; markers are passed through."""
    spec = {
        "from": "errors",
        "shape": "tree",
        "markers": ["children", "errors"],
        "each": {"field": "attribute", "detail": ["message", "text"], "code": "code"},
    }
    tree = {
        "order": {
            "errors": [{"code": "9", "message": "no order"}],
            "card": {"errors": [{"attribute": "cvv", "message": "is short"}]},
        },
        "children": {"size": {"errors": ["too small"]}},
        "errors": [{"text": ["both", "are wrong"]}],
    }
    assert [(error.field, error.detail) for error in _errors(spec, {"errors": tree})] == [
        ("order", "no order"),
        ("order.card.cvv", "is short"),
        ("size", "too small"),
        (None, "both"),
        (None, "are wrong"),
    ]


def test_a_list_of_texts_can_be_taken_apart() -> None:
    """An item that is a text is what `@` finds; what a part of it says can be its field."""
    each = {"pointer": {"path": "@", "pattern": "at:([^)]+)"}, "detail": {"path": "@", "before": " (at:"}}
    texts = ["is small (at:/a/size)", "is odd", {"other": 1}]
    assert _told(_errors({"from": "errors", "each": each}, {"errors": texts})) == [
        ("a.size", "#/a/size", "is small"),
        (None, None, "is odd"),
    ]


def test_a_tree_can_be_a_list_of_trees() -> None:
    """Each item is told by its place."""
    spec = {"from": "@", "shape": "tree"}
    assert _told(_errors(spec, [{}, {"size": ["is odd"]}])) == [("1.size", "#/1/size", "is odd")]


def test_a_part_of_a_text_can_be_the_name() -> None:
    """What a pick takes of a value counts inside a list, too."""
    each = {"field": {"path": "why", "pattern": "^([a-z]+) "}, "detail": "why"}
    errors = _errors({"from": "errors", "each": each}, {"errors": [{"why": "size is odd"}, {"why": "Odd"}]})
    assert [(error.field, error.detail) for error in errors] == [("size", "size is odd"), (None, "Odd")]


@pytest.mark.parametrize(
    ("wrong", "details"),
    [
        ([{"why": "It is wrong."}], []),
        ([{"why": "It is too small."}], ["It is too small."]),
        ([{"name": "size", "why": "It is wrong."}], ["It is wrong."]),
        ([{"why": "It is wrong."}, {"why": "It is wrong."}], ["It is wrong.", "It is wrong."]),
    ],
)
def test_the_message_again_is_no_field_error(wrong: object, details: list[str]) -> None:
    """Where a dialect says so, an error that is alone, nameless and the message again is none of a field."""
    spec = FieldsSpec.model_validate({"from": "wrong", "each": {"field": "name", "detail": "why"}, "echo": False})
    errors = FieldReader(spec).read(view_of({"wrong": wrong}), "It is wrong.", {}, in_body=True)
    assert [error.detail for error in errors] == details


@pytest.mark.parametrize("shape", ["tree", "list", "positions", "param"])
@pytest.mark.parametrize(
    "found", [[{}] * 2_000 + ["late"], {**{f"k{number}": None for number in range(2_000)}, "late": "late"}]
)
def test_what_says_nothing_is_not_looked_at_for_ever(shape: str, found: object) -> None:
    """Of a list or an object only so many members are looked at, whether they tell of errors or not."""
    assert _errors({"from": "bad", "shape": shape}, {"bad": found}) == []


def test_a_long_name_is_not_carried_along() -> None:
    """Each of many members under a long name would copy it; no more of a name is kept than is told."""
    found = {"x" * 100_000: {f"k{number}": "is wrong" for number in range(1_000)}}
    tracemalloc.start()
    try:
        errors = _errors({"from": "bad", "shape": "tree"}, {"bad": found})
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert {error.field for error in errors} == {"x" * 256}
    assert peak_bytes < 1_000_000


def test_long_names_are_not_remembered() -> None:
    """The pointers of names are remembered, but nobody fills the memory with names of any length."""
    tracemalloc.start()
    try:
        for number in range(100):
            pointer_of(f"{number}" * 50_000)
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held_bytes < 1_000_000
