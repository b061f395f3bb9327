"""What names the code of an error, and what only derives it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.dialects.naming import Naming, Said, Tables
from gateway.dialects.spec import DialectSpec
from tests.unit.dialects.views import view_of


def _naming(*dialects: dict[str, Any]) -> Naming:
    return Naming([Tables(DialectSpec.model_validate({"extends": [], **dialect})) for dialect in dialects])


def _named(naming: Naming, *, status: int = 400, body: object = None, **said: Any) -> str | None:  # noqa: ANN401 - as `Said` has them
    found = naming.named(
        view_of(body, status=status), Said(**{"code": None, "type": None, "words": None, "fields": False, **said})
    )
    return found.name if found is not None else None


@pytest.mark.parametrize(
    ("entry", "said", "holds"),
    [
        ({"code": "(?i)not_?found"}, {"code": "USER_NOT_FOUND"}, True),
        ({"code": "(?i)not_?found"}, {"code": "E1", "type": "notFound"}, True),
        ({"code": "(?i)not_?found"}, {"code": "E1", "type": "late"}, False),
        ({"code": "^4[0-9]$"}, {"code": "41"}, True),
        ({"code": "x"}, {}, False),
        ({"says": ["too many", "طلبات كثيرة"]}, {"words": "That is TOO  many"}, True),
        ({"says": "طلبات كثيرة"}, {"words": "هذه طلباتٌ كثيرة"}, True),
        ({"says": "too many"}, {"words": "too much"}, False),
        ({"says": "too many"}, {}, False),
        ({"fields": True}, {"fields": True}, True),
        ({"fields": True}, {}, False),
        ({"fields": False}, {}, True),
        ({"fields": True, "code": "E1"}, {"fields": True, "code": "E2"}, False),
        ({"fields": True, "code": "E1"}, {"fields": True, "code": "E1"}, True),
        ({}, {}, True),
        ({"when": {"status": 404}}, {}, False),
        ({"when": {"body": {"has": "a"}}, "code": "E1"}, {"code": "E1"}, False),
    ],
)
def test_a_classification_tests_what_was_said(entry: dict[str, Any], said: dict[str, Any], *, holds: bool) -> None:
    """All keys that are given must hold: the reply, the code or the type, the words, whether fields are named."""
    naming = _naming({"classify": [{**entry, "as": "conflict"}]})
    for _ in range(2):  # what a pattern found in a word is remembered
        assert _named(naming, **said) == ("conflict" if holds else None)


def test_words_are_remembered_within_a_bound() -> None:
    """An upstream that makes up a code for each error does not fill the memory, and is read all the same."""
    naming = _naming({"classify": [{"code": "^E", "as": "conflict"}]})
    assert {_named(naming, code=f"E{number}") for number in range(300)} == {"conflict"}
    assert {_named(naming, code=f"F{number}") for number in range(300)} == {None}


def test_the_nearer_dialect_counts_first() -> None:
    """A code of the nearer dialect stands before a classification of the one that it extends."""
    near: dict[str, Any] = {"codes": {"E1": "gone"}, "types": {"late": "upstream_timeout"}}
    far: dict[str, Any] = {"classify": [{"code": "E", "as": "conflict"}], "codes": {"E1": "locked", "x": "locked"}}
    naming = _naming(near, {}, far)
    assert _named(naming, code="E1") == "gone"
    assert _named(naming, code="E2", type="late") == "upstream_timeout"
    assert _named(naming, code="E2") == "conflict"
    assert _named(naming, code="x") == "locked"
    assert _named(naming, code="y") is None


@pytest.mark.parametrize(
    ("status", "code"),
    [(402, "account_disabled"), (404, "not_found"), (299, "upstream_error"), (900, "upstream_error")],
)
def test_a_status_derives_a_code(status: int, code: str) -> None:
    """The dialect's own table, else the catalogue's; what is no error's status is told as a bad gateway."""
    naming = _naming({"statuses": {402: "account_disabled"}}, {"statuses": {402: "conflict"}})
    assert naming.derived(status).name == code


def test_a_status_of_its_own_is_named_too() -> None:
    """A status that HTTP does not have is classified like any other; what was worked out for it is not kept."""
    naming = _naming({"classify": [{"code": "E1", "as": "conflict"}]})
    assert {_named(naming, status=status, code="E1") for status in (900, 901, 900)} == {"conflict"}
