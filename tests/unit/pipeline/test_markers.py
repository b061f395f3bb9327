"""What stands for a text in a sample."""

from __future__ import annotations

import pytest

from gateway.pipeline.markers import STAND_IN_NAME, marker, stand_ins

WORDS = frozenset({"out_of_stock"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Nobody is here", "<text 14>"),
        ("Nobody is here.\n" * 100, "<text 1600>"),
        ("لا أحد هنا", "<text 10>"),
        ("42", "<number 2>"),
        ("-0.5", "<number 4>"),
        ("550e8400-e29b-41d4-a716-446655440000", "<id 36>"),
        ("0123456789abcdef", "<id 16>"),
        ("2026-05-01", "<time 10>"),
        ("2026-05-01T10:00:30.123+03:00", "<time 29>"),
        ("https://api.example/a?b=c", "<address 25>"),
        ("someone@example.com", "<address 19>"),
        ("/data/attributes/size", "<pointer 21>"),
        ("#/size", "<pointer 6>"),
        ("missing", "<word 7>"),
        ("E_STOCK", "<code 7>"),
        ("lines.0.count", "<code 13>"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "<code 32>"),
        (" ", "<text 1>"),
        ("", ""),
        ("out_of_stock", "out_of_stock"),
        ("out_of_stock ", "<code 13>"),
    ],
)
def test_a_text_is_told_by_its_kind_and_length(text: str, shown: str) -> None:
    """Only a word of ours is shown as it is."""
    assert marker(text, WORDS) == shown


def test_stand_ins_are_of_the_kind_that_they_stand_for() -> None:
    """Whoever reads them finds what was there: a text in the place of a text; what was no marker stays."""
    texts = ["42", "0123456789abcdef", "2026-05-01", "a://b", "/a", "missing", "E_STOCK", "Nobody is here"]
    markers = [marker(text, WORDS) for text in texts]
    again = [marker(text, WORDS) for text in stand_ins(markers)]
    assert [one.split()[0] for one in again] == [one.split()[0] for one in markers]
    kept = {"a": [0, None, True, "out_of_stock", "<more>", "<nonsense 7>"]}
    assert stand_ins(kept) == kept


def test_a_wildcard_gets_a_name() -> None:
    """So that a map looks like one."""
    assert stand_ins({"*": ["<word 3>"]}) == {STAND_IN_NAME: ["word"]}
