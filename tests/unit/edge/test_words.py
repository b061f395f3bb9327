"""The words that a request's end is counted by are closed sets, and say who must act."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog import CODES
from gateway.edge.words import OUTCOMES, STATUSES, fault_of, status_label, word_of
from gateway.model import NONE, OTHER, Origin, Party, Problem, Retry, Source, Stage

PROBLEMS = st.builds(
    lambda code, origin, status: Problem(
        code=code,
        status=status,
        source=Source(origin=origin, fault=code.fault, upstream="api", stage=Stage.RESPONSE),
        retry=Retry(retryable=False, after=None),
    ),
    st.sampled_from(sorted(CODES.values(), key=lambda code: code.name)),
    st.sampled_from(Origin),
    st.integers(400, 599),
)


@given(st.none() | PROBLEMS, st.none() | st.integers(100, 599), st.integers(100, 599))
def test_every_outcome_is_in_the_list(problem: Problem | None, came: int | None, status: int) -> None:
    """Whatever failed, wherever, and whatever the statuses are; and each has a fault of the four."""
    word = word_of(problem, came, status)
    assert word in OUTCOMES
    assert fault_of(word, None if problem is None else problem.source.fault) in {NONE, *map(str, Party)}


@pytest.mark.parametrize(
    ("outcome", "fault", "expected"),
    [
        ("ok", None, "none"),
        ("idle", None, "none"),
        ("upstream_4xx", None, "client"),
        ("upstream_4xx", Party.CLIENT, "client"),
        ("upstream_4xx", Party.GATEWAY, "gateway"),  # our credential
        ("upstream_4xx", Party.UPSTREAM, "upstream"),  # our budget
        ("upstream_5xx", None, "upstream"),
        ("upstream_masked", Party.CLIENT, "client"),
        ("upstream_budget", Party.UPSTREAM, "upstream"),
        ("gateway_error", Party.GATEWAY, "gateway"),
        ("cancelled", None, "client"),
        ("cancelled", Party.UPSTREAM, "client"),  # who left heard of no failure
        ("cut", None, "upstream"),
        ("cut", Party.GATEWAY, "gateway"),  # we ended in the middle of it
    ],
)
def test_a_fault_is_the_problems_or_the_usual_one(outcome: str, fault: Party | None, expected: str) -> None:
    """None exactly where nothing failed; who left is the one who must act, whatever was about to be told."""
    assert fault_of(outcome, fault) == expected


def test_what_is_usual_can_be() -> None:
    """The status of each outcome is one that is counted by itself."""
    assert all(STATUSES[status] == str(status) for status, _ in OUTCOMES.values())
    assert {fault for _, fault in OUTCOMES.values()} == {NONE, *map(str, Party)}


@pytest.mark.parametrize(
    ("status", "label"),
    [(200, "200"), (422, "422"), (499, "499"), (522, "522"), (299, "2xx"), (420, "4xx"), (598, "5xx")],
)
def test_a_status_that_nobody_knows_is_counted_by_its_class(status: int, label: str) -> None:
    """So that an upstream that makes up one after the other makes no series each, and ratios by class stay right."""
    assert status_label(status) == label


@given(st.integers())
def test_there_are_so_many_labels_and_no_more(status: int) -> None:
    """Of a number that is no status at all, too."""
    assert status_label(status) in {*STATUSES.values(), OTHER}
    assert len(set(STATUSES.values())) < 80
