"""Everything that settled what a client gets for one reply."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.config import presets
from gateway.model import Reply, Translation
from gateway.pipeline.examples import EXAMPLE_NOW_S
from gateway.pipeline.explain import Explanation, explain
from tests.unit.pipeline.plans import plan_with

JSON = (b"Content-Type", b"application/json")


def _explained(dialect: str | dict[str, Any], status: int, body: object, **plan: Any) -> Explanation:  # noqa: ANN401 - members of a plan
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = Reply(status=status, headers=(JSON,), body=data)
    return explain(reply, plan_with(dialect, **plan), EXAMPLE_NOW_S)


OWN = {
    "errors": [{"when": {"status": [200, "4xx-5xx"], "body": {"has": ["why"]}}, "status": "status", "code": "why"}],
    "codes": {"lost": "not_found", "key": "token_invalid", "ours": "upstream_credentials_rejected"},
}


@pytest.mark.parametrize(
    ("status", "body", "plan", "told", "because"),
    [
        (400, {"why": "lost"}, {}, ("not_found", 404), "the code was named, and brings its own status"),
        (404, {"why": "x"}, {}, ("not_found", 404), "the status of the reply told the code, and stays"),
        (200, {"why": "x", "status": 409}, {}, ("conflict", 409), "the status in the body told the code, and stays"),
        (
            200,
            {"why": "x"},
            {},
            ("upstream_error", 502),
            "no status of an error was given; the code brings its own",
        ),
        (
            401,
            {"why": "key"},
            {"owns_credential": True},
            ("upstream_credentials_rejected", 502),
            "token_invalid is about the gateway's own credential here, which is no fault of the client's",
        ),
        (
            500,
            {"why": "x"},
            {},
            ("upstream_error", 500),
            "the status of the reply told the code, and stays",
        ),
        (404, {"why": "lost"}, {"translate": False}, (None, 404), "errors of this route pass"),
        (200, {"fine": 1}, {}, (None, 200), "no rule takes it for an error, and successes of this dialect pass"),
        (
            206,
            {"why": "x"},
            {},
            (None, 206),
            "its head is enough: no rule and no envelope could be looked for in it",
        ),
    ],
)
def test_why_this_status(
    status: int, body: object, plan: dict[str, Any], told: tuple[str | None, int], because: str
) -> None:
    """What the client gets, with the reason for its status."""
    found = _explained(OWN, status, body, **plan)
    assert (found.told.code, found.told.status) == told
    assert found.told.because == because


def test_a_status_that_derives_a_fault_of_the_gateway() -> None:
    """A code that blames the gateway has its own status, though the status told it."""
    found = _explained({"errors": [{}], "statuses": {407: "upstream_credentials_rejected"}}, 407, {})
    assert (found.told.code, found.told.status) == ("upstream_credentials_rejected", 502)
    assert found.told.because == "what is the gateway's fault has the status of its code"


def test_a_rule_that_says_it_is_no_error() -> None:
    """A polling answer passes by a rule."""
    found = _explained({"errors": [{"error": False}]}, 400, {})
    assert found.told.because == "the rule says that this is no error"
    assert (found.told.translation, bytes(found.told.document)) == (Translation.PASSED, b"null")


def test_codings_that_cannot_be_undone() -> None:
    """A success whose body cannot be read passes, and nobody looked into it."""
    reply = Reply(status=200, headers=(JSON, (b"Content-Encoding", b"gzip")), body=b"no")
    found = explain(reply, plan_with("salla"), EXAMPLE_NOW_S)
    assert (found.received.kind, found.trace) == (None, None)
    assert found.told.translation is Translation.PASSED


def test_what_was_received() -> None:
    """The reply as it was seen; what it says of itself is foreign text."""
    reply = Reply(status=500, headers=((b"Content-Type", b"a\x1b[0m"),), body=b"<p>no")
    found = explain(reply, plan_with("generic"), EXAMPLE_NOW_S)
    assert (found.received.status, found.received.size_bytes) == (500, 5)
    assert found.received.content_type == r"a\u001b[0m"
    assert found.received.kind == "html"


def test_a_reply_that_is_not_whole() -> None:
    """That more may have been said is told."""
    whole = _explained("generic", 500, b'{"message": "no", "more": ')
    assert whole.received.truncated
    assert not _explained("generic", 500, {"message": "no"}).received.truncated


def test_a_large_success_is_read_in_full() -> None:
    """What the reader only outlines is seen whole by who asks why."""
    found = _explained("salla", 200, {"status": 404, "success": False, "error": {"message": "no"}, "data": [1]})
    assert found.trace is not None
    assert found.trace.fired is not None
    assert found.told.code == "not_found"


def test_the_envelope_of_a_success() -> None:
    """Where no rule takes a reply, the condition of the envelope is told."""
    found = _explained("salla", 200, {"status": 200, "success": True, "data": {"id": 1}})
    assert [(one.key, one.found, one.holds) for one in found.envelope] == [
        ("body.type.success", "true", True),
        ("body.type.status", "200", True),
    ]
    assert found.told.because == "no rule takes it for an error, and its dialect unifies successes"
    assert json.loads(bytes(found.told.document))["data"] == {"id": 1}


@pytest.mark.parametrize(
    ("dialect", "plan"),
    [("salla", {"unify": False}), ("type-code-param", {}), ("generic", {})],
)
def test_no_envelope_to_look_for(dialect: str, plan: dict[str, Any]) -> None:
    """Nothing is told of an envelope that nobody asks for."""
    assert _explained(dialect, 200, {"data": 1}, **plan).envelope == ()


def test_successes_of_a_route_that_does_not_translate() -> None:
    """Where errors pass, none is looked for; the envelope is."""
    found = _explained("salla", 200, {"status": 200, "success": True, "data": 1}, translate=False)
    assert found.trace is None
    assert len(found.envelope) == 2


def test_candidates_of_auto() -> None:
    """Each sign with its confidence, the surest first; the one that told the dialect is marked."""
    found = _explained("auto", 422, {"status": 422, "success": False, "error": {"message": "no"}})
    assert found.dialect == "salla"
    assert [one.dialect for one in found.candidates if one.taken] == ["salla"]
    assert [one.confidence for one in found.candidates] == sorted(
        (one.confidence for one in found.candidates), reverse=True
    )
    assert {one.dialect for one in found.candidates} == set(presets.detected())
    assert all(one.knows is all(key.holds for key in one.evidence) for one in found.candidates)


def test_no_candidate_knows_it() -> None:
    """What no sign is of is read by the last resort."""
    found = _explained("auto", 500, b"")
    assert found.dialect == "generic"
    assert not any(one.taken for one in found.candidates)
