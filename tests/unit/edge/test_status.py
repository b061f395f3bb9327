"""The status page's memory is bounded, whatever clients send."""

from __future__ import annotations

from gateway.edge.status import CLIENTS_COUNTED, CLIENTS_SHOWN, FAILURES_KEPT, OTHERS, StatusBoard
from tests.unit.edge.outcomes import outcome


def test_refused_clients_beyond_a_number_are_counted_together() -> None:
    """Who was known before keeps its own count."""
    board = StatusBoard(("api",))
    for number in range(CLIENTS_COUNTED + 7):
        board.observe(outcome(outcome="rate_limited", client=f"#{number}"))
    board.observe(outcome(outcome="rate_limited", client="#0"))
    refused = board.refused()
    assert refused[0] == {"client": OTHERS, "refused": 7}
    assert refused[1] == {"client": "#0", "refused": 2}
    assert len(refused) == CLIENTS_SHOWN


def test_only_the_last_failures_are_kept() -> None:
    """The newest first."""
    board = StatusBoard(("api",))
    for number in range(FAILURES_KEPT + 3):
        board.observe(outcome(outcome="transport", request_id=str(number), time_s=float(number)))
    failures = board.upstream("api")["last_failures"]
    assert [failure["request_id"] for failure in failures] == [str(n) for n in range(12, 2, -1)]
    assert [failure["time"] for failure in failures] == [float(n) for n in range(12, 2, -1)]
