"""The status page's memory is bounded, whatever clients send."""

from __future__ import annotations

import msgspec

from gateway.edge.clock import SystemClock
from gateway.edge.status import CLIENTS_COUNTED, CLIENTS_SHOWN, FAILURES_KEPT, OTHERS, StatusBoard
from gateway.model import Outcome, Translation

OUTCOME = Outcome(
    request_id="id",
    client_request_id=None,
    method="GET",
    path="/a",
    upstream="api",
    route=None,
    client=None,
    peer=None,
    status=429,
    upstream_status=None,
    outcome="rate_limited",
    code=None,
    source=None,
    dialect=None,
    translation=Translation.NONE,
    reason=None,
    retry_after=None,
    duration_s=0.0,
    upstream_s=None,
    request_bytes=0,
    response_bytes=0,
)


def test_refused_clients_beyond_a_number_are_counted_together() -> None:
    """Who was known before keeps its own count."""
    board = StatusBoard(("api",), SystemClock())
    for number in range(CLIENTS_COUNTED + 7):
        board.observe(msgspec.structs.replace(OUTCOME, client=f"#{number}"))
    board.observe(msgspec.structs.replace(OUTCOME, client="#0"))
    refused = board.refused()
    assert refused[0] == {"client": OTHERS, "refused": 7}
    assert refused[1] == {"client": "#0", "refused": 2}
    assert len(refused) == CLIENTS_SHOWN


def test_only_the_last_failures_are_kept() -> None:
    """The newest first."""
    board = StatusBoard(("api",), SystemClock())
    for number in range(FAILURES_KEPT + 3):
        board.observe(msgspec.structs.replace(OUTCOME, outcome="transport", request_id=str(number)))
    failures = board.upstream("api")["last_failures"]
    assert [failure["request_id"] for failure in failures] == [str(n) for n in range(12, 2, -1)]
