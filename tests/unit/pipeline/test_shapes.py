"""Shapes of bodies: names and types, folded and bounded."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.pipeline.shapes import ITEMS, LEVELS, MEMBERS, VALUES, fingerprint, name_of, sample, shape_of

NO_WORDS: frozenset[str] = frozenset()


def written(tree: object) -> str:
    """Return the shape of a body as text."""
    return shape_of(tree).written


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({"message": "No", "code": 7, "ok": False, "data": None}, "{code:number,data:null,message:text,ok:flag}"),
        ({"error": {"code": "E", "ratio": 0.5}}, "{error:{code:text,ratio:number}}"),
        ([], "[]"),
        ({}, "{}"),
        ("No", "text"),
        (None, "null"),
        (["No", 7, {"a": 1}, [True]], "[{a:number}|[flag]|text|number]"),
        ([{"a": 1}, {"b": "x"}, {"a": "y"}], "[{a:text|number,b:text}]"),
        ([[1], ["x"]], "[[text|number]]"),
    ],
)
def test_a_shape_is_names_and_types(tree: object, text: str) -> None:
    """Whatever the order of members; the items of a list share one shape."""
    assert written(tree) == text


def test_replies_that_differ_in_their_data_alone_have_one_shape() -> None:
    """Values, ids as keys, the number of items, and which fields of the client are wrong."""
    one = {"errors": {"email": ["is bad"]}, "by_id": {"1234": {"a": 1}}, "list": [{"a": 1}]}
    other = {
        "list": [{"a": 2}, {"a": 3}],
        "by_id": {"98765": {"a": 7}},
        "errors": {"size": ["x"], "paint.1.hue": ["y"]},
    }
    assert written(one) == written(other) == "{by_id:{*:{a:number}},errors:{*:[text]},list:[{a:number}]}"
    assert fingerprint("json", shape_of(one)) == fingerprint("json", shape_of(other))


def test_a_fingerprint_tells_kinds_and_shapes_apart() -> None:
    """And is the same on every machine."""
    assert fingerprint("json", shape_of({"a": "x"})) == "65fe10cf69ae9af6"
    assert fingerprint("xml", shape_of({"a": "x"})) != fingerprint("json", shape_of({"a": "x"}))
    assert fingerprint("json", shape_of({"a": 1})) != fingerprint("json", shape_of({"a": "x"}))


@pytest.mark.parametrize("name", ["errors", "error_messages", "non_field_errors", "errorMessages", "Message", "loc"])
def test_a_list_of_texts_under_a_word_that_speaks_keeps_its_name(name: str) -> None:
    """It is what the API says of the whole, and no field of the client's."""
    assert written({name: ["No"]}) == f"{{{name}:[text]}}"


def test_many_of_one_shape_are_a_map() -> None:
    """Few objects of one shape may have names of their own, and more scalars, of which a body has many."""
    few = {name: {"a": 1} for name in ("one", "two", "three")}
    assert written(few) == "{one:{a:number},three:{a:number},two:{a:number}}"
    assert written({**few, "four": {"a": 1}, "code": "x"}) == "{*:{a:number},code:text}"
    letters = {letter * 2: "x" for letter in "abcdefghijklmnopqrstuvwxy"}
    assert written(letters) == "{*:text}"
    assert written(dict.fromkeys(list(letters)[:24], "x")).count("text") == 24


def test_maps_in_maps_are_one() -> None:
    """What was folded inside is folded again when its keys are."""
    assert written({f"{id_}": {"hue": ["x"]} for id_ in range(1000, 1003)}) == "{*:{*:[text]}}"
    assert written({name: {"size": 1} for name in ("a", "b", "c", "98765")}) == "{*:{size:number}}"
    assert written({**{name: {"a": 1} for name in "abcd"}, "98765": {"b": ["x"]}}) == "{*:{*:[text],a:number}}"


@pytest.mark.parametrize(
    "name",
    [
        "message",
        "@type",
        "$ref",
        "_errors",
        "line_1",
        "address2",
        "ADDRESS1",
        "shippingAddress2",
        "Error Message",
        "invalid-params",
        "a.b",
        "user[]",
    ],
)
def test_a_plain_name_is_told(name: str) -> None:
    """As APIs write them."""
    assert name_of(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "123",
        "order_12345",
        "550e8400-e29b-41d4-a716-446655440000",
        "2026-05-01",
        "someone@example.com",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "AKIAIOSFODNN7EXAMPLE",
        "الاسم",
        "a" * 41,
        "<b>",
        "a\nb",
        "Please try again!",
        "Please try again",
    ],
)
def test_a_name_that_looks_like_data_is_a_wildcard(name: str) -> None:
    """Ids, dates, addresses, keys of an API, whatever is long or not plain ASCII."""
    assert name_of(name) == "*"


def test_a_shape_is_bounded() -> None:
    """In levels, members, items and values; what is beyond is `more`, and time does not grow with it."""
    deep: Any = "x"
    for _ in range(LEVELS + 3):
        deep = {"a": deep}
    assert written(deep) == "{a:" * LEVELS + "more" + "}" * LEVELS
    wide = {f"a{chr(97 + index // 26)}{chr(97 + index % 26)}": [index] for index in range(MEMBERS)}
    assert written({**wide, "last": "x"}) == "{*:[number]}"
    assert written([1] * ITEMS + ["x"]) == "[number]"
    many = [[[1] * ITEMS] * ITEMS] * ITEMS
    assert written(many) == "[[[number|more]|more]|more]"
    assert ITEMS**3 > VALUES


def test_a_value_that_is_no_json_is_more() -> None:
    """Nothing that a body can hold raises."""
    assert written({"a": b"x"}) == "{a:more}"


def test_a_sample_has_the_shape_and_nothing_else() -> None:
    """Markers for texts, 0 for numbers; flags and nulls are told, for rules test them; one item of each kind."""
    tree = {
        "ok": False,
        "count": 7,
        "none": None,
        "code": "NOT_FOUND",
        "items": [{"name": "", "a": 1}, {"name": "Somebody"}, "It is late", 3],
        "empty": [],
        "98765": {"a": 1},
        "deep": {"raw": b"x"},
    }
    assert sample(shape_of(tree), frozenset({"NOT_FOUND"})) == {
        "ok": False,
        "count": 0,
        "none": None,
        "code": "NOT_FOUND",
        "items": [{"name": "<word 8>", "a": 0}, "<text 10>", 0],
        "empty": [],
        "*": {"a": 0},
        "deep": {"raw": "<more>"},
    }


def test_a_sample_can_be_cut() -> None:
    """To so many levels."""
    assert sample(shape_of({"a": {"b": {"c": 1}}}), NO_WORDS, 2) == {"a": {"b": "<more>"}}


def test_of_several_kinds_at_one_place_a_sample_shows_the_richest() -> None:
    """An object before a text: that is where more can be read."""
    assert sample(shape_of([{"a": "x y"}, {"a": {"b": 1}}, {"a": None}]), NO_WORDS) == [{"a": {"b": 0}}]


def test_what_was_merged_keeps_a_text_for_the_sample() -> None:
    """Of the first member that has one."""
    tree = {name: {"a": text} for name, text in zip("abcd", ["", "It is late", "x", "y"], strict=True)}
    assert sample(shape_of(tree), NO_WORDS) == {"*": {"a": "<text 10>"}}
