"""The dialect language: short forms, defaults, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from gateway.dialects.spec import (
    Condition,
    DialectSpec,
    Example,
    FieldsSpec,
    Pick,
    RateWindow,
    Rule,
    StatusPick,
    SuccessSpec,
    TimeHeader,
    TimePick,
)
from gateway.dialects.timing import TimeForm
from gateway.model import Location


@pytest.mark.parametrize(
    ("model", "short", "long"),
    [
        (Pick, "error.code", {"path": "error.code"}),
        (StatusPick, "status", {"from": ["status"]}),
        (StatusPick, ["status", "code"], {"from": ["status", "code"]}),
        (StatusPick, {"header": "X-Status"}, {"from": [{"header": "X-Status"}]}),
        (TimeHeader, "X-Reset", {"header": "X-Reset", "as": "auto"}),
        (TimePick, {"from": "wait"}, {"from": [{"path": "wait"}], "as": "delta_seconds"}),
        (SuccessSpec, "pass", {"unify": False}),
        (SuccessSpec, "unify", {"unify": True}),
        (FieldsSpec, {"from": "errors"}, {"from": ["errors"], "location": "body"}),
        (DialectSpec, {"extends": "salla"}, {"extends": ["salla"]}),
        (DialectSpec, {"rate_headers": {"limit": "X"}}, {"rate_headers": [{"limit": "X"}]}),
        (RateWindow, {"reset": "X-Reset"}, {"reset": {"header": "X-Reset"}}),
        (Rule, {"retry_after": {"from": "wait"}}, {"retry_after": [{"from": ["wait"]}]}),
    ],
)
def test_short_forms(model: type[BaseModel], short: object, long: object) -> None:
    """What is written short means what it means written out."""
    assert model.model_validate(short) == model.model_validate(long)


@pytest.mark.parametrize(
    ("model", "written", "message"),
    [
        (Pick, {}, "name a path, or a header"),
        (Pick, {"path": "a", "header": "b"}, "name a path, or a header"),
        (Pick, {"path": "a", "parameter": "b"}, "name a path, or a header"),
        (Pick, {"parameter": "b"}, "name a path, or a header"),
        (SuccessSpec, "passed", "should be a valid dictionary"),
        (FieldsSpec, {}, "Field required"),
        (FieldsSpec, {"from": "a", "shape": "bush"}, "'tree', 'list', 'positions' or 'param'"),
        (TimePick, {"from": "a", "as": "fortnights"}, "'delta_seconds'"),
        (Condition, {"stauts": 400}, "Extra inputs are not permitted"),
        (Rule, {"error": "maybe"}, "valid boolean"),
        (DialectSpec, {"field_codes": {"E": "bad"}}, "'required'"),
        (DialectSpec, {"writer": {}}, "Extra inputs are not permitted"),
        (Example, {"name": "a", "reply": {"status": 200}, "expect": "fail"}, "'pass'"),
    ],
)
def test_what_is_refused(model: type[BaseModel], written: object, message: str) -> None:
    """A key that is not known, or a value that cannot be meant, stops the load."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(written)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("when", "statuses"),
    [
        ({}, range(400, 600)),
        ({"body": {"has": "a"}}, range(400, 600)),
        ({"status": "2xx"}, range(200, 300)),
        ({"status": []}, ()),
    ],
)
def test_a_rule_is_for_errors_unless_it_says_more(when: dict[str, Any], statuses: range | tuple[int, ...]) -> None:
    """A rule that names no status is for 4xx and 5xx; what hides under 2xx has to be named."""
    rule = Rule.model_validate({"when": when})
    assert rule.when.status == frozenset(statuses)
    assert Rule().when.status == frozenset(range(400, 600))


@pytest.mark.parametrize(
    ("written", "confidences"),
    [
        ({"body": {"has": "a"}}, [80]),
        ({"when": {"body": {"has": "a"}}, "confidence": 95}, [95]),
        ([{"body": {"has": "a"}}, {"when": {"body": {"has": "b"}}, "confidence": 40}], [80, 40]),
    ],
)
def test_detection(written: object, confidences: list[int]) -> None:
    """A condition alone makes a detection 80 sure."""
    spec = DialectSpec.model_validate({"detect": written})
    assert [one.confidence for one in spec.detect] == confidences
    assert spec.detect[0].when.body is not None


@pytest.mark.parametrize(
    ("model", "written"),
    [
        (Pick, {"path": "a", "through": "b"}),
        (Pick, {"path": "a", "take": "b"}),
        (Pick, {"path": "a", "pattern": "("}),
        (TimePick, {}),
        (TimePick, {"from": "a", "refill": {"need": "a", "have": "b", "per_second": "c"}}),
        (Rule, {"sentence": "nothing of the error"}),
    ],
)
def test_what_cannot_work_is_refused(model: type[BaseModel], written: object) -> None:
    """Half of a pair, two sources at once, a pattern that is none: each is a fault when the file is read."""
    with pytest.raises(ValidationError):
        model.model_validate(written)


def test_defaults() -> None:
    """A dialect without a word extends the last resort and changes nothing else."""
    spec = DialectSpec()
    assert spec.extends == ("generic",)
    assert (spec.unwrap, spec.errors, spec.codes, spec.success, spec.detect) == (False, (), {}, None, ())
    assert FieldsSpec.model_validate({"from": "a", "location": None}).location is None
    assert FieldsSpec.model_validate({"from": "a"}).location is Location.BODY
    assert TimeHeader.model_validate("X").as_ is TimeForm.AUTO


def test_a_specification_cannot_be_changed() -> None:
    """What was checked at load stays what was checked."""
    spec = DialectSpec()
    with pytest.raises(ValidationError, match="frozen"):
        spec.unwrap = True  # type: ignore[misc]


def test_errors_do_not_repeat_what_was_written() -> None:
    """A file may hold what must not be shown, in any place."""
    with pytest.raises(ValidationError) as caught:
        DialectSpec.model_validate({"codes": {"E": ["hunter2"]}, "unwrap": "hunter2", "accept": {"hunter2": 1}})
    assert "hunter2" not in str(caught.value)
