"""Foreign values as a terminal may have them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.dialects.explain.shown import LONGEST_SHOWN, escaped, printable, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (7.5, "7.5"),
        ("a", '"a"'),
        ("لا", '"لا"'),
        ('"', r'"\""'),
        ("\x1b[31m\x9b\u202e", r'"\u001b[31m\u009b\u202e"'),
        ([], "[]"),
        ({}, "{}"),
        ([1, "b", None], '[1, "b", null]'),
        ({"a": {"b": {"c": 1}}}, '{"a": {"b": {"c": 1}}}'),
        ({"a": {"b": {"c": {"d": 1}}}}, '{"a": {"b": {"c": {…}}}}'),
        ([[[[1]]]], "[[[[…]]]]"),
        ([[[[]]]], "[[[[]]]]"),
        (list(range(9)), "[0, 1, 2, 3, 4, 5, …]"),
        ({str(key): key for key in range(7)}, '{"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5, …}'),
        ({"a\x00": 1}, r'{"a\u0000": 1}'),
    ],
)
def test_written_as_json(value: Any, text: str) -> None:  # noqa: ANN401 - any JSON
    """Small values are JSON; deep and wide ones are cut; nothing that a terminal obeys is left."""
    assert shown(value) == text


def test_very_long_numbers_are_not_written() -> None:
    """Python itself refuses to write a number of thousands of digits."""
    assert shown(10**5000) == "a number of very many digits"


@pytest.mark.parametrize("show", [shown, printable])
def test_long_texts_are_cut(show: Any) -> None:  # noqa: ANN401 - a function
    """One value is one line of bounded length, and it says that there was more."""
    text = show("a" * 10_000)
    assert len(text) == LONGEST_SHOWN
    assert text.endswith("…")


def test_printable_keeps_what_can_be_printed() -> None:
    """A name that is plain stays as it is; anything else is written out."""
    assert printable("error مرحبا") == "error مرحبا"
    assert printable("a\x1b\nb") == r"a\u001b\nb"


def test_documents_keep_their_lines() -> None:
    """An indented document is escaped without losing its lines, and stays the same JSON."""
    assert escaped('{\n  "a": "\x9b"\n}') == '{\n  "a": "\\u009b"\n}'
