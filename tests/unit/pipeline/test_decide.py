"""Whether a reply streams through or is captured, decided on its head alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from gateway.dialects.auto import AutoDialect, Options
from gateway.dialects.spec import DialectSpec
from gateway.pipeline.decide import BARE, STREAM, Capture, Stream, decide
from tests.unit.pipeline.plans import plan_with

if TYPE_CHECKING:
    from gateway.pipeline.plan import Plan

JSON = (b"Content-Type", b"application/json")
ERROR = Capture(limit_bytes=1_000, cut=True)
SUCCESS = Capture(limit_bytes=5_000, cut=False)


def _decide(
    status: int,
    *headers: tuple[bytes, bytes],
    method: str = "GET",
    dialect: str = "salla",
    **changes: Any,  # noqa: ANN401
) -> Stream | Capture:
    plan = plan_with(dialect, success_bytes=5_000, error_bytes=1_000, **changes)
    return decide(status, headers, plan, method)


@pytest.mark.parametrize("status", [400, 404, 422, 500, 503, 599, 999])
@pytest.mark.parametrize("header", [JSON, (b"Content-Type", b"text/html"), (b"Cache-Control", b"no-transform")])
def test_errors_are_captured(status: int, header: tuple[bytes, bytes]) -> None:
    """Of an error as much is held as is allowed, whatever it claims to be; the answer is ours, not the upstream's."""
    assert _decide(status, header) == ERROR
    assert _decide(status, header, method="HEAD") == ERROR
    assert _decide(status, header, translate=False) is STREAM


@pytest.mark.parametrize("status", [200, 201, 202, 203, 207, 208, 226])
def test_successes_in_json_are_captured(status: int) -> None:
    """A success that is to be unified, or may hide an error, is held; over the limit it streams after all."""
    assert _decide(status, JSON) == SUCCESS
    assert _decide(status, (b"content-type", b"Application/Vnd.Shop+JSON; charset=utf-8")) == SUCCESS


@pytest.mark.parametrize("status", [204, 206, 300, 301, 302, 304, 307, 308])
def test_what_has_no_content_of_its_own_streams(status: int) -> None:
    """No content, a part of something, and redirections are not ours to read."""
    assert _decide(status, JSON) is STREAM


@pytest.mark.parametrize(
    ("dialect", "changes", "captured"),
    [
        ("salla", {}, True),
        ("salla", {"unify": False}, True),
        ("salla", {"translate": False}, True),
        ("salla", {"unify": False, "translate": False}, False),
        ("auto", {}, True),
        ("auto", {"translate": False}, False),
    ],
)
def test_a_success_that_nobody_reads_streams(dialect: str, changes: dict[str, Any], *, captured: bool) -> None:
    """Without unified successes only those are held that some rule looks into for an error."""
    assert (_decide(200, JSON, dialect=dialect, **changes) == SUCCESS) == captured


def test_a_dialect_without_rules_for_successes_lets_them_stream() -> None:
    """Nothing is held in memory for nothing."""
    plan = plan_with({"errors": [{"when": {"status": "5xx"}}]})
    assert decide(200, (JSON,), plan, "GET") is STREAM


_HIDING: dict[str, Any] = {
    "errors": [
        {"when": {"status": 200, "kind": "xml", "body": {"has": "Error"}}},
        {"when": {"status": 201, "any": [{"kind": ["html", "form"]}, {"content_type": "Text/CSV"}]}},
        {"when": {"status": [202, 404], "kind": "text"}},
        {"when": {"status": 203, "body": {"has": "error"}}},
    ]
}


@pytest.mark.parametrize(
    ("status", "content_type", "captured"),
    [
        (200, b"application/xml", True),
        (200, b"Text/XML; charset=utf-8", True),
        (200, b"application/soap+xml", True),
        (200, b"image/svg+xml", False),
        (200, b"text/html", False),
        (201, b"application/xml", False),
        (201, b"text/html", True),
        (201, b"application/x-www-form-urlencoded", True),
        (201, b"text/csv", True),
        (202, b"text/plain", True),
        (202, b"text/html", False),
        (203, b"text/html", False),
        (203, b"application/json", True),
        (204, b"application/xml", False),
        (207, b"application/xml", False),
        (200, b"", False),
    ],
)
def test_other_media_types_are_read_where_a_rule_for_the_status_names_them(
    status: int, content_type: bytes, *, captured: bool
) -> None:
    """A 200 with an error in XML is found by a rule for 200 and `kind: xml`; everybody else's files stream."""
    for dialect in (_HIDING, "auto of it"):
        plan = _hiding(dialect)
        found = decide(status, ((b"Content-Type", content_type),), plan, "GET")
        assert (found != STREAM) == captured


def _hiding(dialect: dict[str, Any] | str) -> Plan:
    plan = plan_with(_HIDING, success_bytes=5_000, error_bytes=1_000)
    if isinstance(dialect, dict):
        return plan
    silent = plan_with({"errors": []})
    spec = DialectSpec.model_validate({"detect": {"kind": "xml"}})
    return msgspec.structs.replace(plan, dialect=AutoDialect(Options([(spec, plan.dialect)], silent.dialect)))


@pytest.mark.parametrize(
    ("headers", "changes", "expected"),
    [
        ((), {}, Capture(limit_bytes=1_000, cut=False)),
        ((), {"success_bytes": 500}, Capture(limit_bytes=500, cut=False)),
        ((), {"translate": False, "unify": True}, STREAM),
        (((b"Content-Length", b"1000"),), {}, Capture(limit_bytes=1_000, cut=False)),
        (((b"Content-Length", b"1001"),), {}, STREAM),
        (((b"Cache-Control", b"no-transform"),), {}, STREAM),
    ],
)
def test_what_is_not_json_is_held_as_far_as_an_error_is(
    headers: tuple[tuple[bytes, bytes], ...], changes: dict[str, Any], expected: Stream | Capture
) -> None:
    """It can only hide an error, and errors are small: a larger body streams."""
    plan = plan_with(_HIDING, **{"success_bytes": 5_000, "error_bytes": 1_000, **changes})
    assert decide(200, ((b"Content-Type", b"application/xml"), *headers), plan, "GET") == expected


@pytest.mark.parametrize(
    ("headers", "captured"),
    [
        ([], False),
        ([(b"Content-Type", b"text/html")], False),
        ([(b"Content-Type", b"application/x-ndjson")], False),
        ([JSON, (b"Content-Encoding", b"gzip")], True),
        ([JSON, (b"Content-Encoding", b"br, zstd")], True),
        ([JSON, (b"Content-Encoding", b"compress")], False),
        ([JSON, (b"Cache-Control", b"max-age=0, No-Transform")], False),
        ([JSON, (b"Cache-Control", b"no-cache")], True),
        ([JSON, (b"Content-Length", b"5000")], True),
        ([JSON, (b"Content-Length", b"5001")], False),
        ([JSON, (b"Content-Length", b"9" * 30)], False),
        ([JSON, (b"Content-Length", b"many")], True),
    ],
)
def test_what_cannot_be_read_or_must_not_be_changed_streams(
    headers: list[tuple[bytes, bytes]], *, captured: bool
) -> None:
    """Other media types, unknown codings, `no-transform`, and what is larger than the limit from the start."""
    assert (_decide(200, *headers) == SUCCESS) == captured


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_reset_content_has_no_body(method: str) -> None:
    """Whatever the upstream sends with it (RFC 9110 section 15.3.6), and whoever reads it."""
    assert _decide(205, JSON, method=method) == BARE
    assert _decide(205, method=method, unify=False, translate=False) == BARE


@pytest.mark.parametrize(
    ("headers", "changes", "expected"),
    [
        ((JSON,), {}, BARE),
        ((JSON,), {"unify": False}, STREAM),
        ((JSON,), {"shadow": True}, STREAM),
        (((b"Content-Type", b"text/html"),), {}, STREAM),
        ((JSON, (b"Content-Length", b"5001")), {}, STREAM),
        ((JSON, (b"Cache-Control", b"no-transform")), {}, STREAM),
    ],
)
def test_answers_to_head_describe_what_get_would_give(
    headers: tuple[tuple[bytes, bytes], ...], changes: dict[str, Any], expected: Stream
) -> None:
    """Where a GET's body would be written anew, the upstream's description of it is not true."""
    assert _decide(200, *headers, method="HEAD", **changes) == expected
