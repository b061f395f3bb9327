"""Metrics of budgets: what is known of them, and whether replicas hear of each other."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from gateway.edge.limiting.budget_metrics import BoardMetrics
from gateway.errors import StoreReason


def test_a_board_that_fails_is_told_of_once_for_each_change() -> None:
    """Each failure is counted by its reason; the operator hears of the changes alone."""
    registry, changes = CollectorRegistry(), list[StoreReason | None]()
    board = BoardMetrics(registry, changes.append)
    for reason in (None, StoreReason.AUTH, StoreReason.AUTH, StoreReason.TIMEOUT, None, None):
        board.heard(reason)
    assert changes == [StoreReason.AUTH, StoreReason.TIMEOUT, None]
    lines = generate_latest(registry).decode().splitlines()
    assert 'accord_budget_board_failures_total{reason="auth"} 2.0' in lines
    assert 'accord_budget_board_failures_total{reason="timeout"} 1.0' in lines
    assert 'accord_budget_board_failures_total{reason="full"} 0.0' in lines
