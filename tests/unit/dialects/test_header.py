"""Which fields of a reply are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config import presets
from gateway.dialects.header import FieldNames, fields_in, text_of
from gateway.dialects.spec import DialectSpec

if TYPE_CHECKING:
    from gateway.dialects.header import Fields

WANTED = ("X-One", "x-two")


def test_the_first_of_each_wanted_field_is_read() -> None:
    """Names are compared without case, the first field of a name counts, the others are not told apart."""
    headers = ((b"X-ONE", b"1"), (b"x-one", b"2"), (b"X-Two", b"3"), (b"X-Other", b"4"))
    assert FieldNames(WANTED).of(headers) == {b"x-one": b"1", b"x-two": b"3", None: b"4"}


def test_a_value_is_text_within_bounds() -> None:
    """What is not UTF-8 is replaced, and of a long value the beginning is read."""
    fields: Fields = {b"a": b"\xff", b"b": b"a" * 9_000}
    assert text_of(fields, b"a") == "\N{REPLACEMENT CHARACTER}"
    assert text_of(fields, b"b") == "a" * 8_192
    assert text_of(fields, b"c") is None


def test_a_bounded_number_of_names_is_remembered() -> None:
    """However many names an upstream makes up, and however long they are; all of them are read."""
    names = FieldNames(WANTED)
    names.of(((b"x" * 100, b""), *((b"X-%d" % number, b"") for number in range(1_000))))
    assert len(names) == 128
    assert names.of(((b"X-oNe", b"1"), (b"X-999", b"2")))[b"x-one"] == b"1"
    assert max(map(len, names)) < 100


def test_names_come_from_every_place_that_reads_a_field() -> None:
    """Conditions, picks and rate windows; paths and values are no names of fields."""
    header = {"has": "a", "lacks": ["b"], "equals": {"c": "no"}, "contains": {"d": "no"}, "matches": {"e": "no"}}
    spec = DialectSpec.model_validate(
        {
            "errors": [
                {
                    "when": {"any": [{"headers": header}]},
                    "message": [{"header": "f", "parameter": "no"}, "no"],
                    "retry_after": {"from": {"header": "g"}},
                    "fields": {"from": {"header": "h"}},
                }
            ],
            "rate_headers": [{"limit": "i", "remaining": "j", "reset": "k"}, {"remaining": "l"}],
        }
    )
    assert set(fields_in(spec)) == set("abcdefghijkl")


def test_a_preset_reads_what_its_rules_name() -> None:
    """Those of the dialects that it extends too, and always what a body is and when to try again."""
    names = {name.lower() for name in presets.preset("salla").field_names}
    assert {"content-type", "content-encoding", "date", "retry-after", "x-ratelimit-reset", "www-authenticate"} <= names
    assert presets.preset("auto").field_names >= presets.preset("salla").field_names
