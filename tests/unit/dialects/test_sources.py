"""Picks: the first place that holds a value of the right type."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.dialects.sources import as_code, as_text, challenge, code_at, only, text_at, words_at
from gateway.dialects.spec import Pick
from tests.unit.dialects.views import view_of

VIEW = view_of(
    {"code": 7, "texts": ["<b>One</b>"], "none": None, "flag": True, "empty": "", "zeros": "007", "key": "a.key"},
    headers={"X-Code": "E9", "WWW-Authenticate": 'Bearer realm="a", Error="no \\"way\\""'},
)


def _picks(*picks: Any) -> Any:  # noqa: ANN401 - as picks are written in YAML
    return [Pick.model_validate(pick) for pick in picks]


@pytest.mark.parametrize(
    ("picks", "found"),
    [
        (["code"], "7"),
        (["none", "zeros"], "007"),
        (["flag", "empty", "code"], "7"),
        ([{"header": "x-code"}], "E9"),
        ([{"header": "X-Other"}], None),
        ([{"header": "WWW-Authenticate", "parameter": "ERROR"}], 'no "way"'),
        ([{"header": "X-Other", "parameter": "error"}], None),
        (["texts"], "One"),
        ([], None),
    ],
)
def test_the_first_code_counts(picks: list[Any], found: str | None) -> None:
    """A code is a text or a whole number; what is neither is passed over."""
    assert code_at(_picks(*picks))(VIEW) == found


@pytest.mark.parametrize(
    ("picks", "found"),
    [
        (["code", "texts"], "One"),
        (["none", "empty", "zeros"], "007"),
        ([{"header": "X-Other"}, {"header": "X-Code"}], "E9"),
        (["flag", "empty"], None),
        ([], None),
    ],
)
def test_the_first_text_counts(picks: list[Any], found: str | None) -> None:
    """Texts are cleaned; empty ones and other types are passed over; a list of one is what is in it."""
    assert text_at(_picks(*picks))(VIEW) == found


@pytest.mark.parametrize(
    ("picks", "words"),
    [
        (["code", "texts", "zeros"], ("One", "One")),
        (["key", "empty", "texts"], ("a.key", "One")),
        (["flag", "key"], ("a.key", None)),
        (["code"], (None, None)),
        ([], (None, None)),
    ],
)
def test_what_was_said_and_what_can_be_shown(picks: list[Any], words: tuple[str | None, str | None]) -> None:
    """What was said first is kept; shown is the first that tells a person something."""
    assert words_at(_picks(*picks))(VIEW) == words


@pytest.mark.parametrize(("value", "text"), [("<b>No</b>", "No"), (" ", None), ("", None), (7, None), (None, None)])
def test_texts_are_clean_or_none(value: object, text: str | None) -> None:
    """An empty text says nothing."""
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("E1", "E1"),
        (" E1\n", "E1"),
        ("", None),
        (0, "0"),
        (-5, "-5"),
        (10**18, None),
        (-(10**18), None),
        (True, None),
        (1.5, None),
        (None, None),
        ({}, None),
        ("x" * 300, "x" * 200),
    ],
)
def test_codes_are_texts_or_whole_numbers(value: object, text: str | None) -> None:
    """Codes are bounded in length; a number is one only if it is whole and not absurd."""
    assert as_code(value) == text


@pytest.mark.parametrize(("value", "found"), [([1], 1), ([1, 2], [1, 2]), ([], []), ("a", "a"), ([[1]], [1])])
def test_a_list_of_one_is_what_is_in_it(value: object, found: object) -> None:
    """APIs wrap single values in lists, once."""
    assert only(value) == found


@pytest.mark.parametrize(
    ("field", "parameters"),
    [
        ('Bearer realm="shop", error="invalid_token"', {"realm": "shop", "error": "invalid_token"}),
        ("Bearer error=invalid_token , Scope=a b", {"error": "invalid_token", "scope": "a b"}),
        (r'Bearer a="say \"no\" \\ to it",b=1', {"a": 'say "no" \\ to it', "b": "1"}),
        ('Bearer a="never closed', {"a": "never closed"}),
        ("Bearer", {}),
        ("Basic dXNlcg==", {"dxnlcg": "="}),
        ("Bearer a=1, nonsense", {"a": "1"}),
        ("Bearer " + ",".join(f"a{number}=1" for number in range(99)), {f"a{number}": "1" for number in range(16)}),
        ('Bearer a="' + "x" * 3_000 + '"', {"a": "x" * 2_000}),
        ("", {}),
    ],
)
def test_the_parameters_of_a_challenge(field: str, parameters: dict[str, str]) -> None:
    """RFC 9110 section 11.6.1: names in any case, values as tokens or quoted; what is malformed ends the reading."""
    assert challenge(field) == parameters


@pytest.mark.parametrize(
    ("tree", "code"),
    [
        ({"code": 404, "type": "shelf_missing"}, "shelf_missing"),
        ({"code": "404", "type": ["shelf_missing"]}, "shelf_missing"),
        ({"code": 404}, "404"),
        ({"code": 404, "type": 404}, "404"),
        ({"code": 17, "type": "shelf_missing"}, "17"),
    ],
)
def test_the_status_again_is_a_code_only_where_nothing_else_is(tree: object, code: str) -> None:
    """A code that is but HTTP's status gives way to one that says more."""
    assert code_at(_picks("code", "type"))(view_of(tree, status=404)) == code


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"message": "Not Found", "reason": "There is no such shelf."}, ("Not Found", "There is no such shelf.")),
        ({"message": "not found.", "reason": "private"}, ("not found.", "not found.")),
        ({"message": "Bad Request", "reason": "Forbidden"}, ("Bad Request", "Bad Request")),
        ({"message": "gone_away", "reason": "There is no such shelf."}, ("gone_away", "There is no such shelf.")),
        ({"reason": "private"}, ("private", "private")),
    ],
)
def test_the_words_of_the_status_are_a_message_only_where_nothing_else_is(tree: object, words: object) -> None:
    """A message that is but the words of HTTP's standard gives way to a sentence, not to a word."""
    assert words_at(_picks("message", "reason"))(view_of(tree, status=404)) == words
