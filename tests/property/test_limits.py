"""GCRA against an exact model in fractions, and the store as a machine whose every step is compared with it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.limits import Charge, Policy, refund, take
from gateway.limits.stores import MemoryStore

if TYPE_CHECKING:
    from gateway.limits import Ask, Decision

EPOCH_US = 1_700_000_000_000_000
KEYS = (b"a", b"b", b"c")


@st.composite
def policies(draw: st.DrawFn, name: str = "p") -> Policy:
    """Draw any policy that may exist."""
    requests = draw(st.integers(1, 1_000))
    per_us = draw(st.integers(1, 10**9))
    burst = draw(st.integers(1, 20))
    cost = draw(st.integers(1, burst))
    assume((-per_us % requests) * 100 <= per_us)
    return Policy(name=name, requests=requests, per_us=per_us, burst=burst, key=("ip",), cost=cost)


gaps_us = st.one_of(st.just(0), st.integers(0, 10), st.integers(0, 10**6), st.integers(0, 10**10))


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


class StoreMachine(RuleBasedStateMachine):
    """A store, and beside it one exact bucket for every policy and key that never forgets."""

    store: MemoryStore

    def make_store(self) -> MemoryStore:
        """Return the store under test; each store runs the same machine."""
        return MemoryStore(max_keys=len(KEYS))

    @initialize(first=policies("first"), second=policies("second"))
    def begin(self, first: Policy, second: Policy) -> None:
        """Start with two policies."""
        self.store = self.make_store()
        self.policies = (first, second)
        self.buckets = {(policy.id, key): Bucket(policy) for policy in self.policies for key in KEYS}
        self.now_us, self.latest_us = EPOCH_US, 0
        self.last: Decision | None = None
        self.asked: tuple[list[Ask], int] | None = None

    @rule(gap_us=gaps_us)
    def time_passes(self, gap_us: int) -> None:
        """Let the clock advance."""
        self.now_us += gap_us

    @rule(step_us=gaps_us)
    def clock_goes_back(self, step_us: int) -> None:
        """Let the clock go back, as no monotonic clock should."""
        self.now_us -= step_us

    @rule(first=st.sampled_from(KEYS), second=st.sampled_from(KEYS), which=st.sampled_from(["first", "second", "both"]))
    def request(self, first: bytes, second: bytes, which: str) -> None:
        """Ask one policy or both, and compare all that is said with the model."""
        charges = [(policy, key, policy.cost) for policy, key in zip(self.policies, (first, second), strict=True)]
        charges = {"first": charges[:1], "second": charges[1:], "both": charges}[which]
        self.last, self.asked = self.decide(charges), (charges, self.latest_us)

    def decide(self, charges: list[Ask]) -> Decision:
        """Ask the store, compare all that it says with the model, and charge the model."""
        self.latest_us = max(self.latest_us, self.now_us)
        decision = self.store.decide(charges, self.now_us, EPOCH_US)
        buckets = [self.buckets[policy.id, key] for policy, key, _ in charges]
        fits = [
            bucket.look(self.latest_us) >= policy.cost for bucket, (policy, _, _) in zip(buckets, charges, strict=True)
        ]
        assert [verdict.admitted for verdict in decision.verdicts] == fits
        assert decision.admitted == all(fits)
        for bucket, (policy, _, _), verdict in zip(buckets, charges, decision.verdicts, strict=True):
            bucket.level -= policy.cost if decision.admitted else 0
            assert verdict.remaining == bucket.level // 1
        return decision

    @rule()
    def wait_and_retry(self) -> None:
        """After a refusal, one microsecond too early is refused again, and the whole wait admits."""
        if self.last is None or self.last.tightest is None or self.last.admitted or self.asked is None:
            return
        charges, asked_us = self.asked
        wait_us = self.last.tightest.retry_after_us
        if self.latest_us >= asked_us + wait_us:
            return
        for self.now_us in (asked_us + wait_us - 1, asked_us + wait_us):
            assert self.decide(charges).admitted == (self.now_us == asked_us + wait_us)
        self.last = None

    @invariant()
    def bounded(self) -> None:
        """No table holds more than its keys, and nothing overflows that fits."""
        if hasattr(self, "store"):
            assert len(self.store) <= 2 * len(KEYS)


TestMemoryStore = StoreMachine.TestCase


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
