"""Successes taken out of their envelopes; that data is never changed is a property (tests/property/test_success.py)."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.dialects.spec import SuccessSpec
from gateway.dialects.success import MOST_WARNINGS, SuccessReader, raw_at
from gateway.model import ItemWarning, Pagination, Success
from tests.unit.dialects.views import view_of

PAGES: dict[str, Any] = {
    "from": ["page", "meta.page"],
    "page": "at",
    "per_page": "size",
    "total": ["total", "count"],
    "total_pages": "pages",
    "next": "links.next",
    "prev": "links.prev",
    "has_more": "more",
}


def _read(spec: dict[str, Any], body: object, *, unwrap: bool = False) -> Success | None:
    reader = SuccessReader(SuccessSpec.model_validate(spec), dialect="shop", unwrap=unwrap)
    return reader.read(view_of(body, status=201))


@pytest.mark.parametrize(
    ("spec", "body", "data"),
    [
        ({"data": "data"}, b'{"data": [1, 2]}', b"[1, 2]"),
        ({"data": "data"}, b'{"data": null}', b'{"data": null}'),
        ({"data": "data"}, b' {"rows": [1]} ', b'{"rows": [1]}'),
        ({"data": "body.rows[0]"}, b'{"body": {"rows": [{"a": 1}]}}', b'{"a": 1}'),
        ({"data": "data", "envelope": {"body": {"has": "ok"}}}, b'{"ok": true}', b"null"),
        ({"data": "data", "envelope": {"body": {"has": "ok"}}}, b'{"ok": true, "data": 7}', b"7"),
        ({"data": "data", "envelope": {"body": {"has": "ok"}}}, b'{"data": 7}', b'{"data": 7}'),
        ({"data": "@"}, b" [1]\n", b"[1]"),
        ({}, b'{"data": 7}', b'{"data": 7}'),
        ({"envelope": {"body": {"has": "ok"}}}, b'{"ok": true}', b'{"ok": true}'),
    ],
)
def test_what_is_in_the_envelope_is_data(spec: dict[str, Any], body: bytes, data: bytes) -> None:
    """A body without the envelope is data as a whole; an envelope without data gives null."""
    success = _read(spec, body)
    assert success is not None
    assert (success.status, success.dialect, success.data) == (201, "shop", data)


@pytest.mark.parametrize(
    ("unwrap", "data"), [(True, b"7"), (False, b'[{"data": 7}]')]
)  # fmt: skip
def test_an_envelope_may_stand_in_a_list_of_one(*, unwrap: bool, data: bytes) -> None:
    """Where the dialect says that answers come in lists of one, the envelope is looked for inside."""
    success = _read({"data": "data"}, b'[{"data": 7}]', unwrap=unwrap)
    assert success is not None
    assert success.data == data


@pytest.mark.parametrize("body", [b'{"data": NaN}', b"<html>", b"words", None])
def test_what_cannot_be_spliced_is_no_success_of_ours(body: object) -> None:
    """Only strict JSON can stand in an answer of ours; anything else passes as it came."""
    assert _read({"data": "data"}, body) is None


@pytest.mark.parametrize(
    ("message", "found"),
    [("It is done", "It is done"), (" <b>Done</b> ", "Done"), ("", None), (7, None), (["One"], "One")],
)
def test_a_confirming_text(message: object, found: str | None) -> None:
    """A text in the envelope that confirms is kept, cleaned."""
    success = _read({"data": "data", "message": ["nowhere", "message"]}, {"data": 1, "message": message})
    assert success is not None
    assert success.message == found


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({}, Pagination()),
        (
            {"at": 2, "size": 15, "total": 31, "pages": 3, "links": {"next": "/a?page=3", "prev": "/a?page=1"}},
            Pagination(page=2, per_page=15, total=31, total_pages=3, next="/a?page=3", prev="/a?page=1", has_more=True),
        ),
        ({"at": 3, "pages": 3}, Pagination(page=3, total_pages=3, has_more=False)),
        ({"at": 2, "pages": 3}, Pagination(page=2, total_pages=3, has_more=True)),
        ({"at": 2}, Pagination(page=2)),
        ({"pages": 2}, Pagination(total_pages=2)),
        ({"at": "2", "pages": "3"}, Pagination(page=2, total_pages=3, has_more=True)),
        ({"at": -1, "size": 2**53, "total": "many", "count": 9, "pages": 1.5}, Pagination(total=9)),
        ({"at": "٢", "total": "9" * 99, "pages": True}, Pagination()),
        ({"more": False, "links": {"next": "/a"}}, Pagination(next="/a", has_more=False)),
        ({"more": "yes", "links": []}, Pagination()),
    ],
)
def test_pagination(page: dict[str, Any], expected: Pagination) -> None:
    """What is not said, or is no count, is unknown; whether there is more is said, or follows from what is."""
    for body in ({"data": [], "page": page}, {"data": [], "page": [], "meta": {"page": page}}):
        success = _read({"data": "data", "pagination": PAGES}, body)
        assert success is not None
        assert success.pagination == expected


def test_no_pagination() -> None:
    """A success without a page is no page."""
    success = _read({"data": "data", "pagination": PAGES}, {"data": []})
    assert success is not None
    assert success.pagination is None


WARNINGS = [
    {"when": {"status": 207}, "from": "failed", "detail": "never"},
    {
        "from": ["failed", "body.failed"],
        "index": "at",
        "code": ["error.code", "code"],
        "detail": "why",
        "field": "name",
    },
]


@pytest.mark.parametrize("data", ["data", None])
@pytest.mark.parametrize(
    ("failed", "warnings"),
    [
        (
            [{"at": 3, "error": {"code": 7}, "why": "No <b>room</b>", "name": "size"}],
            [ItemWarning(index=3, upstream_code="7", detail="No room", field="size")],
        ),
        ([{"code": "E1"}], [ItemWarning(index=None, upstream_code="E1", detail=None, field=None)]),
        (
            [{"at": "3", "code": 1.5}, None, {}, ""],
            [ItemWarning(index=None, upstream_code=None, detail=None, field=None)],
        ),
        ([{"at": -1}, {"at": 2**60}], [ItemWarning(index=None, upstream_code=None, detail=None, field=None)] * 2),
        ([], []),
        ({"at": 1}, []),
        ([None], []),
    ],
)
def test_items_that_failed_are_warnings(data: str | None, failed: object, warnings: list[ItemWarning]) -> None:
    """A partial success keeps its data and tells each item that failed, whether it has an envelope or none."""
    for body in ({"data": 1, "failed": failed}, {"data": 1, "failed": None, "body": {"failed": failed}}):
        success = _read({"data": data, "warnings": WARNINGS}, body)
        assert success is not None
        assert list(success.warnings) == warnings


def test_warnings_are_bounded() -> None:
    """However many items failed, a bounded number is told."""
    success = _read({"warnings": WARNINGS}, {"failed": [{"at": 1}] * 1_000})
    assert success is not None
    assert len(success.warnings) == MOST_WARNINGS


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ((), b'{"a": [ 1, {"b":2} ], "a\\u0062": 3}'),
        (("a",), b'[ 1, {"b":2} ]'),
        (("a", 1, "b"), b"2"),
        (("a", -2), b"1"),
        (("ab",), b"3"),
        (("c",), None),
        (("a", 2), None),
        (("a", "b"), None),
        ((0,), None),
    ],
)
def test_raw_bytes_at_a_path(steps: tuple[str | int, ...], found: bytes | None) -> None:
    """A value is cut out of a text without being decoded."""
    assert raw_at(b' {"a": [ 1, {"b":2} ], "a\\u0062": 3} ', steps) == found


def test_of_a_key_given_twice_the_last_counts() -> None:
    """As in every decoder that people use."""
    assert raw_at(b'{"a": 1, "a": 2}', ("a",)) == b"2"
