"""The deny cache: exact, with the true wait, and safe to forget."""

from __future__ import annotations

import pytest

from gateway.limits import Ask, Policy, Verdict
from gateway.limits.stores import MemoryStore
from gateway.limits.stores.guard.denied import Denied
from tests.policies import calendar_window, places, sliding_log

S = 1_000_000
EPOCH_US = 1_700_000_000 * S
START_US = 1_000_000 * S
"""The store's clocks, when ours is 0."""

COSTS = (("POST", 3),)
GCRA = Policy(name="g", requests=1, per_us=S, burst=5, key=("ip",), costs=COSTS)
LOG = sliding_log("l", 5, 10 * S, costs=COSTS)
DAY = calendar_window("d", 5, costs=COSTS)
PLACES = places("c", 1)


class Asked:
    """A store that is asked, and what is noted of it."""

    def __init__(self, most: int = 100) -> None:
        """Begin with nothing."""
        self.store = MemoryStore()
        self.denied = Denied(most)

    def ask(self, *asks: Ask, at_us: int = 0, took_us: int = 0) -> bool:
        """Ask the store, `took_us` before `at_us`, and note what it says; return whether it admits."""
        asked_us = at_us - took_us
        decided = self.store.decide(asks, START_US + asked_us, EPOCH_US + asked_us)
        self.denied.note(asks, decided, asked_us, at_us)
        return decided.admitted

    def exhaust(self, policy: Policy, key: bytes = b"k") -> None:
        """Ask until it refuses."""
        while self.ask((policy, key, 1)):
            pass


@pytest.mark.parametrize("policy", [GCRA, LOG, DAY], ids=lambda policy: policy.name)
def test_the_same_is_refused(policy: Policy) -> None:
    """What the store refused is refused here until the moment at which the store admits it, with its own verdict."""
    asked = Asked()
    asked.exhaust(policy)
    first = asked.denied.look(policy, b"k", 1, 0)
    assert first is not None
    end_us = first.retry_after_us
    for now_us in (0, end_us // 2, end_us - 1):
        told = asked.store.decide([(policy, b"k", 1)], START_US + now_us, EPOCH_US + now_us).tightest
        assert asked.denied.look(policy, b"k", 1, now_us) == told
    assert asked.denied.look(policy, b"k", 1, end_us) is None
    assert asked.ask((policy, b"k", 1), at_us=end_us)


@pytest.mark.parametrize("policy", [GCRA, LOG, DAY], ids=lambda policy: policy.name)
def test_others_are_not(policy: Policy) -> None:
    """Another key and another policy are asked of the store."""
    asked = Asked()
    asked.exhaust(policy)
    other = Policy(name="other", requests=1, per_us=S, burst=1, key=("ip",))
    assert asked.denied.look(policy, b"j", 1, 0) is None
    assert asked.denied.look(other, b"k", 1, 0) is None


@pytest.mark.parametrize(("policy", "known"), [(GCRA, True), (DAY, True), (LOG, False)], ids=["g", "d", "l"])
def test_dearer(policy: Policy, known: bool) -> None:
    """What is dearer than what was refused is refused with its own wait; of a log that is not known."""
    asked = Asked()
    asked.exhaust(policy)
    told = asked.store.decide([(policy, b"k", 3)], START_US, EPOCH_US).tightest
    assert asked.denied.look(policy, b"k", 3, 0) == (told if known else None)


@pytest.mark.parametrize("policy", [GCRA, LOG, DAY], ids=lambda policy: policy.name)
def test_cheaper(policy: Policy) -> None:
    """What is cheaper than what was refused may pass; and free requests always do."""
    asked = Asked()
    for _ in range(3):
        assert asked.ask((policy, b"k", 1))
    assert not asked.ask((policy, b"k", 3))
    assert asked.denied.look(policy, b"k", 3, 0) is not None
    assert asked.denied.look(policy, b"k", 1, 0) is None
    assert asked.denied.look(policy, b"k", 0, 0) is None


def test_cheaper_is_known_to_be_refused() -> None:
    """Where a refusal of a dear request tells that cheap ones are refused too, they are."""
    asked = Asked()
    for _ in range(5):
        asked.store.decide([(GCRA, b"k", 1)], START_US, EPOCH_US)
    assert not asked.ask((GCRA, b"k", 3))
    told = asked.store.decide([(GCRA, b"k", 1)], START_US, EPOCH_US).tightest
    assert asked.denied.look(GCRA, b"k", 1, 0) == told


@pytest.mark.parametrize("policy", [GCRA, LOG, DAY], ids=lambda policy: policy.name)
def test_latency(policy: Policy) -> None:
    """The moment at which the store decided is not known: it is refused for the shorter time, and told the longer."""
    asked = Asked()
    asked.exhaust(policy)
    asked.denied = Denied()
    assert not asked.ask((policy, b"k", 1), at_us=3_000, took_us=3_000)
    told = asked.denied.look(policy, b"k", 1, 3_000)
    assert told is not None
    assert told.retry_after_us == asked.store.decide([(policy, b"k", 1)], START_US, EPOCH_US).verdicts[0].retry_after_us
    end_us = told.retry_after_us
    assert asked.denied.look(policy, b"k", 1, end_us - 1) is not None
    assert asked.denied.look(policy, b"k", 1, end_us) is None


def test_there_is_more_before_a_dear_request_passes() -> None:
    """Of a log, when there is more is known until then; after that, the end stands for it."""
    asked = Asked()
    for second in range(5):
        assert asked.ask((LOG, b"k", 1), at_us=second * S)
    assert not asked.ask((LOG, b"k", 3), at_us=5 * S)
    assert asked.denied.look(LOG, b"k", 3, 6 * S) == Verdict(LOG, False, 0, 6 * S, 4 * S)
    assert asked.denied.look(LOG, b"k", 3, 10 * S) == Verdict(LOG, False, 0, 2 * S, 2 * S)


def test_concurrency() -> None:
    """When a place falls free is a guess, and not remembered."""
    asked = Asked()
    asked.exhaust(PLACES)
    assert asked.denied.look(PLACES, b"k", 1, 0) is None
    assert not len(asked.denied)


def test_shadow() -> None:
    """A policy in shadow mode refuses nobody, and its verdict is not taken for another's."""
    shadow = Policy(name="s", requests=1, per_us=S, burst=1, key=("ip",), shadow=True)
    asked = Asked()
    while asked.ask((shadow, b"k", 1), (GCRA, b"k", 1)):
        pass
    assert asked.denied.look(shadow, b"k", 1, 0) is None
    assert asked.denied.look(GCRA, b"k", 1, 0) is not None


@pytest.mark.parametrize("policy", [GCRA, LOG, DAY], ids=lambda policy: policy.name)
def test_refund(policy: Policy) -> None:
    """A refund for the same key clears what is remembered, of every cost."""
    asked = Asked()
    charges = asked.store.decide([(policy, b"k", 1)], START_US, EPOCH_US).charges
    asked.exhaust(policy)
    asked.ask((policy, b"k", 3))
    asked.denied.forget(charges, 0)
    assert asked.denied.look(policy, b"k", 1, 0) is None
    assert asked.denied.look(policy, b"k", 3, 0) is None


def test_refund_on_its_way() -> None:
    """A refusal that the store may have said before the refund was there is not remembered."""
    asked = Asked()
    charges = asked.store.decide([(GCRA, b"k", 1)], START_US, EPOCH_US).charges
    asked.denied.forget(charges, 10_000)
    asked.exhaust(GCRA)
    assert asked.denied.look(GCRA, b"k", 1, 0) is None
    assert not asked.ask((GCRA, b"k", 1), at_us=59_999)
    assert asked.denied.look(GCRA, b"k", 1, 59_999) is None
    assert not asked.ask((GCRA, b"k", 1), at_us=60_000)
    assert asked.denied.look(GCRA, b"k", 1, 60_000) is not None


def test_admission() -> None:
    """Once a cheap request is charged a dear one has to wait for longer than was said: it is asked for again."""
    asked = Asked()
    for _ in range(3):
        assert asked.ask((GCRA, b"k", 1))
    assert not asked.ask((GCRA, b"k", 3))
    assert asked.ask((GCRA, b"k", 1))
    assert asked.denied.look(GCRA, b"k", 3, 0) is None


def test_bounded() -> None:
    """The oldest refusals are forgotten."""
    asked = Asked(most=4)
    for number in range(40):
        asked.exhaust(GCRA, b"%d" % number)
        assert len(asked.denied) <= 8
    assert asked.denied.look(GCRA, b"0", 1, 0) is None
    assert asked.denied.look(GCRA, b"39", 1, 0) is not None
