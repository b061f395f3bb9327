"""What clients would see otherwise if other rules read the same replies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.model import Reply
from gateway.pipeline.compare import Case, Comparison, compare
from gateway.pipeline.examples import EXAMPLE_NOW_S
from tests.unit.pipeline.plans import plan_with

if TYPE_CHECKING:
    from gateway.pipeline.plan import Plan

RULES: dict[str, Any] = {"errors": [{"code": "code", "message": "text", "fields": {"from": "wrong"}}]}
LOST = {"code": "lost", "text": "It is lost"}


def _case(body: object, status: int = 404, name: str = "a", upstream: str | None = "shop") -> Case:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = Reply(status=status, headers=((b"Content-Type", b"application/json"),), body=data)
    return Case(upstream=upstream, name=name, reply=reply)


def _compared(old: Plan, new: Plan, *cases: Case) -> Comparison:
    return compare({"shop": old}, {"shop": new}, cases, EXAMPLE_NOW_S)


def _changes(old: dict[str, Any], new: dict[str, Any], *cases: Case) -> list[tuple[str, str | None, str | None]]:
    found = _compared(plan_with({**RULES, **old}), plan_with({**RULES, **new}), *cases)
    return [(change.member, change.old, change.new) for change in found.changes]


def test_nothing_changes() -> None:
    """The same rules answer in the same way, ids and all."""
    found = _compared(plan_with(RULES), plan_with(RULES), _case(LOST), _case({}, 200))
    assert (found.replies, found.changed, found.changes) == (2, 0, ())


def test_a_code_that_is_named_now() -> None:
    """Code, category, status and whatever follows from them, in the order in which a person looks."""
    assert _changes({}, {"codes": {"lost": "conflict"}}, _case(LOST)) == [
        ("status", "404", "409"),
        ("code", "not_found", "conflict"),
        ("category", "not_found", "conflict"),
    ]


@pytest.mark.parametrize(
    ("new", "body", "told"),
    [
        (
            {"errors": [{"code": "code", "message": "other", "fields": {"from": "wrong"}}]},
            {"text": "It is lost", "other": "Gone\x1b"},
            [("detail", "It is lost", "Gone"), ("upstream.message", "It is lost", "Gone")],
        ),
        (
            {"errors": [{"message": "text", "fields": {"from": "wrong", "skip": ["size"]}}]},
            {"text": "No", "wrong": {"size": ["too small"]}},
            [("errors", "size out_of_range: too small", "none")],
        ),
        (
            {"errors": [{"retry_after": {"from": "wait"}}]},
            {"wait": 7},
            [("retry.after", "null", "7")],
        ),
        (
            {"errors": [{"extensions": True}]},
            b'{"balance": 3, "most": 1e400}',
            [("balance", None, "3"), ("most", None, "1e400")],
        ),
    ],
)
def test_each_member_of_a_problem(
    new: dict[str, Any], body: object, told: list[tuple[str, str | None, str | None]]
) -> None:
    """Detail, field errors, when to retry, and extensions."""
    assert _changes({}, new, _case(body)) == told


def test_many_field_errors_are_cut() -> None:
    """Some of the field errors are shown, and how many more there are."""
    wrong = {f"f{number}": ["it is required"] for number in range(6)}
    [(member, old, new)] = _changes({}, {"field_codes": {}, "errors": [{}]}, _case({"wrong": wrong}, 400))[-1:]
    assert (member, new) == ("errors", "none")
    assert old is not None
    assert old.endswith("f3 required: it is required and 2 more")


def test_an_error_of_the_whole_request() -> None:
    """An error without a field says so."""
    assert _changes({}, {"errors": [{}]}, _case({"wrong": ["no"]}))[-1] == ("errors", "(the whole) other: no", "none")


def test_answers_of_another_kind() -> None:
    """Where an error passes now, that is told, and not every member that is gone."""
    passing = {"errors": [{"when": {"body": {"has": ["code"]}}, "error": False}]}
    assert _changes({"codes": {"lost": "gone"}}, passing, _case(LOST)) == [
        ("answer", "problem", "passed"),
        ("status", "410", "404"),
        ("code", "gone", None),
    ]


def test_successes() -> None:
    """Payloads are compared as bytes, and what is said beside them by member."""
    old = {"success": {"data": "a"}}
    new = {"success": {"data": "b", "message": "m"}}
    body = b'{"a": 1e400, "b": 12345678901234567890123, "m": "done"}'
    assert _changes(old, new, _case(body, 200)) == [
        ("data", "1e400", "12345678901234567890123"),
        ("meta.message", None, "done"),
    ]


def test_alike_changes_are_one() -> None:
    """What changes in the same way is told once, with the replies; one that is given twice counts once."""
    other = {"code": "lost", "text": "It is lost", "more": 1}
    cases = [_case(LOST, name="a"), _case(other, name="b"), _case(LOST, name="again"), _case({"code": "x"}, name="c")]
    found = _compared(plan_with(RULES), plan_with({**RULES, "codes": {"lost": "conflict"}}), *cases)
    assert (found.replies, found.changed) == (3, 2)
    assert {change.replies for change in found.changes} == {("a", "b")}


def test_only_upstreams_that_both_have() -> None:
    """A reply is tried with its upstream, or with each that both have; one of another is left out."""
    old = {"shop": plan_with(RULES), "parts": plan_with(RULES), "gone": plan_with(RULES)}
    new = {name: plan_with({**RULES, "codes": {"lost": "gone"}}) for name in ("parts", "shop", "fresh")}
    cases = [_case(LOST, upstream=None), _case(LOST, upstream="gone"), _case(LOST, 400, upstream="shop")]
    found = compare(old, new, cases, EXAMPLE_NOW_S)
    assert found.replies == 3
    assert [change.upstream for change in found.changes if change.member == "code"] == ["parts", "shop", "shop"]
