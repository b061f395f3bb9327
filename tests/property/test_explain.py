"""What is told of a reply is what was done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from hypothesis import given, settings

from gateway.catalog import CODES
from gateway.config.presets import LAST_RESORT
from gateway.dialects.conditions import compile_condition
from gateway.dialects.explain import printable, shown
from gateway.dialects.explain.evidence import examined
from gateway.dialects.explain.places import GIVES
from gateway.model import Party, Problem, Translation
from gateway.pipeline.examples import EXAMPLE_NOW_S, answer, streams
from gateway.pipeline.explain import explain
from gateway.pipeline.normalise import view_of
from tests.property.replies import exchanges

if TYPE_CHECKING:
    from gateway.dialects.explain import Trace
    from gateway.dialects.reader import ErrorReading
    from gateway.model import Reply
    from gateway.pipeline.plan import Plan

NAMING = ("problem", "classify", "codes", "types")


def _reading(reply: Reply, plan: Plan) -> ErrorReading | None:
    view = view_of(reply, plan)
    return plan.dialect.read_error(view, EXAMPLE_NOW_S) if view is not None else None


@settings(deadline=None, max_examples=40)
@given(exchanges())
def test_the_explanation_is_of_what_is_done(exchange: tuple[Reply, Plan]) -> None:
    """For any reply and any plan: the rule, the code, every value and the answer are those of the reader."""
    reply, plan = exchange
    found = explain(reply, plan, EXAMPLE_NOW_S)
    result, document = answer(reply, plan, EXAMPLE_NOW_S)
    assert bytes(found.told.document) == (document if document is not None else b"null")
    assert found.told.status == (reply.status if result is None else result.status)
    if isinstance(result, Problem):
        assert found.told.translation is Translation.PROBLEM
        assert found.told.code == result.code.name
        reading = _reading(reply, plan)
        assert found.trace is not None
        assert reading is not None
        _check_trace(found.trace, reading)
        told = [candidate for candidate in found.candidates if candidate.taken]
        assert all(one.knows and one.dialect == found.dialect for one in told)
        assert len(told) == 1 or not found.candidates or found.dialect == LAST_RESORT
        _check_status(found.trace, result, plan)
    else:
        assert found.trace is None or found.trace.error is None
    msgspec.json.encode(found)


def _check_trace(trace: Trace, reading: ErrorReading) -> None:
    """The rule that is told was found by itself; it, the code and the values agree with the reader's."""
    assert trace.error is not None
    assert (trace.error.code, trace.error.status) == (reading.code.name, reading.status)
    fired = trace.fired
    assert [rule.fired for rule in trace.rules[:-1]] == [False] * (len(trace.rules) - 1)
    assert all(not rule.evidence[0].holds for rule in trace.rules if not rule.fired)
    if fired is None:
        assert reading.rule is None
    else:
        assert fired.dialect == reading.dialect
        assert fired.name == (printable(reading.rule) if reading.rule is not None else None)
        assert all(one.holds for one in fired.evidence)
    *before, last = trace.naming
    assert [step.code for step in before] == [None] * len(before)
    assert last.code == reading.code.name
    assert (last.step in NAMING) == reading.named
    counted = {place.member: place.gave for place in trace.places if place.counts}
    assert len(counted) == sum(place.counts for place in trace.places)
    assert counted.pop("status", None) in {None, str(reading.status)}
    assert counted == {member: gave for member, gives in GIVES.items() if (gave := gives(reading)) is not None}


def _check_status(trace: Trace, problem: Problem, plan: Plan) -> None:
    """The status follows from what is told: the code's own, or the one that stays."""
    assert trace.error is not None
    if problem.code.name != trace.error.code:
        assert plan.owns_credential
        return
    code = CODES[trace.error.code]
    own = trace.error.named or not 400 <= trace.error.status < 600 or code.fault is Party.GATEWAY
    assert problem.status == (code.status if own else trace.error.status)


@settings(deadline=None, max_examples=25)
@given(exchanges())
def test_a_condition_holds_when_all_its_evidence_does(exchange: tuple[Reply, Plan]) -> None:
    """For every rule of every dialect: the condition as a whole, and its keys one by one, say the same."""
    reply, plan = exchange
    view = view_of(reply, plan)
    if view is None or streams(reply, plan):
        return
    for spec in plan.dialect.chain:
        for rule in spec.errors:
            assert compile_condition(rule.when)(view) is all(one.holds for one in examined(rule.when, view))


@settings(deadline=None, max_examples=100)
@given(exchanges())
def test_what_is_shown_is_short_and_tame(exchange: tuple[Reply, Plan]) -> None:
    """Whatever a body holds, what is shown of it is one short line that a terminal takes for text."""
    reply, plan = exchange
    view = view_of(reply, plan)
    for text in (shown(view.tree if view is not None else None), printable(reply.body.decode("utf-8", "replace"))):
        assert text.isprintable()
        assert len(text) <= 160 * 12
