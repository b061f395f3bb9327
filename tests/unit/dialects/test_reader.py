"""A dialect, compiled: what the error in a reply says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.catalog import CODES
from gateway.dialects.reader import Dialect, ErrorReading
from gateway.dialects.spec import DialectSpec
from gateway.model import Party
from tests.unit.dialects.views import view_of

NOW_S = 1_767_225_600.0
SHOP: dict[str, Any] = {
    "name": "shop",
    "extends": "base",
    "read": {
        "status": ["number", "state"],
        "code": "code",
        "type": "kind",
        "message": ["note", "words"],
        "fields": [{"from": "bad"}, {"from": "worse"}],
        "request_id": [{"header": "X-Id"}, "id"],
        "retry_after": [{"from": ["wait", "pause"]}, {"from": "until", "as": "rfc3339"}],
    },
    "errors": [
        {"name": "polling", "when": {"body": {"equals": {"code": "pending"}}}, "error": False},
        {"name": "masked", "when": {"status": "2xx", "body": {"equals": {"ok": False}}}},
        {"name": "sold out", "when": {"body": {"has": "sold_out"}}, "problem": "conflict", "message": "sold_out"},
        {"name": "error", "when": {"body": {"type": {"@": "object"}}}},
    ],
    "classify": [
        {"as": "insufficient_scope", "when": {"status": 401, "body": {"contains": {"note": "scope"}}}},
        {"as": "locked", "when": {"body": {"has": "lock"}}},
    ],
    "codes": {"E1": "not_found", "E2": "rate_limited", "7": "gone"},
    "types": {"quota": "quota_exhausted"},
    "statuses": {402: "account_disabled"},
    "rate_headers": {"remaining": "X-Left", "reset": {"header": "X-Reset", "as": "delta_seconds"}},
}  # fmt: skip
BASE: dict[str, Any] = {
    "name": "base",
    "extends": [],
    "unwrap": True,
    "accept": "application/json",
    "read": {"code": "code", "message": "@"},
    "errors": [
        {"name": "text", "when": {"kind": "text"}},
        {"name": "list", "when": {"body": {"type": {"@": "list"}}}, "code": "[0]"},
    ],
    "codes": {"E1": "conflict", "E3": "locked"},
    "classify": [{"as": "maintenance", "when": {"body": {"equals": {"@": "closed for repairs"}}}}],
    "statuses": {402: "payment_declined", 418: "rate_limited"},
    "success": "pass",
}  # fmt: skip
DIALECT = Dialect([DialectSpec.model_validate(SHOP), DialectSpec.model_validate(BASE)])


def _read(body: object = None, *, status: int = 400, headers: dict[str, str] | None = None) -> ErrorReading | None:
    return DIALECT.read_error(view_of(body, status=status, headers=headers), NOW_S)


def _error(body: object = None, *, status: int = 400, headers: dict[str, str] | None = None) -> ErrorReading:
    reading = _read(body, status=status, headers=headers)
    assert reading is not None
    return reading


@pytest.mark.parametrize(
    ("status", "body", "rule", "dialect"),
    [
        (400, {"a": 1}, "error", "shop"),
        (500, {"sold_out": "yes"}, "sold out", "shop"),
        (200, {"ok": False}, "masked", "shop"),
        (400, [{"a": 1}], "error", "shop"),
        (502, b"the shop is away", "text", "base"),
        (400, ["E1", "E2"], "list", "base"),
        (400, b"\x00\x01", None, "shop"),
        (999, {"a": 1}, None, "shop"),
    ],
)
def test_the_first_rule_that_holds_reads(status: int, body: object, rule: str | None, dialect: str) -> None:
    """Its own rules, then those of what it extends; an error that no rule knows is still an error."""
    reading = _error(body, status=status)
    assert (reading.rule, reading.dialect) == (rule, dialect)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"ok": True}),
        (200, {"code": "E1"}),
        (304, None),
        (400, {"code": "pending"}),
        (99, {"ok": False}),
        (0, None),
    ],
)
def test_what_is_no_error(status: int, body: object) -> None:
    """Without a rule for it a reply below 400 is no error; a rule may say of what looks like one that it is none."""
    assert _read(body, status=status) is None


@pytest.mark.parametrize(
    ("status", "maybe"), [(200, True), (207, True), (301, False), (400, True), (599, True), (999, True), (0, False)]
)
def test_which_replies_are_looked_into(status: int, *, maybe: bool) -> None:
    """Errors, and successes that some rule is for: the others need not be held in memory."""
    assert DIALECT.may_be_error(status) == maybe


@pytest.mark.parametrize(
    ("status", "body", "code", "named"),
    [
        (400, {"sold_out": "yes", "lock": 1, "code": "E1"}, "conflict", True),
        (401, {"note": "A scope is missing", "code": "E1"}, "insufficient_scope", True),
        (403, {"note": "A scope is missing"}, "permission_denied", False),
        (400, {"lock": 1, "code": "E1", "kind": "quota"}, "locked", True),
        (400, {"code": "E1", "kind": "quota"}, "not_found", True),
        (400, {"code": 7}, "gone", True),
        (400, {"code": "E9", "kind": "quota"}, "quota_exhausted", True),
        (402, {"code": "E9"}, "account_disabled", False),
        (404, {"code": "E9"}, "not_found", False),
        (200, {"ok": False}, "upstream_error", False),
        (400, {"code": "E3"}, "invalid_request", False),
        (400, ["E3"], "locked", True),
        (400, ["E1"], "not_found", True),
        (503, b"closed for repairs", "maintenance", True),
        (400, {"note": "closed for repairs"}, "invalid_request", False),
        (402, b"no", "account_disabled", False),
        (418, b"no", "rate_limited", False),
        (418, {}, "invalid_request", False),
        (418, b"\x00", "rate_limited", False),
        (700, b"", "upstream_error", False),
    ],
)
def test_what_settles_the_code(status: int, body: object, code: str, *, named: bool) -> None:
    """The rule's `problem`, `classify`, `codes`, `types` name it, in this order; else the status derives it.

    A rule is read with the tables of its own dialect and of those that extend it, never with those further down.
    """
    reading = _error(body, status=status)
    assert (reading.code, reading.named) == (CODES[code], named)


@pytest.mark.parametrize(
    ("status", "body", "counts"),
    [
        (200, {"ok": False, "number": 404}, 404),
        (200, {"ok": False, "number": "503"}, 503),
        (200, {"ok": False, "number": "failed", "state": 409}, 409),
        (200, {"ok": False, "number": 200, "state": 409}, 200),
        (200, {"ok": False, "number": 600}, 200),
        (422, {"number": 404}, 422),
    ],
)
def test_the_bodys_status_counts_under_2xx(status: int, body: object, counts: int) -> None:
    """An error under 2xx has the status that its body declares: the first that is one."""
    assert _error(body, status=status).status == counts


@pytest.mark.parametrize(("wins", "status"), [(True, 404), (False, 422)])
def test_a_dialect_may_say_that_the_bodys_status_wins(*, wins: bool, status: int) -> None:
    """Some APIs send one HTTP status for many causes and the true one in the body."""
    rule = {"when": {"body": {"has": "number"}}, "status": {"from": "number", "wins": wins}}
    dialect = Dialect([DialectSpec.model_validate({"extends": [], "errors": [rule]})])
    reading = dialect.read_error(view_of({"number": 404}, status=422), NOW_S)
    assert reading is not None
    assert reading.status == status
    not_an_error = dialect.read_error(view_of({"number": 200}, status=422), NOW_S)
    assert not_an_error is not None
    assert not_an_error.status == 422


@pytest.mark.parametrize(
    ("body", "said", "detail"),
    [
        ({"note": "All gone", "words": "Other"}, "All gone", "All gone"),
        ({"note": "alert.gone", "words": "All gone"}, "alert.gone", "All gone"),
        ({"note": "null", "words": 7}, "null", None),
        ({"note": {"en": "All gone"}}, None, None),
        ({}, None, None),
    ],
)
def test_the_first_usable_text_is_the_detail(body: object, said: str | None, detail: str | None) -> None:
    """What was said first is kept; what a person is shown is the first that says something."""
    reading = _error(body)
    assert (reading.said, reading.detail) == (said, detail)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"bad": {"size": ["is odd", "is small"], "age": "is high"}}, "size is odd"),
        ({"bad": [{"name": "size"}, {"name": "age", "why": "is {field}"}]}, "age is {field}"),
        ({"bad": ["All is wrong"]}, "All is wrong"),
        ({"bad": [{"name": "size"}]}, None),
        ({"bad": {"size": "is odd"}, "note": "All gone"}, "All gone"),
        ({"bad": {"size": "The size is odd."}}, "The size is odd."),
        ({"bad": {"size": "المقاس غير صحيح"}}, "المقاس غير صحيح"),
        ({}, None),
    ],
)
def test_a_field_error_can_stand_for_the_message(body: object, detail: str | None) -> None:
    """Where an API says nothing of the whole, the first field error that has a text is told as a sentence.

    The name stands before it where the text goes on from a name, beginning in lower case.
    """
    spec = {
        "message": "note",
        "sentence": "{field} {detail}",
        "fields": {"from": "bad", "each": {"field": "name", "detail": "why"}},
    }
    dialect = Dialect([DialectSpec.model_validate({"name": "shop", "extends": [], "read": spec, "errors": [{}]})])
    reading = dialect.read_error(view_of(body), NOW_S)
    assert reading is not None
    assert reading.detail == detail


def test_a_bucket_that_refills_says_when() -> None:
    """What a request needs, what is there and what comes back in a second give the time."""
    refill = {"need": "cost", "have": "left", "per_second": "rate"}
    spec = {"retry_after": [{"from": "wait"}, {"refill": refill}]}
    dialect = Dialect([DialectSpec.model_validate({"name": "shop", "extends": [], "read": spec, "errors": [{}]})])
    reading = dialect.read_error(view_of({"cost": 752, "left": 202, "rate": 50.0}), NOW_S)
    assert reading is not None
    assert reading.retry_after_s == 11


@pytest.mark.parametrize(
    ("body", "headers", "after"),
    [({"wait": 3, "words": "in 7s"}, {"Retry-After": "5"}, 3), ({"words": "in 7s"}, {"Retry-After": "5"}, 5)],
)
def test_words_say_when_only_where_nothing_else_does(body: object, headers: dict[str, str], after: float) -> None:
    """The body's members, then the header fields, then what is said in words."""
    words = {"from": {"path": "words", "pattern": "in ([0-9]+)s"}, "last": True}
    spec = {"retry_after": [words, {"from": "wait"}]}
    dialect = Dialect([DialectSpec.model_validate({"name": "shop", "extends": [], "read": spec, "errors": [{}]})])
    reading = dialect.read_error(view_of(body, status=429, headers=headers), NOW_S)
    assert reading is not None
    assert reading.retry_after_s == after
    in_words = dialect.read_error(view_of(body, status=429), NOW_S)
    assert in_words is not None
    assert in_words.retry_after_s in (3, 7)


@pytest.mark.parametrize(("status", "after"), [(400, None), (404, None), (429, 7), (503, 7)])
def test_words_say_when_only_of_what_may_pass(status: int, after: float | None) -> None:
    """An error that does not pass by itself has no time to try again, whatever its words."""
    words = {"from": {"path": "words", "pattern": "in ([0-9]+)s"}, "last": True}
    spec = {"retry_after": words}
    dialect = Dialect([DialectSpec.model_validate({"name": "shop", "extends": [], "read": spec, "errors": [{}]})])
    reading = dialect.read_error(view_of({"words": "in 7s"}, status=status), NOW_S)
    assert reading is not None
    assert reading.retry_after_s == after


def test_what_else_is_read() -> None:
    """The upstream's code, type and request id, the field errors of the first place that has any."""
    reading = _error({"code": "007", "kind": "t", "bad": {}, "worse": {"size": "no"}, "id": 12}, headers={"X-Id": "r1"})
    assert (reading.upstream_code, reading.upstream_type, reading.request_id) == ("007", "t", "r1")
    assert [error.field for error in reading.errors] == ["size"]
    assert _error({"id": 12}).request_id == "12"
    assert _error({"id": 12}).errors == ()


@pytest.mark.parametrize(
    ("body", "headers", "after"),
    [
        ({"wait": 5, "pause": 6}, {"Retry-After": "9"}, 5),
        ({"wait": "soon", "pause": 6}, {}, 6),
        ({"wait": "soon", "until": "2026-01-01T00:00:07Z"}, {}, 7),
        ({"until": "2026-01-01T00:00:07Z"}, {"Date": "Thu, 01 Jan 2026 00:00:03 GMT"}, 4),
        ({"wait": "soon"}, {"Retry-After": "9"}, 9),
        ({}, {"X-Left": "0", "X-Reset": "8"}, 8),
        (None, {"Retry-After": "9"}, 9),
        ({}, {}, None),
    ],
)
def test_when_to_try_again(body: object, headers: dict[str, str], after: float | None) -> None:
    """The body first, in the order of the places it names; then the header fields."""
    assert _error(body, headers=headers).retry_after_s == after


EXTENSIBLE = Dialect(
    [
        DialectSpec.model_validate(
            {"name": "p", "unwrap": True, "read": {"extensions": True}, "errors": [{"name": "any"}]}
        )
    ]
)


@pytest.mark.parametrize(
    ("body", "extensions"),
    [
        (b'{"title": "no", "status": 400, "detail": "", "type": "a", "instance": "b"}', {}),
        (b'{"balance": 1e400, "rows": [ 1,2 ]}', {"balance": b"1e400", "rows": b"[ 1,2 ]"}),
        (b'[{"balance": 30}]', None),
        (b'{"balance": NaN}', None),
        (b"[]", None),
        (b"words", None),
        (b'{"a": "' + b"x" * 16_384 + b'"}', None),
        (b'{"' + b"x" * 16_384 + b'": 1}', None),
    ],
)
def test_extension_members_are_kept_as_they_are(body: bytes, extensions: dict[str, bytes] | None) -> None:
    """Members that are not of RFC 9457 are kept byte for byte, if they are strict JSON and not too large."""
    reading = EXTENSIBLE.read_error(view_of(body), NOW_S)
    assert reading is not None
    found = reading.extensions
    assert (None if found is None else {name: bytes(raw) for name, raw in found.items()}) == extensions


@pytest.mark.parametrize(
    "hidden",
    [
        "java.lang.Error: no\n\tat com.shop.Cart.total(Cart.java:9)",
        'File "/srv/a.py", line 1, in run',
        ["Error", {"frames": ["\tat com.shop.Cart.total(Cart.java:9)"]}],
        [{"field": "pin", "rejectedValue": "1234"}],
        {"deep": {"input": {"pin": "1234"}}},
        json.loads("[" * 40 + '"deep"' + "]" * 40),
    ],
)
def test_what_nobody_may_see_is_no_extension_member(hidden: object) -> None:
    """Stack traces, however JSON spells them, and what was sent to the upstream are left out; others stay."""
    reading = EXTENSIBLE.read_error(view_of({"kept": [1, {"a": "b"}], "hidden": hidden}), NOW_S)
    assert reading is not None
    assert set(reading.extensions or ()) == {"kept"}


@pytest.mark.parametrize("name", ["input", "rejectedValue", "attemptedValue"])
def test_what_was_sent_is_no_extension_member(name: str) -> None:
    """An upstream that repeats its input repeats passwords, too."""
    reading = EXTENSIBLE.read_error(view_of({name: "1234"}), NOW_S)
    assert reading is not None
    assert reading.extensions == {}


def test_a_dialect_is_a_chain() -> None:
    """Where a dialect is silent the facts of the next one hold; without a name it is unnamed."""
    assert (DIALECT.name, DIALECT.accept) == ("shop", "application/json")
    assert DIALECT.success is not None
    assert (DIALECT.success.dialect, DIALECT.success.unify) == ("base", False)
    lone = Dialect([DialectSpec.model_validate({"extends": []})])
    assert (lone.name, lone.accept, lone.success) == ("unnamed", None, None)


def test_a_view_is_left_as_it_was_where_no_rule_holds() -> None:
    """What is asked next sees the whole body, not what was unwrapped for the rules."""
    view = view_of([{"ok": True}], status=200)
    assert DIALECT.read_error(view, NOW_S) is None
    assert json.dumps(view.tree) == '[{"ok": true}]'


def test_fields_were_in_the_query_where_there_was_no_body() -> None:
    """Without a body in the request there is no place in it to point to."""
    reading = DIALECT.read_error(view_of({"bad": {"size": "no"}}), NOW_S, in_body=False)
    assert reading is not None
    assert [(error.pointer, error.location) for error in reading.errors] == [(None, "query")]


def test_every_code_has_someone_who_must_act() -> None:
    """A derived code is one of the catalogue, for every status that there is."""
    for status in range(400, 600):
        assert _error(b"\x00", status=status).code.fault in Party
