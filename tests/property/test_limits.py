"""GCRA against an exact model in fractions, and the store as a machine whose every step is compared with it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.stateful import invariant
from msgspec.structs import replace

from gateway.limits import Charge
from gateway.limits.algorithms import STEPS
from gateway.limits.gcra import refund, take
from gateway.limits.joint import judge
from gateway.limits.policy import Algorithm
from gateway.limits.stores import MemoryStore
from tests.property.store_machine import EPOCH_US, KEYS, StoreMachine, gaps_us
from tests.property.store_machine import gcra_policies as policies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits import Ask, Decision, Policy, Verdict
    from gateway.limits.values import Words


class Bucket:
    """The exact model: a bucket of `burst` that fills at `rate`, in fractions; the TAT is never spoken of."""

    def __init__(self, policy: Policy) -> None:
        """Begin full."""
        self.rate = Fraction(1, policy.interval_us)
        self.burst = policy.burst
        self.level = Fraction(policy.burst)
        self.at_us = 0

    def look(self, now_us: int) -> Fraction:
        """Return what is in it."""
        if now_us > self.at_us:
            self.level = min(Fraction(self.burst), self.level + (now_us - self.at_us) * self.rate)
            self.at_us = now_us
        return self.level


@given(policies(), st.lists(st.tuples(gaps_us, st.integers(1, 20)), max_size=60))
def test_window(policy: Policy, arrivals: list[tuple[int, int]]) -> None:
    """In no window of t does more pass than burst + rate × t, by the policy's own numbers."""
    now_us, tat_us = EPOCH_US, 0
    passed: list[tuple[int, int]] = []
    for gap_us, cost in arrivals:
        now_us += gap_us
        tat_us, verdict = take(tat_us, now_us, min(cost, policy.burst), policy)
        if verdict.admitted:
            passed.append((now_us, min(cost, policy.burst)))
    rate = Fraction(policy.requests, policy.per_us)
    for first, (begin_us, _) in enumerate(passed):
        total = 0
        for end_us, cost in passed[first:]:
            total += cost
            assert total <= policy.burst + rate * (end_us - begin_us)


@given(policies(), st.lists(gaps_us, max_size=40))
def test_exact(policy: Policy, gaps: list[int]) -> None:
    """Each step says what an exact bucket says: whether it passes, what is left, and when there is more."""
    now_us, tat_us, bucket = EPOCH_US, 0, Bucket(policy)
    for gap_us in gaps:
        now_us += gap_us
        level = bucket.look(now_us)
        tat_us, verdict = take(tat_us, now_us, policy.cost, policy)
        assert verdict.admitted == (level >= policy.cost)
        if verdict.admitted:
            bucket.level -= policy.cost
        assert verdict.remaining == bucket.level // 1
        missing = 0 if bucket.level == policy.burst else 1 - bucket.level % 1
        assert verdict.reset_us == missing / bucket.rate
        wait = Fraction(0) if verdict.admitted else (policy.cost - level) / bucket.rate
        assert verdict.retry_after_us == wait


@given(policies(), st.integers(0, 10**11), st.integers(1, 20))
def test_waiting(policy: Policy, ahead_us: int, cost: int) -> None:
    """Waiting as long as was said admits; one microsecond less does not."""
    cost = min(cost, policy.burst)
    tat_us = EPOCH_US + ahead_us
    same_us, refused = take(tat_us, EPOCH_US, cost, policy)
    assume(not refused.admitted)
    assert same_us == tat_us, "a refused request costs nothing"
    assert refused.retry_after_us >= refused.reset_us >= 1
    assert take(tat_us, EPOCH_US + refused.retry_after_us, cost, policy)[1].admitted
    assert not take(tat_us, EPOCH_US + refused.retry_after_us - 1, cost, policy)[1].admitted


@given(policies(), st.lists(st.integers(0, 10**9), min_size=1, max_size=40))
def test_clock_that_does_not_advance(policy: Policy, steps_back_us: list[int]) -> None:
    """A clock that stands or goes back frees nothing: no more passes than the burst."""
    now_us, tat_us, passed = EPOCH_US, 0, 0
    for step_us in steps_back_us:
        now_us -= step_us
        tat_us, verdict = take(tat_us, now_us, policy.cost, policy)
        passed += policy.cost if verdict.admitted else 0
        assert 0 <= verdict.remaining <= policy.burst
    assert passed <= policy.burst


@given(policies(), st.integers(-(10**9), 10**11), gaps_us, gaps_us)
def test_refund(policy: Policy, ahead_us: int, wait_us: int, more_us: int) -> None:
    """Charged and given back is never charged: from then on every step says the same."""
    before_us = EPOCH_US + ahead_us
    after_us, verdict = take(before_us, EPOCH_US, policy.cost, policy)
    assume(verdict.admitted)
    now_us = EPOCH_US + wait_us
    back_us = refund(after_us, now_us, Charge(policy, b"a", policy.cost, after_us))
    assert max(back_us, now_us) == max(before_us, now_us)
    then_us = now_us + more_us
    assert take(back_us, then_us, policy.cost, policy)[1] == take(before_us, then_us, policy.cost, policy)[1]


@given(policies(), st.lists(gaps_us, min_size=1, max_size=20), gaps_us)
def test_refund_is_never_too_much(policy: Policy, gaps: list[int], wait_us: int) -> None:
    """Whatever was charged after it: the key is left with no more than if the first request had never been."""
    now_us = EPOCH_US
    with_us, _ = take(0, now_us, policy.cost, policy)
    without_us, charge = 0, Charge(policy, b"a", policy.cost, with_us)
    for gap_us in gaps:
        now_us += gap_us
        with_us, verdict = take(with_us, now_us, policy.cost, policy)
        if verdict.admitted:
            without_us, _ = take(without_us, now_us, policy.cost, policy)
    now_us += wait_us
    assert refund(with_us, now_us, charge) >= max(without_us, min(with_us, now_us))


class MemoryMachine(StoreMachine):
    """The store in memory, with room for just the keys that there are."""

    def make_store(self) -> MemoryStore:
        """Return a small store."""
        return MemoryStore(max_keys=len(KEYS))

    @invariant()
    def bounded(self) -> None:
        """No table holds more than its keys."""
        if hasattr(self, "store"):
            assert isinstance(self.store, MemoryStore)
            assert len(self.store) <= 4 * len(KEYS)


TestMemoryStore = MemoryMachine.TestCase


class PlainStore:
    """The arithmetic and nothing else: it goes by the clocks as they are, and forgets nothing."""

    def __init__(self) -> None:
        """Start empty."""
        self.words: dict[tuple[str, bytes], Words] = {}

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:
        """Judge a request, and keep the words."""
        decided, kept = judge(asks, [self.known(policy, key) for policy, key, _ in asks], now_us, unix_us)
        for (policy, key, _), words in zip(asks, kept, strict=True):
            if words is not None:
                self.words[policy.id, key] = words
        return decided

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:
        """Judge a request."""
        decided, _ = judge(asks, [self.known(policy, key) for policy, key, _ in asks], now_us, unix_us)
        return replace(decided, charges=())

    def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:
        """Give charges back."""
        for charge in charges:
            steps, known = STEPS[charge.policy.algorithm], self.known(charge.policy, charge.key)
            words = steps.refund(known, unix_us if steps.wall else now_us, charge)
            self.words[charge.policy.id, charge.key] = words
        return self.peek([(charge.policy, charge.key, 0) for charge in charges], now_us, unix_us).verdicts

    def release(self, charges: Sequence[Charge], now_us: int) -> None:
        """Free places."""
        held = [charge for charge in charges if charge.policy.algorithm is Algorithm.CONCURRENCY]
        self.refund(held, now_us, 0)

    def known(self, policy: Policy, key: bytes) -> Words:
        """Return the words of a key."""
        return self.words.get((policy.id, key), ())


class PlainMachine(StoreMachine):
    """The arithmetic alone, on clocks that go back."""

    stands_still = False

    def make_store(self) -> PlainStore:
        """Return an empty store."""
        return PlainStore()


TestArithmetic = PlainMachine.TestCase


@given(policies(), st.lists(st.integers(0, 20), max_size=200), st.integers(1, 5))
def test_overflow(policy: Policy, numbers: list[int], room: int) -> None:
    """However many keys come, no more passes at once than the bursts of those that fit and of the one they share."""
    store, passed = MemoryStore(max_keys=room), dict.fromkeys(range(21), 0)
    for number in numbers:
        if store.decide([(policy, b"%d" % number, policy.cost)], EPOCH_US, EPOCH_US).admitted:
            passed[number] += policy.cost
        assert len(store) <= room + 1
    assert max(passed.values()) <= policy.burst
    assert sum(passed.values()) <= (room + 1) * policy.burst
