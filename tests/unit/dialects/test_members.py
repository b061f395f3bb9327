"""Which members of a large body are looked at."""

from __future__ import annotations

import msgspec
import pytest

from gateway.config import presets
from gateway.dialects.members import Members, names_in
from gateway.dialects.spec import Condition, DialectSpec


def test_named_members_are_read_as_they_stand() -> None:
    """Members that are not named are passed over; of one that comes twice the last counts."""
    members = Members(["data", "invalid-params", "الحقل"])
    found = members.of('{"x": [1], "data": 1.50, "الحقل": "\\u0627", "data":  {"a": 1} }'.encode())
    assert found == {"data": b'{"a": 1}', "الحقل": rb'"\u0627"'}


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a\ud800"])
def test_a_name_that_json_escapes_is_never_found(name: str) -> None:
    """Such names are in no API; they must not break the others."""
    assert Members([name, "b"]).of(b'{"b": 1}') == {"b": b"1"}


@pytest.mark.parametrize("data", [b"[1]", b'{"a": ', b"nonsense"])
def test_what_is_no_object_is_said(data: bytes) -> None:
    """Whoever asks for members of something else hears it."""
    with pytest.raises(msgspec.DecodeError):
        Members(["a"]).of(data)


def test_names_come_from_every_path() -> None:
    """Paths of conditions, picks, mappings and JMESPath alike; phrases, codes and headers are no paths."""
    spec = DialectSpec.model_validate(
        {
            "errors": [
                {
                    "when": {
                        "body": {"has": ["a.b"], "equals": {"c[0].d": "no_path"}, "contains": {"e": ["not this"]}}
                    },
                    "message": ["f", {"header": "X-Nothing"}],
                    "fields": {"from": "g[?h].i | [0]", "each": {"field": "j"}},
                }
            ],
            "codes": {"code": "conflict"},
            "success": {"data": '"k l".m', "pagination": {"from": "n", "next": "o"}},
        }
    )
    assert set(names_in(spec)) == {*"abcdefghijmno", "k l"}


def test_a_preset_names_its_envelope() -> None:
    """What the founding dialects look at is among the names."""
    assert {"status", "success", "error", "data", "pagination", "pagenation"} <= presets.preset("salla").names
    assert presets.preset("auto").names >= presets.preset("salla").names


def test_an_empty_condition_names_nothing() -> None:
    """A rule without paths looks at no member."""
    assert list(names_in(Condition())) == []
