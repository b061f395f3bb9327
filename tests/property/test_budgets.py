"""Budgets against origins that count truly, in simulated time: nothing is refused, little is left over."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.limits.budget.declared import Declared, Shape, split
from gateway.limits.budget.learned import Learned, Ticket
from gateway.limits.budget.values import Kind, Reserve, Scope
from gateway.limits.policy import Algorithm
from gateway.limits.stores import MemoryStore
from gateway.model import Grant
from tests.property.budget_world import ROUTE, FixedWindow, LeakyBucket, S, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

MINUTE = 60 * S


def even(rate: float) -> dict[bytes, float]:
    """Return the demand of three clients who want the same."""
    return dict.fromkeys((b"a", b"b", b"c"), rate / 3)


def declared(requests: int, per_us: int = MINUTE, **more: object) -> Declared:
    """Return a declared budget."""
    return Declared(name="api", scope="budget:api", requests=requests, per_us=per_us, **more)  # type: ignore[arg-type]


def used(world: World, limit: int, from_us: int, until_us: int, per_us: int = MINUTE) -> float:
    """Return how much of the budget was used, as a part of all that was granted."""
    served = [at_us for at_us in world.origin.served if from_us <= at_us < until_us]
    return len(served) / (limit * (until_us - from_us) / per_us)


@pytest.mark.parametrize("anchored", [False, True])
@pytest.mark.parametrize("rounding", [ceil, floor])
@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("limit", [100, 1000])
def test_what_is_learned_of_a_window_keeps_it_and_uses_it(
    limit: int, replicas: int, rounding: Callable[[float], int], anchored: bool
) -> None:
    """At twice the demand nothing is refused after the first window, and nine tenths and more are used, whichever way
    the upstream rounds its seconds, whenever its windows begin, and whatever order replies come in.
    """
    origin = FixedWindow(limit, MINUTE, first_us=17 * S, rounding=rounding, anchored=anchored)
    world = World(origin, replicas=replicas, seed=replicas)
    world.run(even(2 * limit / 60), 8 * MINUTE)
    assert [at_us for at_us in origin.refused if at_us >= MINUTE + 17 * S] == []
    assert used(world, limit, 2 * MINUTE, 8 * MINUTE) >= 0.9


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    limit=st.sampled_from([30, 100, 300]),
    per_s=st.sampled_from([20, 60, 300]),
    replicas_slowest_us=st.sampled_from(
        [(1, 1_000), (1, 400_000), (1, 2_000_000), (2, 400_000), (3, 50_000), (3, 400_000)]
    ),
    demand=st.sampled_from([0.5, 1.0, 2.0, 5.0]),
    anchored=st.booleans(),
)
def test_nothing_that_is_learned_is_over_the_window(
    seed: int, limit: int, per_s: int, replicas_slowest_us: tuple[int, int], demand: float, anchored: bool
) -> None:
    """Once a window was seen, none is asked for more than it has: by one replica whatever the network, by three where a
    reply does not take a good part of the window.
    """
    replicas, slowest_us = replicas_slowest_us

    def latency_us(chance: Random) -> int:
        return min(int(chance.expovariate(2 / slowest_us)), 2 * slowest_us)

    per_us = per_s * S
    rounding = ceil if seed % 2 else floor
    origin = FixedWindow(limit, per_us, first_us=seed % per_us, rounding=rounding, anchored=anchored)
    world = World(origin, replicas=replicas, seed=seed, latency_us=latency_us)
    world.run({b"a": demand * limit / per_s}, 4 * per_us)
    assert [at_us for at_us in origin.refused if at_us >= 2 * per_us] == []


@pytest.mark.parametrize("limit", [10, 50, 100, 120, 1000, 5000])
def test_a_declared_window_is_kept_from_the_first_request_on(limit: int) -> None:
    """Three replicas that share a store never ask for more, though nobody learns anything, and use nine tenths."""
    origin = FixedWindow(limit, MINUTE, first_us=17 * S)
    world = World(origin, replicas=3, learns=False, declared=declared(limit).policies())
    world.run(even(2 * limit / 60), 20 * MINUTE)
    assert origin.refused == []
    assert used(world, limit, 0, 20 * MINUTE) >= 0.9


@pytest.mark.parametrize("limit", [120, 360, 720])
def test_no_call_is_over_a_leaky_bucket_in_an_hour(limit: int) -> None:
    """At twice the demand for an hour, from three replicas, the bucket never runs over, and all of it is used."""
    origin = LeakyBucket(limit, MINUTE)
    policies = declared(limit, shape=Shape.LEAKY_BUCKET).policies()
    world = World(origin, replicas=3, learns=False, declared=policies)
    world.run(even(2 * limit / 60), 60 * MINUTE)
    assert origin.refused == []
    assert used(world, limit, MINUTE, 60 * MINUTE) >= 0.98


@pytest.mark.parametrize("replicas", [1, 3])
def test_a_bucket_that_tells_no_reset_is_kept_by_what_it_says(replicas: int) -> None:
    """`32/40`, which refills in 20 seconds: nothing is refused after the first minute, and it is used."""
    origin = LeakyBucket(40, 20 * S)
    world = World(origin, replicas=replicas, kind=Kind(refill_us=20 * S))
    world.run(even(4), 20 * MINUTE)
    assert [at_us for at_us in origin.refused if at_us >= MINUTE] == []
    assert used(world, 40, MINUTE, 20 * MINUTE, 20 * S) >= 0.9


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("limit", [300, 1000])
def test_three_clients_are_served_evenly(limit: int, replicas: int) -> None:
    """They want the same: none gets a tenth more than another."""
    origin = FixedWindow(limit, MINUTE, first_us=17 * S)
    world = World(origin, replicas=replicas, learns=False, fair=True, declared=declared(limit).policies())
    world.run(even(2 * limit / 60), 20 * MINUTE)
    assert max(world.served.values()) <= 1.1 * min(world.served.values())
    assert used(world, limit, MINUTE, 20 * MINUTE) >= 0.9


def test_three_clients_are_served_evenly_by_what_is_learned() -> None:
    """Three replicas, no declared budget, clients who want the same: the same holds."""
    origin = FixedWindow(600, MINUTE, first_us=17 * S)
    world = World(origin, replicas=3)
    world.run(even(2 * 600 / 60), 20 * MINUTE)
    assert max(world.served.values()) <= 1.1 * min(world.served.values())


@pytest.mark.parametrize("replicas", [1, 3])
def test_who_wants_ten_times_as_much_starves_nobody(replicas: int) -> None:
    """Of three clients one wants five times the budget; each gets a third all the same, and nothing is wasted."""
    origin = FixedWindow(1000, MINUTE)
    world = World(origin, replicas=replicas, learns=False, fair=True, declared=declared(1000).policies())
    world.run({b"greedy": 5 * 1000 / 60, b"b": 0.6 * 1000 / 60, b"c": 0.6 * 1000 / 60}, 20 * MINUTE)
    assert max(world.served.values()) <= 1.1 * min(world.served.values())
    assert used(world, 1000, MINUTE, 20 * MINUTE) >= 0.9


def test_who_asks_alone_has_all() -> None:
    """Fairness wastes nothing: what the others do not want is one client's."""
    origin = FixedWindow(1000, MINUTE)
    world = World(origin, learns=False, fair=True, declared=declared(1000).policies())
    world.run({b"alone": 2 * 1000 / 60, b"rare": 0.01}, 20 * MINUTE)
    assert used(world, 1000, MINUTE, 20 * MINUTE) >= 0.9


@pytest.mark.parametrize("learns", [False, True])
def test_the_reserve_is_there_for_the_chosen(learns: bool) -> None:
    """Others who want twice the budget leave a fifth of it: whoever is chosen and asks for less than that is served."""
    origin = FixedWindow(1000, MINUTE)
    reserve = Reserve(percent=20)
    world = World(
        origin,
        learns=learns,
        declared=() if learns else declared(1000, reserve=reserve).policies(),
        reserve=reserve,
        chosen=frozenset({b"chosen"}),
    )
    world.run({b"many": 2 * 1000 / 60, b"chosen": 0.1 * 1000 / 60}, 10 * MINUTE)
    assert [at_us for at_us in origin.refused if at_us >= MINUTE] == []
    assert world.served[b"chosen"] >= 0.95 * world.asked[b"chosen"]


@given(requests=st.integers(1, 10**6), per_us=st.integers(10**6, 10**11))
def test_a_declared_window_is_split_as_designed(requests: int, per_us: int) -> None:
    """Burst + rate x W is at most q for GCRA, and the rate alone nine tenths of q; few are counted one by one."""
    algorithm, count, time_us, burst = split(requests, per_us, Shape.FIXED_WINDOW)
    if algorithm is Algorithm.SLIDING_LOG:
        assert requests < 50
        assert (count, burst) == (requests, requests)
        assert time_us >= per_us
    else:
        assert burst + count * per_us / time_us <= requests
        assert count * per_us / time_us >= 0.9 * requests - 1


@given(requests=st.integers(1, 10**4), per_us=st.integers(10**7, 10**11), data=st.data())
def test_no_window_has_more_than_was_declared(requests: int, per_us: int, data: st.DataObject) -> None:
    """Whoever asks whenever it is admitted: no half-open window, wherever it begins, gets more than q."""
    requests = min(requests, 200)
    policies = declared(requests, per_us).policies()
    store, now_us, sent = MemoryStore(), 0, list[int]()
    for gap_us in data.draw(st.lists(st.integers(0, 2 * per_us // requests), max_size=150)):
        decision = store.decide([(policy, b"k", 1) for policy in policies], now_us, now_us)
        while decision.admitted and len(sent) < 1000:
            sent.append(now_us)
            decision = store.decide([(policy, b"k", 1) for policy in policies], now_us, now_us)
        now_us += gap_us
    for index, begins_us in enumerate(sent):
        assert sum(at_us < begins_us + per_us for at_us in sent[index:]) <= requests


OTHER = b"GET /other"


@settings(max_examples=150)
@given(data=st.data())
def test_no_upstream_can_make_it_fail(data: st.DataObject) -> None:
    """Whatever windows, buckets, resets and pauses replies tell of, in whatever order requests end: every wait is a
    number that ends, nothing raises, and the counts of what is in flight come out even.
    """
    learned = Learned([Kind(), Kind(refill_us=20 * S), Kind(until_reset=True), Kind(requests=False)])
    grant = st.builds(
        Grant,
        st.integers(0, 40),
        st.none() | st.integers(0, 10**12),
        st.integers(0, 10**12),
        st.none() | st.integers(0, 366 * 86_400 * S),
        st.sampled_from([1_000, S, MINUTE]),
    )
    now_us, open_tickets = 0, list[Ticket]()
    for _ in range(data.draw(st.integers(1, 30))):
        now_us += data.draw(st.integers(0, 120 * S))
        route = data.draw(st.sampled_from([ROUTE, OTHER]))
        wait_us = learned.wait_us(route, now_us, replicas=data.draw(st.integers(1, 4)))
        assert 0 <= wait_us <= 2 * 366 * 86_400 * S + 10**12
        open_tickets.append(learned.sent(route, now_us))
        ticket = open_tickets.pop(data.draw(st.integers(0, len(open_tickets) - 1)))
        how = data.draw(st.integers(0, 3))
        if how == 0:
            learned.unsent(ticket)
        elif how == 1:
            learned.lost(ticket, now_us)
        else:
            bucket = data.draw(st.sampled_from([b"", b"x", b"y"]))
            grants = data.draw(st.lists(grant, max_size=4))
            learned.replied(ticket, grants, now_us, bucket=bucket, refused=how == 3)
            if how == 3:
                after_us = data.draw(st.none() | st.integers(0, 10**12))
                learned.limited(ticket, data.draw(st.sampled_from(Scope)), after_us, now_us, 0.5)
    for ticket in open_tickets:
        learned.unsent(ticket)
    assert learned.in_flight == 0
