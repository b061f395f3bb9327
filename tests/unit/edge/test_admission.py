"""Strangers who were refused are remembered for the operator, so many and no more."""

from __future__ import annotations

from gateway.edge.admission import STRANGERS_REMEMBERED, Strangers


def test_who_was_refused_lately_is_known() -> None:
    """At least so many of the last ones, and never more than twice as many."""
    strangers = Strangers()
    for number in range(3 * STRANGERS_REMEMBERED):
        strangers.note(f"#{number}", (b"principal", str(number)))
    known = [number for number in range(3 * STRANGERS_REMEMBERED) if strangers.find(f"#{number}")]
    assert known[-1] == 3 * STRANGERS_REMEMBERED - 1
    assert STRANGERS_REMEMBERED <= len(known) <= 2 * STRANGERS_REMEMBERED
    assert strangers.find("#2999") == (b"principal", "2999")


def test_one_who_is_refused_again_takes_no_more_room() -> None:
    """Nobody pushes out others by being refused often."""
    strangers = Strangers()
    for number in range(STRANGERS_REMEMBERED):
        strangers.note(f"#{number}", (b"principal", "192.0.2.1"))
    for _ in range(3 * STRANGERS_REMEMBERED):
        strangers.note("#0", (b"principal", "192.0.2.2"))
    assert all(strangers.find(f"#{number}") for number in range(STRANGERS_REMEMBERED))
    assert strangers.find("#0") == (b"principal", "192.0.2.2")
