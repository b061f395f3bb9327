"""Templates of bodies, checked when they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.config.document import Document as File
from gateway.config.faults import validate
from gateway.dialects.spec.writing import ERROR_MEMBERS, MEMBERS, WriteSpec, parse
from gateway.model import FieldError, Retry, Source, UpstreamError
from gateway.pipeline.document import OWN_MEMBERS

if TYPE_CHECKING:
    import msgspec


def faults(text: str) -> list[str]:
    """Return what is wrong with a `write`."""
    found, wrong = validate(WriteSpec, File(text, "a.yaml"))
    assert (found is None) == bool(wrong)
    return [str(fault) for fault in wrong]


def test_names_are_those_of_the_document() -> None:
    """What can be taken is what a document has, so that a member that is added there cannot be forgotten here."""
    inner: dict[str, type[msgspec.Struct]] = {"source": Source, "retry": Retry, "upstream": UpstreamError}
    nested = {f"{at}.{name}" for at, struct in inner.items() for name in struct.__struct_fields__}
    assert set(MEMBERS) == (OWN_MEMBERS - {*inner, "errors"}) | (nested - {"upstream.extensions"})
    assert FieldError.__struct_fields__ == ERROR_MEMBERS


@pytest.mark.parametrize(
    "template",
    [
        {"a": "$status", "b": ["$first.field", 1, None, True], "c": {"d": "$$5"}},
        {"$": ["first.detail", "detail"], "as": "upper", "words": {"A": "b"}, "else": None},
        {"a": {"$errors": "tree"}, "b": {"$errors": "positions", "else": {}}},
        {"$errors": {"f": "$error.field", "of": "$status"}},
        {"$errors": "$error.detail"},
        "$detail",
        [],
    ],
)
def test_templates(template: object) -> None:
    """Any JSON with places that take what is there."""
    parse(template)


NOTHING = "there is nothing of this name to take"
PAGE = "docs/reference/views.md lists what there is"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("body: {a: $statu}", f"a.yaml:1:8 body.a: {NOTHING} (did you mean $status?)"),
        ("body:\n  a:\n    - $zzzzz", f"a.yaml:3:7 body.a[0]: {NOTHING} ({PAGE})"),
        ("body: {a: $error.field}", f"a.yaml:1:8 body.a: {NOTHING} (did you mean $first.field?)"),
        ("body: {a: {$: 5}}", f"a.yaml:1:12 body.a.…: {NOTHING} ({PAGE})"),
        ("body: {$: detail, as: lower}", "a.yaml:1:19 body.as: must be one of text, upper, duration"),
        ("body: {$: detail, words: x}", "a.yaml:1:19 body.words: must be a mapping of values to words"),
        (
            "body: {$: detail, when: x}",
            "a.yaml:1:19 body.when: this key is not known here (known: $, as, else, words)",
        ),
        (
            "body: {$errors: list}",
            "a.yaml:1:8 body.…: must be tree or positions, or what one field error is written as",
        ),
        ("body: {$errors: tree, as: x}", "a.yaml:1:23 body.as: this key is not known here (known: $errors, else)"),
        (
            "body: {$error: 1}",
            "a.yaml:1:8 body.…: only $ and $errors are known here; a member's name cannot begin with $",
        ),
        (
            "{body: {}, content_type: text}",
            "a.yaml:1:12 content_type: must be a media type without parameters, such as application/json",
        ),
    ],
)
def test_faults(text: str, fault: str) -> None:
    """Each has its place, and a suggestion where there is one."""
    assert faults(text) == [fault]


def test_all_faults_at_once() -> None:
    """One look at a file finds everything."""
    assert len(faults("body: {a: $x, b: {$: y, as: z}, c: {$errors: {d: $e}}}")) == 4


def test_a_template_need_not_take_anything() -> None:
    """A body that always says the same is a body."""
    template: Any = {"ok": False}
    assert WriteSpec(body=template).body == template
