"""Scalars of the dialect language."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.dialects.spec.values import CodeName, Path, Paths, Pattern, PlainPath, Scalars, Statuses, Texts


@pytest.mark.parametrize(
    ("written", "statuses"),
    [
        (404, {404}),
        ("404", {404}),
        ("4xx", set(range(400, 500))),
        ("4XX", set(range(400, 500))),
        ("42x", set(range(420, 430))),
        ("500-502", {500, 501, 502}),
        ("500 - 502", {500, 501, 502}),
        ("1xx-5xx", set(range(100, 600))),
        ([404, "50x-51x"], {404, *range(500, 520)}),
        ([], set()),
        (frozenset({404}), {404}),
    ],
)
def test_statuses(written: object, statuses: set[int]) -> None:
    """A status, a class, a range, or a list of them."""
    assert TypeAdapter(Statuses).validate_python(written) == statuses


@pytest.mark.parametrize(
    "written",
    ["6xx", "0xx", 99, 600, "xxx", "4", "4xxx", "502-500", "400-", "-400", True, None, "all", "٤٠٤", "²00", 4.5],
)
def test_what_is_no_status(written: object) -> None:
    """Anything else is refused, and at most its beginning is shown."""
    with pytest.raises(ValidationError, match=r"is not a status, a class such as 4xx, or a range such as 500-504"):
        TypeAdapter(Statuses).validate_python(written)


@pytest.mark.parametrize(
    ("kind", "written", "message"),
    [
        (Path, "a[", "not a JMESPath expression (character 3)"),
        (PlainPath, "a[0", "not a JMESPath expression (character 4)"),
        (PlainPath, "a || b", "this path must be plain"),
        (Pattern, "(", "not an RE2 pattern: missing )"),
        (Pattern, r"(a)\1", "not an RE2 pattern"),
        (CodeName, "not_fuond", '"not_fuond" is not a code of the catalogue (did you mean not_found?)'),
        (CodeName, "zzz", '"zzz" is not a code of the catalogue (docs/reference/codes.md lists them)'),
        (CodeName, "z" * 99, f'"{"z" * 40}" is not a code'),
    ],
)
def test_what_cannot_work_is_refused(kind: Any, written: str, message: str) -> None:  # noqa: ANN401 - a kind of type
    """Paths and patterns compile and codes exist, or the file does not load."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter[Any](kind).validate_python(written)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "written", "read"),
    [
        (Path, "a || b", "a || b"),
        (PlainPath, "a[0].b", "a[0].b"),
        (Pattern, "^[a-z]+$", "^[a-z]+$"),
        (CodeName, "not_found", "not_found"),
        (Texts, "one", ("one",)),
        (Texts, ["one", "two"], ("one", "two")),
        (Paths, "a", ("a",)),
        (Scalars, None, (None,)),
        (Scalars, [True, 1, "1", 1.5], (True, 1, "1", 1.5)),
    ],
)
def test_one_value_stands_for_a_list_of_one(kind: Any, written: object, read: object) -> None:  # noqa: ANN401 - as above
    """What may be several may be written as one; values keep their types."""
    found = TypeAdapter[Any](kind).validate_python(written)
    assert repr(found) == repr(read)
