"""The guard against the plain store: it allows exactly the same, and with leases never more; nobody waits too long."""

from __future__ import annotations

import asyncio
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.errors import StoreFailure, StoreReason
from gateway.limits import Policy
from gateway.limits.policy import Algorithm, OnStoreError, Period
from gateway.limits.shares import share
from gateway.limits.stores import MemoryStore
from gateway.limits.stores.guard.breaker import State
from gateway.limits.stores.guard.charges import LeasedCharge, ShareCharge
from tests.policies import calendar_window, places, sliding_log
from tests.unit.limits.stores.guard.virtual import Guarded, ScriptedRemote, VirtualLoop, guarded

if TYPE_CHECKING:
    from gateway.limits import Ask, Charge, Decision

S = 1_000_000
MS = 1_000
KEYS = (b"a", b"b")
COSTS = (("POST", 3), ("GET", 0))


def gcra(name: str, requests: int, burst: int, *, lease: int = 0) -> Policy:
    """Return a policy of GCRA."""
    return Policy(name=name, requests=requests, per_us=S, burst=burst, key=("ip",), costs=COSTS, lease=lease)


POLICIES = (
    gcra("slow", 1, 4),
    gcra("fast", 7, 3),
    sliding_log("log", 4, S, costs=COSTS),
    calendar_window("minute", 5, Period.MINUTE, costs=COSTS),
    places("places", 3, costs=COSTS),
    Policy(name="shadow", requests=1, per_us=S, burst=3, key=("ip",), costs=COSTS, shadow=True),
)

gaps_us = st.one_of(st.just(0), st.integers(1, 100), st.sampled_from([S // 7, S // 2, S]), st.integers(0, 70 * S))
costs = st.sampled_from([0, 1, 1, 1, 3])
requests = st.tuples(
    gaps_us,
    st.lists(st.sampled_from(POLICIES), min_size=1, max_size=3, unique=True),
    st.sampled_from(KEYS),
    costs,
    st.sampled_from(["keep", "keep", "keep", "refund", "release"]),
)


def split(charges: tuple[Charge, ...]) -> tuple[list[Charge], list[Charge]]:
    """Return the places among charges, and the others."""
    taken = [charge for charge in charges if charge.policy.algorithm is Algorithm.CONCURRENCY]
    return taken, [charge for charge in charges if charge not in taken]


@given(st.lists(requests, max_size=60))
def test_exact(steps: list[tuple[int, list[Policy], bytes, int, str]]) -> None:
    """Without leases each request is decided as the store alone decides it, and each refusal is one of its own."""
    guard, plain = guarded(), MemoryStore()
    for gap_us, policies, key, cost, then in steps:
        guard.loop.advance(gap_us)
        asks = [(policy, key, cost) for policy in policies]
        expected = plain.decide(asks, *guard.remote.time_us)
        decision = guard.now(*asks)
        assert decision.admitted == expected.admitted
        assert decision.charges == expected.charges
        if decision.admitted:
            assert decision == expected
        assert {verdict for verdict in decision.verdicts if not verdict.admitted} <= set(expected.verdicts)
        if then == "refund":
            plain.refund(expected.charges, *guard.remote.time_us)
            guard.store.refund(decision.charges, guard.loop.now_us, guard.unix_us)


@given(st.lists(st.tuples(st.integers(0, S // 5), st.sampled_from([1, 1, 3])), min_size=20, max_size=120))
def test_refusals_are_mostly_free(steps: list[tuple[int, int]]) -> None:
    """The store is asked once for each request that it admits, and at most once more before the next: no flood."""
    guard, policy, admitted = guarded(), gcra("p", 1, 3), 0
    for gap_us, cost in steps:
        guard.loop.advance(gap_us)
        admitted += guard.now((policy, b"k", cost)).admitted
    assert len(guard.remote.calls) <= 2 * admitted + 1


class Bucket:
    """The exact model: a bucket of `burst` that fills at `rate`, in fractions. It takes what is admitted."""

    def __init__(self, policy: Policy) -> None:
        """Begin full."""
        self.rate = Fraction(1, policy.interval_us)
        self.burst = self.level = Fraction(policy.burst)
        self.at_us = 0

    def admitted(self, cost: int, now_us: int) -> None:
        """Take `cost` out, which has to be there."""
        self.level = min(self.burst, self.level + (now_us - self.at_us) * self.rate) - cost
        self.at_us = now_us
        assert self.level >= 0, "more was admitted than the store alone would admit"


leased_steps = st.lists(
    st.tuples(
        st.one_of(st.just(0), st.integers(0, 300), st.integers(0, 3 * S)),
        st.integers(0, 2),
        st.sampled_from([1, 1, 1, 2]),
        st.sampled_from(["keep", "keep", "keep", "leave", "refund"]),
    ),
    max_size=120,
)


@given(leased_steps, st.integers(1, 9), st.integers(2, 12), st.integers(2, 15), st.integers(0, 2_000))
def test_leases(steps: list[tuple[int, int, int, str]], rate: int, burst: int, lease: int, latency_us: int) -> None:
    """However many replicas lease of one key, all they admit together is what one exact bucket has."""
    policy = Policy(name="p", requests=rate, per_us=S, burst=burst, key=("ip",), lease=lease)
    loop = VirtualLoop()
    remote = ScriptedRemote(loop, there_us=latency_us)
    replicas = [Guarded(loop, remote) for _ in range(3)]
    bucket = Bucket(policy)
    for gap_us, number, cost, then in steps:
        loop.advance(gap_us)
        guard = replicas[number]
        deciding = guard.ask((policy, b"k", cost))
        if then == "leave" and isinstance(deciding, asyncio.Future):
            deciding.cancel()
            continue
        loop.advance(3 * latency_us)
        decision = guard.decided(deciding)
        if decision.admitted and then == "refund":
            guard.store.refund(decision.charges, loop.now_us, guard.unix_us)
        elif decision.admitted:
            bucket.admitted(cost, loop.now_us)


@given(st.lists(st.tuples(st.integers(0, 20 * S), st.integers(0, 2), st.sampled_from([1, 2])), max_size=120))
def test_calendar_leases(steps: list[tuple[int, int, int]]) -> None:
    """Of a window of the calendar, all replicas together admit no more than the policy has."""
    policy = calendar_window("p", 20, Period.MINUTE, lease=7)
    loop = VirtualLoop()
    remote = ScriptedRemote(loop)
    replicas = [Guarded(loop, remote) for _ in range(3)]
    admitted: Counter[int] = Counter()
    for gap_us, number, cost in steps:
        loop.advance(gap_us)
        if replicas[number].now((policy, b"k", cost)).admitted:
            admitted[replicas[number].unix_us // policy.per_us] += cost
    assert all(number <= policy.requests for number in admitted.values())


WANTS = tuple(
    Policy(
        name=on_store_error, requests=50, per_us=S, burst=50, key=("ip",), on_store_error=on_store_error, lease=lease
    )
    for on_store_error in OnStoreError
    for lease in (0, 5)
)
events = st.one_of(
    st.tuples(st.just("ask"), st.lists(st.sampled_from(WANTS), min_size=1, max_size=2, unique_by=lambda one: one.id)),
    st.tuples(st.just("leave"), st.lists(st.sampled_from(WANTS), min_size=1, max_size=1)),
    st.tuples(st.just("pass"), st.sampled_from([1, MS, 10 * MS, 49 * MS, 50 * MS, 300 * MS, S, 5 * S])),
    st.tuples(st.just("slow"), st.sampled_from([0, MS, 30 * MS, 49 * MS, 50 * MS, 80 * MS, 2 * S])),
    st.tuples(st.just("fail"), st.sampled_from([None, *StoreReason])),
    st.tuples(st.sampled_from(["stall", "resume"]), st.none()),
)


class Storm:
    """A guard over a store that does what it likes, and all that was asked of it."""

    def __init__(self) -> None:
        """Begin with a store in order."""
        self.guard = guarded()
        self.asked: list[tuple[int, asyncio.Future[Decision]]] = []
        self.kept: list[Charge] = []

    def ask(self, policies: list[Policy], *, leave: bool = False) -> None:
        """Ask; while the breaker is open, nobody waits."""
        state = self.guard.store.stats().state
        asks: list[Ask] = [(policy, b"k", 1) for policy in policies]
        deciding: Decision | asyncio.Future[Decision] = self.guard.ask(*asks)
        if not isinstance(deciding, asyncio.Future):
            self.keep(self.guard.decided(deciding))
            return
        assert state is not State.PROBING, "nobody waits while another probes"
        if state is State.OPEN:
            assert self.guard.store.stats().state is State.PROBING, "nobody waits while it is open"
        if leave:
            deciding.cancel()
        else:
            self.asked.append((self.guard.loop.now_us, deciding))
            deciding.add_done_callback(self.told)

    def told(self, deciding: asyncio.Future[Decision]) -> None:
        """Take a decision that came later; it comes by the deadline."""
        asked_us = next(at_us for at_us, one in self.asked if one is deciding)
        assert self.guard.loop.now_us - asked_us <= 50 * MS
        self.keep(deciding.result())

    def keep(self, decision: Decision) -> None:
        """Note what a decision charged; one for whom the store is away is charged nothing."""
        assert not (decision.unavailable and (decision.admitted or decision.charges))
        self.kept += [
            one for one in decision.charges if not isinstance(one, LeasedCharge | ShareCharge) and not one.policy.lease
        ]


@given(st.lists(events, max_size=80))
def test_storm(steps: list[tuple[str, object]]) -> None:
    """Whatever the store does, each request is answered by its deadline, and the store keeps only what was told."""
    storm = Storm()
    remote, loop = storm.guard.remote, storm.guard.loop
    for step, what in steps:
        match step, what:
            case "ask" | "leave", list():
                storm.ask(what, leave=step == "leave")
            case "pass", int():
                loop.advance(what)
            case "slow", int():
                remote.back_us = what
            case "fail", StoreReason() | None:
                remote.failing = None if what is None else StoreFailure(what)
            case "stall", _:
                remote.stalled = True
            case _:
                remote.resume()
        loop.settle()
    loop.advance(50 * MS)
    assert all(deciding.done() for _, deciding in storm.asked)
    remote.resume()
    loop.advance(3 * S)
    charged = [charge for charge in remote.unrefunded if not charge.policy.lease]
    assert Counter(charged) == Counter(storm.kept)
    assert loop.timers == 0


@given(
    st.integers(1, 1_000),
    st.integers(1, 10**7),
    st.integers(1, 100),
    st.integers(1, 30),
    st.sampled_from([Algorithm.GCRA, Algorithm.SLIDING_LOG, Algorithm.CONCURRENCY]),
    st.integers(1, 50),
)
def test_shares(requests: int, per_us: int, burst: int, cost: int, algorithm: Algorithm, replicas: int) -> None:
    """All shares together are no more than the policy, but that each lets the dearest request pass."""
    if algorithm is not Algorithm.GCRA:
        burst = requests
        per_us = 0 if algorithm is Algorithm.CONCURRENCY else per_us
    assume(cost <= burst and (-per_us % requests) * 100 <= per_us)
    policy = Policy(
        name="p", requests=requests, per_us=per_us, burst=burst, key=("ip",), cost=cost, algorithm=algorithm
    )
    part = share(policy, replicas)
    assert part.burst * replicas <= policy.burst or part.burst == cost
    if algorithm is Algorithm.GCRA:
        assert part.interval_us >= policy.interval_us * replicas - replicas
