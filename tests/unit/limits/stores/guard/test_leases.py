"""Leases: units that were taken ahead of time never let more pass, and end by themselves."""

from __future__ import annotations

import pytest

from gateway.limits import Policy
from gateway.limits.policy import Algorithm
from gateway.limits.stores import MemoryStore
from gateway.limits.stores.guard.charges import LeasedCharge
from gateway.limits.stores.guard.leases import Leases, Spent
from tests.policies import calendar_window

S = 1_000_000
EPOCH_US = 1_700_000_000 * S
START_US = 1_000_000 * S
GCRA = Policy(name="g", requests=1, per_us=S, burst=20, key=("ip",), lease=8)
DAY = calendar_window("d", 20, lease=8)


def taken(
    policy: Policy, used: int = 0, *, at_us: int = 0, took_us: int = 0, leases: Leases | None = None
) -> tuple[Leases, Spent]:
    """Take a lease of a store of which `used` are used already, and spend one."""
    store, leases = MemoryStore(), leases or Leases()
    for _ in range(used):
        store.decide([(policy, b"k", 1)], START_US, EPOCH_US)
    there_us = at_us + took_us
    decided = store.decide([(policy, b"k", policy.lease)], START_US + there_us, EPOCH_US + there_us)
    return leases, leases.put(decided.charges[0], decided.verdicts[0], 1, at_us, at_us + took_us)


def left(leases: Leases, policy: Policy, now_us: int) -> int:
    """Spend all, and return how much that was."""
    spent = 0
    while leases.spend(policy, b"k", 1, now_us):
        spent += 1
    return spent


@pytest.mark.parametrize("policy", [GCRA, DAY], ids=["gcra", "calendar"])
def test_spent_here(policy: Policy) -> None:
    """A lease of eight is eight requests; another key has none of it."""
    leases, _ = taken(policy)
    assert leases.spend(policy, b"j", 1, 0) is None
    assert left(leases, policy, 0) == 7
    assert len(leases) == 1


@pytest.mark.parametrize("policy", [GCRA, DAY], ids=["gcra", "calendar"])
def test_verdict(policy: Policy) -> None:
    """Who spends of a lease is told what it would have been told without."""
    leases, (verdict, charge) = taken(policy, used=4)
    plain = MemoryStore()
    for _ in range(4):
        plain.decide([(policy, b"k", 1)], START_US, EPOCH_US)
    assert verdict == plain.decide([(policy, b"k", 1)], START_US, EPOCH_US).verdicts[0]
    assert charge == LeasedCharge(policy, b"k", 1, 1)
    later_us = 1_500_000
    spent = leases.spend(policy, b"k", 2, later_us)
    assert spent is not None
    assert spent[0] == plain.decide([(policy, b"k", 2)], START_US + later_us, EPOCH_US + later_us).verdicts[0]


def test_lapses_as_the_allowance_fills() -> None:
    """Units beside a full allowance would be more than the burst: of an idle key one lapses with each interval."""
    for seconds, expected in ((0, 7), (1, 7), (2, 6), (6, 2), (7, 1), (8, 0)):
        leases, _ = taken(GCRA)
        assert left(leases, GCRA, seconds * S) == expected


def test_ends() -> None:
    """However much has to fill up yet, a lease ends after the interval times its units."""
    leases, _ = taken(GCRA, used=12)
    assert leases.spend(GCRA, b"k", 1, 8 * S - 1) is not None
    assert leases.spend(GCRA, b"k", 1, 8 * S) is None


def test_ends_with_the_window() -> None:
    """Of a calendar, a lease is good until its window ends."""
    leases, (verdict, _) = taken(DAY)
    assert leases.spend(DAY, b"k", 1, verdict.reset_us - 1) is not None
    assert leases.spend(DAY, b"k", 1, verdict.reset_us) is None


@pytest.mark.parametrize("policy", [GCRA, DAY], ids=["gcra", "calendar"])
def test_latency(policy: Policy) -> None:
    """When the store charged is not known: the lease ends as if it had been at the earliest."""
    leases, _ = taken(policy, took_us=3_000)
    exact, (verdict, _) = taken(policy)
    end_us = 7 * S if policy is GCRA else verdict.reset_us - 3_000
    assert (left(leases, policy, end_us - 1), left(leases, policy, end_us)) == ((1, 0) if policy is GCRA else (7, 0))
    assert left(exact, policy, end_us - 1) > 0


def test_cost() -> None:
    """A request that costs more than is left spends nothing."""
    leases, _ = taken(GCRA)
    assert leases.spend(GCRA, b"k", 8, 0) is None
    assert leases.spend(GCRA, b"k", 7, 0) is not None
    assert leases.spend(GCRA, b"k", 1, 0) is None


def test_given_back() -> None:
    """What was spent in vain is there again, as far as it has not lapsed."""
    leases, (_, charge) = taken(GCRA)
    assert left(leases, GCRA, 0) == 7
    leases.give_back(charge)
    assert left(leases, GCRA, 0) == 1
    leases.give_back(charge)
    assert left(leases, GCRA, 8 * S - 1) == 0


def test_given_back_to_another() -> None:
    """What was spent of a lease that is displaced lapses with it."""
    leases, (_, charge) = taken(GCRA)
    taken(GCRA, leases=leases)
    leases.give_back(charge)
    leases.give_back(LeasedCharge(GCRA, b"j", 1, 7))
    assert left(leases, GCRA, 0) == 7


def test_wanted() -> None:
    """Never more than the burst is taken, and none where a request costs as much, or in shadow mode."""
    leases = Leases()
    assert leases.wanted(GCRA, b"k", 1) == 8
    small = Policy(name="s", requests=1, per_us=S, burst=5, key=("ip",), lease=8)
    assert leases.wanted(small, b"k", 1) == 5
    assert leases.wanted(GCRA, b"k", 8) == 8
    assert leases.wanted(GCRA, b"k", 9) == 9
    shadow = Policy(name="s", requests=1, per_us=S, burst=5, key=("ip",), lease=5, shadow=True)
    assert leases.wanted(shadow, b"k", 1) == 1


@pytest.mark.parametrize("algorithm", [Algorithm.SLIDING_LOG, Algorithm.CONCURRENCY])
def test_not_leased(algorithm: Algorithm) -> None:
    """A log counts a request from when it comes, and a place is held from then: neither can be taken before."""
    per_us = S if algorithm is Algorithm.SLIDING_LOG else 0
    policy = Policy(name="p", requests=9, per_us=per_us, burst=9, key=("ip",), algorithm=algorithm, lease=8)
    assert Leases().wanted(policy, b"k", 1) == 1


def test_one_at_a_time() -> None:
    """While a lease is being taken, others ask for what they need."""
    leases = Leases()
    leases.begin(GCRA, b"k")
    assert leases.wanted(GCRA, b"k", 1) == 1
    assert leases.wanted(GCRA, b"j", 1) == 8
    leases.end(GCRA, b"k")
    leases.end(GCRA, b"k")
    assert leases.wanted(GCRA, b"k", 1) == 8
