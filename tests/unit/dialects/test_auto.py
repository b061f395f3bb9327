"""`dialect: auto`: each reply is read by the dialect that knows it most surely by its structure."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.dialects.auto import AutoDialect, Options
from gateway.dialects.reader import Dialect
from gateway.dialects.spec import DialectSpec
from tests.unit.dialects.views import view_of


def _dialect(name: str, **facts: Any) -> tuple[DialectSpec, Dialect]:  # noqa: ANN401 - as facts are written in YAML
    spec = DialectSpec.model_validate({"name": name, "extends": [], **facts})
    return spec, Dialect([spec])


SHOP = _dialect(
    "shop",
    detect=[
        {"when": {"body": {"has": "shop"}}, "confidence": 90},
        {"when": {"body": {"has": "perhaps"}}, "confidence": 49},
    ],
    errors=[{"when": {"status": ["2xx", "4xx"], "body": {"has": "shop"}}}],
    success="unify",
    accept="text/shop",
)
BANK = _dialect(
    "bank",
    detect={"body": {"has": "bank"}},
    unwrap=True,
    errors=[{"when": {"body": {"has": "bank"}}, "fields": {"from": "bad"}}],
)
SHY = _dialect("shy", errors=[{"when": {"status": "3xx"}}])
LAST = _dialect("last", rate_headers={"remaining": "X-Left"})
MAIL = _dialect("mail", detect={"when": {"headers": {"has": "X-Mail"}}, "confidence": 94})
OPTIONS = Options([BANK, SHOP, MAIL, SHY], LAST[1])
AUTO = AutoDialect(OPTIONS)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"shop": 1, "bank": 1}, "shop"),
        ({"bank": 1}, "bank"),
        ({"perhaps": 1}, "last"),
        ([{"bank": 1}], "bank"),
        ({"other": 1}, "last"),
        ([{"shop": 1}, {"bank": 1}], "last"),
        (b"words", "last"),
        (None, "last"),
    ],
)
def test_the_surest_that_knows_a_reply_reads_it(body: object, name: str) -> None:
    """The dialect with the highest confidence reads; what none knows, or none surely, is read by the last resort."""
    view = view_of(body)
    outer = view.tree
    reading = AUTO.read_error(view, 0)
    assert reading is not None
    assert reading.dialect == name
    assert name == "bank" or view.tree is outer


@pytest.mark.parametrize(
    ("options", "location"), [({}, "body"), ({"in_body": True}, "body"), ({"in_body": False}, "query")]
)
def test_where_fields_were_is_passed_on(options: dict[str, bool], location: str) -> None:
    """The dialect that is chosen is told whether the request had a body; one is taken for granted."""
    reading = AUTO.read_error(view_of({"bank": 1, "bad": {"size": "no"}}), 0, **options)
    assert reading is not None
    assert [error.location for error in reading.errors] == [location]


def test_a_reply_below_400_is_no_error_without_a_rule() -> None:
    """What auto takes for a success stays one."""
    assert AUTO.read_error(view_of({"bank": 1}, status=200), 0) is None


@pytest.mark.parametrize(("status", "maybe"), [(200, True), (300, False), (302, False), (404, True), (199, False)])
def test_which_replies_are_looked_into(status: int, *, maybe: bool) -> None:
    """Those that any of the dialects that can be chosen would look into; without `detect` a dialect cannot be."""
    assert AUTO.may_be_error(status) == maybe


def test_successes_pass() -> None:
    """An API whose envelope is only guessed must not have its answers rewritten, nor its `Accept` replaced."""
    assert (AUTO.name, AUTO.success, AUTO.accept) == ("auto", None, None)
    assert AUTO.rates is LAST[1].rates


def _chosen(dialect: AutoDialect, body: object, headers: dict[str, str] | None = None) -> str:
    return dialect.chosen(view_of(body, headers=headers)).name


def test_what_an_upstream_speaks_is_remembered() -> None:
    """A weak sign is enough once an upstream was seen to speak the dialect, not before, nor for another upstream."""
    remembering, other = AutoDialect(OPTIONS, remembers=True), AutoDialect(OPTIONS, remembers=True)
    assert _chosen(remembering, {"perhaps": 1}) == "last"
    assert _chosen(remembering, {"shop": 1}) == "shop"
    assert _chosen(remembering, {"perhaps": 1}) == "shop"
    assert _chosen(other, {"perhaps": 1}) == "last"


def test_without_a_memory_each_reply_stands_alone() -> None:
    """What one reply was is nothing to the next."""
    assert [_chosen(AUTO, body) for body in ({"shop": 1}, {"perhaps": 1})] == ["shop", "last"]


def test_a_dialect_that_is_known_counts_more() -> None:
    """A sign of the dialect that an upstream speaks stands before a somewhat surer one of another."""
    remembering = AutoDialect(OPTIONS, remembers=True)
    assert _chosen(remembering, {"bank": 1}) == "bank"
    assert _chosen(remembering, {"bank": 1, "shop": 1}) == "bank"
    assert _chosen(remembering, {"bank": 1}, {"X-Mail": "1"}) == "bank"
    assert _chosen(AutoDialect(OPTIONS, remembers=True), {"bank": 1}, {"X-Mail": "1"}) == "mail"


def test_an_upstream_that_speaks_one_dialect_is_taken_to_speak_it() -> None:
    """After three replies in one dialect a reply without a sign is read in it too; not where two were seen."""
    remembering = AutoDialect(OPTIONS, remembers=True)
    assert [_chosen(remembering, {"shop": 1}) for _ in range(2)] == ["shop", "shop"]
    assert _chosen(remembering, {"other": 1}) == "last"
    assert _chosen(remembering, {"shop": 1}) == "shop"
    assert _chosen(remembering, {"other": 1}) == "shop"
    assert _chosen(remembering, {"bank": 1}) == "bank"
    assert _chosen(remembering, {"other": 1}) == "last"


def test_one_odd_reply_does_not_unsettle_an_upstream() -> None:
    """A page of a proxy among many replies: what has no sign is read as before, and a weak sign is not enough."""
    remembering = AutoDialect(OPTIONS, remembers=True)
    for _ in range(10):
        _chosen(remembering, {"bank": 1})
    assert _chosen(remembering, {"shop": 1}) == "shop"
    assert _chosen(remembering, {"other": 1}) == "bank"
    assert _chosen(remembering, {"perhaps": 1}) == "bank"


def test_what_was_seen_once_does_not_count_for_ever() -> None:
    """Whoever makes an upstream answer in another shape, even first of all, sways what comes later only for a while."""
    remembering = AutoDialect(OPTIONS, remembers=True)
    assert [_chosen(remembering, {"shop": 1}) for _ in range(3)] == ["shop"] * 3
    for _ in range(9):
        assert _chosen(remembering, {"bank": 1}) == "bank"
    assert _chosen(remembering, {"perhaps": 1}) == "shop"
    _chosen(remembering, {"bank": 1})
    assert _chosen(remembering, {"perhaps": 1}) == "last"
    for _ in range(60):
        _chosen(remembering, {"bank": 1})
    assert _chosen(remembering, {"other": 1}) == "bank"


def test_an_upstream_may_change_what_it_speaks() -> None:
    """The memory fades: a thousand old replies weigh no more than some hundred new ones."""
    remembering = AutoDialect(OPTIONS, remembers=True)
    for _ in range(1_000):
        _chosen(remembering, {"shop": 1})
    for _ in range(200):
        _chosen(remembering, {"bank": 1})
    assert _chosen(remembering, {"other": 1}) == "bank"
    assert _chosen(remembering, {"perhaps": 1}) == "bank"


def test_of_two_signs_alike_the_first_counts() -> None:
    """Where two dialects are equally sure, their order decides, not that of the reply's members."""
    first, second = _dialect("first", detect={"body": {"has": "a"}}), _dialect("second", detect={"body": {"has": "b"}})
    for order in ({"a": 1, "b": 1}, {"b": 1, "a": 1}):
        assert _chosen(AutoDialect(Options([first, second], LAST[1])), order) == "first"
