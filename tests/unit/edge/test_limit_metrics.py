"""Metrics of limits, of those who wait for them, and of the store: what is counted, and that no two samples are one."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gateway.edge.limiting.limit_metrics import LimitMetrics, WaitMetrics
from gateway.edge.limiting.room import Waits
from gateway.edge.limiting.store_metrics import KeyMetrics, StoreMetrics
from gateway.limits import Decision, Policy, Verdict
from gateway.limits.stores.guard.breaker import State
from tests.unit.edge.stores import counted

PER_CLIENT = Policy(name="per-client", requests=5, per_us=1_000_000, burst=5, key=("client",), scope="gateway")
TIGHTER = Policy(name="tighter", requests=2, per_us=1_000_000, burst=2, key=("ip",), scope="gateway", shadow=True)
ORDERS = [
    Policy(name="orders", requests=number, per_us=1_000_000, burst=1, key=("ip",), scope="route:api:orders")
    for number in (5, 6)
]


def verdict(policy: Policy, *, admitted: bool) -> Verdict:
    """Return what a policy says."""
    return Verdict(policy, admitted, 0, 0, 0)


def samples(registry: CollectorRegistry, prefix: str) -> list[str]:
    """Return the lines of the samples that begin so."""
    return [line for line in generate_latest(registry).decode().splitlines() if line.startswith(prefix)]


def test_each_policy_says_one_word_a_request() -> None:
    """Who would have admitted what another refuses was spared; those in shadow mode have words of their own."""
    registry = CollectorRegistry()
    metrics = LimitMetrics(registry)
    refused = (verdict(PER_CLIENT, admitted=False), verdict(ORDERS[0], admitted=True))
    metrics.decided(
        Decision(True, (verdict(PER_CLIENT, admitted=True),), None, (), (verdict(TIGHTER, admitted=False),))
    )
    metrics.decided(Decision(False, refused, refused[0], (), (verdict(TIGHTER, admitted=True),)))
    assert [line for line in samples(registry, "accord_limit_decisions_total") if line.endswith(" 1.0")] == [
        'accord_limit_decisions_total{policy="per-client",scope="gateway",verdict="admitted"} 1.0',
        'accord_limit_decisions_total{policy="per-client",scope="gateway",verdict="refused"} 1.0',
        'accord_limit_decisions_total{policy="tighter",scope="gateway",verdict="would_admit"} 1.0',
        'accord_limit_decisions_total{policy="tighter",scope="gateway",verdict="would_refuse"} 1.0',
        'accord_limit_decisions_total{policy="orders",scope="route:api:orders",verdict="spared"} 1.0',
    ]


def test_policies_that_are_called_the_same_are_counted_together() -> None:
    """Two routes may have one name; two samples with the same labels would make the page worthless."""
    registry = CollectorRegistry()
    metrics, every = LimitMetrics(registry), {policy.id: Waits(policy) for policy in ORDERS}
    WaitMetrics(registry, lambda: every, lambda: ("api",))
    for policy in ORDERS:
        metrics.decided(Decision(True, (verdict(policy, admitted=True),), None))
        every[policy.id].now = 2
    assert samples(registry, 'accord_limit_decisions_total{policy="orders"')[0].endswith('verdict="admitted"} 2.0')
    assert len(samples(registry, 'accord_limit_decisions_total{policy="orders"')) == 3
    assert samples(registry, "accord_limit_waiting{") == [
        'accord_limit_waiting{policy="orders",scope="route:api:orders"} 4.0'
    ]


def test_who_waited() -> None:
    """How each wait ended, how long all took, and who was turned away."""
    registry, waits = CollectorRegistry(), Waits(PER_CLIENT)
    waits.now, waits.served, waits.gave_up, waits.left, waits.moved = 1, 2, 3, 4, 5
    waits.turned_away, waits.waited_us = 6, 2_500_000
    WaitMetrics(registry, lambda: {PER_CLIENT.id: waits}, tuple)
    labels = 'policy="per-client",scope="gateway"'
    assert samples(registry, "accord_limit_") == [
        f"accord_limit_waiting{{{labels}}} 1.0",
        f'accord_limit_waits_total{{end="served",{labels}}} 2.0',
        f'accord_limit_waits_total{{end="gave_up",{labels}}} 3.0',
        f'accord_limit_waits_total{{end="left",{labels}}} 4.0',
        f'accord_limit_waits_total{{end="moved",{labels}}} 5.0',
        f"accord_limit_wait_seconds_total{{{labels}}} 2.5",
        f"accord_limit_turned_away_total{{{labels}}} 6.0",
    ]


def test_how_it_goes_with_a_store() -> None:
    """Its state, who shares it, why it failed, who decided, and how long it took, cumulated as histograms are."""
    registry = CollectorRegistry()
    StoreMetrics(registry, counted)
    found = samples(registry, "accord_limit_")
    for line in (
        "accord_limit_store_up 1.0",
        "accord_limit_replicas 3.0",
        'accord_limit_store_failures_total{reason="timeout"} 2.0',
        'accord_limit_store_failures_total{reason="refused"} 0.0',
        'accord_limit_store_decisions_total{where="remote"} 9.0',
        'accord_limit_store_decisions_total{where="local"} 0.0',
        'accord_limit_store_seconds_bucket{le="0.001"} 1.0',
        'accord_limit_store_seconds_bucket{le="0.0025"} 2.0',
        'accord_limit_store_seconds_bucket{le="60.0"} 2.0',
        'accord_limit_store_seconds_bucket{le="+Inf"} 3.0',
        "accord_limit_store_seconds_count 3.0",
        "accord_limit_store_seconds_sum 70.0029",
    ):
        assert line in found


@pytest.mark.parametrize("state", [State.OPEN, State.PROBING])
def test_a_store_that_is_left_alone_is_not_up(state: State) -> None:
    """Nor is one that is only probed."""
    registry = CollectorRegistry()
    StoreMetrics(registry, lambda: counted(state))
    assert samples(registry, "accord_limit_store_up") == ["accord_limit_store_up 0.0"]


def test_how_many_keys_are_held() -> None:
    """As many as there are when somebody asks."""
    registry, held = CollectorRegistry(), [1]
    KeyMetrics(registry, lambda: len(held))
    held.append(2)
    assert samples(registry, "accord_limit_keys") == ["accord_limit_keys 2.0"]
