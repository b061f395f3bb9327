"""From a request under way to what is told of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.catalog import CODES
from gateway.edge.call import ID_CHARACTERS, PATH_CHARACTERS, Call, would_be
from gateway.errors import TransportReason
from gateway.model import Origin, Outcome, Party, Problem, Retry, Source, Stage, Success, Translation, UpstreamError
from gateway.pipeline.normalise import own_problem, transport_problem
from tests.unit.edge.outcomes import call

FAILED = Problem(
    code=CODES["validation_failed"],
    status=422,
    source=Source(origin=Origin.UPSTREAM, fault=Party.CLIENT, upstream="salla", stage=Stage.RESPONSE),
    retry=Retry(retryable=True, after=7.5),
)


def told(one: Call) -> Outcome:
    """Return what is told of a call that ends two seconds after it began."""
    return one.outcome(one.began_s + 2.0, 1_795_000_000.25)


def test_each_member_says_what_it_is_called() -> None:
    """An outcome is made by position, and most members are texts: no two may have changed places."""
    one = Call("the id", "PUT", "/path", "the peer", 100.0)
    for name, value in {
        "client_request_id": "the client's id",
        "client": "the client",
        "limit": "the limit",
        "dialect": "the dialect",
        "problem": FAILED,
        "reason": "the reason",
        "request_bytes": 3,
        "response_bytes": 4,
        "route": "the route",
        "status": 422,
        "translation": Translation.PROBLEM,
        "upstream": "the upstream",
        "upstream_began_s": 100.5,
        "upstream_ended_s": 101.75,
        "upstream_status": 200,
        "waited_s": 0.25,
    }.items():
        setattr(one, name, value)
    one.would = would_be(msgspec.structs.replace(FAILED, status=409), 503, "the other dialect")
    outcome = told(one)
    assert {name: getattr(outcome, name) for name in outcome.__struct_fields__ if name != "left_out"} == {
        "would_status": 409,
        "would_outcome": "upstream_5xx",
        "would_code": "validation_failed",
        "would_dialect": "the other dialect",
        "would_translation": Translation.PROBLEM,
        "time_s": 1_795_000_000.25,
        "request_id": "the id",
        "client_request_id": "the client's id",
        "method": "PUT",
        "path": "/path",
        "status": 422,
        "upstream_status": 200,
        "outcome": "upstream_masked",
        "code": "validation_failed",
        "origin": Origin.UPSTREAM,
        "fault": Party.CLIENT,
        "stage": Stage.RESPONSE,
        "reason": "the reason",
        "upstream": "the upstream",
        "route": "the route",
        "client": "the client",
        "limit": "the limit",
        "peer": "the peer",
        "dialect": "the dialect",
        "translation": Translation.PROBLEM,
        "retry_after": 7.5,
        "duration_ms": 2000.0,
        "upstream_ms": 1250.0,
        "overhead_ms": 500.0,
        "request_bytes": 3,
        "response_bytes": 4,
    }


def test_a_request_of_which_nothing_is_known() -> None:
    """Its client left before anything was found out, and no upstream was asked."""
    outcome = told(Call("id", "GET", "/", None, 0.0))
    assert (outcome.status, outcome.upstream_ms, outcome.code, outcome.origin) == (499, None, None, None)


@pytest.mark.parametrize("ended_s", [None, 0.0])
def test_an_exchange_that_never_ended_lasted_as_long_as_its_request(ended_s: float | None) -> None:
    """The client left, say."""
    assert told(call(upstream_ended_s=ended_s)).upstream_ms == 1500.0


def test_waiting_is_no_work_of_ours() -> None:
    """For limits, for a body, more than once; and what is still waited for at the end is not either."""
    one = Call("id", "GET", "/", None, 0.0)
    one.waits(0.25)
    one.goes_on(0.75)
    one.goes_on(1.0)
    one.waits(1.0)
    one.goes_on(1.25)
    assert (told(one).duration_ms, told(one).overhead_ms) == (2000.0, 1250.0)
    one.waits(1.5)
    assert told(one).overhead_ms == 750.0


def test_a_clock_that_is_read_twice_makes_no_negative_time() -> None:
    """The parts may be longer than the whole by what it takes to read it."""
    assert told(call(upstream_began_s=10.0, upstream_ended_s=12.000_001)).overhead_ms == 0.0


@pytest.mark.parametrize(
    ("seconds", "shown_ms"), [(0.000_001_9, 0.001), (0.001_234_56, 1.234), (3600.000_5, 3600000.5)]
)
def test_durations_are_in_whole_microseconds(seconds: float, shown_ms: float) -> None:
    """So that a line has no digits that nobody measured."""
    assert Call("id", "GET", "/", None, 0.0).outcome(seconds, 0.0).duration_ms == shown_ms


def test_what_others_chose_is_cut_to_a_length() -> None:
    """A path and the client's own id; what just fits stays whole."""
    fits = told(call(path="/" * PATH_CHARACTERS, client_request_id="x" * ID_CHARACTERS))
    assert (fits.path, fits.client_request_id) == ("/" * PATH_CHARACTERS, "x" * ID_CHARACTERS)
    cut = told(call(path="/" * (PATH_CHARACTERS + 1), client_request_id="x" * (ID_CHARACTERS + 1)))
    assert (cut.path, cut.client_request_id) == ("/" * PATH_CHARACTERS + "…", "x" * ID_CHARACTERS + "…")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"status": 399}, "ok"),
        ({"status": 404}, "upstream_4xx"),
        ({"status": 500}, "upstream_5xx"),
        ({"problem": FAILED, "upstream_status": 422}, "upstream_4xx"),
        ({"problem": FAILED, "upstream_status": 503}, "upstream_5xx"),
        ({"problem": FAILED, "upstream_status": 200}, "upstream_masked"),
        ({"problem": own_problem("route_not_found", Stage.ROUTE)}, "no_route"),
        ({"problem": own_problem("rate_limited", Stage.LIMIT)}, "rate_limited"),
        ({"problem": own_problem("malformed_request", Stage.REQUEST)}, "client_error"),
        ({"problem": own_problem("internal", Stage.RESPONSE)}, "gateway_error"),
        ({"problem": transport_problem(TransportReason.CONNECTION_REFUSED, "api")}, "transport"),
        ({"problem": own_problem("upstream_budget_exhausted", Stage.LIMIT)}, "upstream_budget"),
        ({"problem": FAILED, "word": "cut"}, "cut"),
    ],
)
def test_one_word_says_what_happened(changes: dict[str, Any], word: str) -> None:
    """From the failure, the upstream's status and ours; a word that the proxy found itself comes first."""
    assert told(call(**changes)).outcome == word


@pytest.mark.parametrize(
    ("found", "received", "expected"),
    [
        (None, 404, (404, "upstream_4xx", None, None, Translation.PASSED)),
        (None, 200, (200, "ok", None, None, Translation.PASSED)),
        (
            Success(status=201, data=b"{}", dialect="its own"),
            201,
            (201, "ok", None, "its own", Translation.UNIFIED),
        ),
        (FAILED, 200, (422, "upstream_masked", "validation_failed", "auto", Translation.PROBLEM)),
        (
            msgspec.structs.replace(FAILED, upstream=UpstreamError(status=500, dialect="its own")),
            500,
            (422, "upstream_5xx", "validation_failed", "its own", Translation.PROBLEM),
        ),
    ],
)
def test_what_would_have_been_is_told_as_if_it_were(
    found: Problem | Success | None, received: int, expected: tuple[object, ...]
) -> None:
    """Status, word, code, dialect and translation are those of the answer that the client did not get."""
    would = would_be(found, received, "auto")
    assert (would.status, would.outcome, would.code, would.dialect, would.translation) == expected


def test_without_shadow_mode_nothing_is_said_of_what_would_have_been() -> None:
    """The members are not there, so that no line grows."""
    assert b"would" not in msgspec.json.encode(told(call()))
