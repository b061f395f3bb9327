"""The store in memory: all or none, bounded, and forgetful only of what no longer counts."""

from __future__ import annotations

from dataclasses import replace

from gateway.limits import Decision, Policy
from gateway.limits.policy import PERIOD_US, Period
from gateway.limits.stores import MemoryStore
from tests.policies import calendar_window, places, sliding_log

NOW_US = 10**12
TWO = Policy(name="two", requests=1, per_us=1_000_000, burst=2, key=("ip",))
FIVE = Policy(name="five", requests=1, per_us=1_000_000, burst=5, key=("upstream",))

DAY_US = PERIOD_US[Period.DAY]
DAY = calendar_window("day", 2)
PLACES = places("places", 2)
LOG = sliding_log("log", 2)
MIDNIGHT_US = 20_000 * DAY_US


def remaining(decision: Decision) -> list[int]:
    """Return what each policy has left."""
    return [verdict.remaining for verdict in decision.verdicts]


def test_no_policy() -> None:
    """A request that no policy is for is admitted, and there is nothing to tell of it."""
    assert MemoryStore().decide((), NOW_US, NOW_US) == Decision(admitted=True, verdicts=(), tightest=None)


def test_one_policy() -> None:
    """A burst passes, then nothing, then one after the time that was said."""
    store = MemoryStore()
    decisions = [store.decide([(TWO, b"a", TWO.cost)], NOW_US, NOW_US) for _ in range(3)]
    assert [decision.admitted for decision in decisions] == [True, True, False]
    assert decisions[2].tightest == decisions[2].verdicts[0]
    assert decisions[2].verdicts[0].retry_after_us == 1_000_000
    assert not store.decide([(TWO, b"a", TWO.cost)], NOW_US + 999_999, NOW_US).admitted
    assert store.decide([(TWO, b"a", TWO.cost)], NOW_US + 1_000_000, NOW_US).admitted


def test_keys_are_apart() -> None:
    """One key's requests are no other's, nor another policy's."""
    store = MemoryStore()
    for _ in range(2):
        assert store.decide([(TWO, b"a", TWO.cost)], NOW_US, NOW_US).admitted
    assert store.decide([(TWO, b"b", TWO.cost)], NOW_US, NOW_US).admitted
    assert store.decide([(FIVE, b"a", FIVE.cost)], NOW_US, NOW_US).admitted
    assert not store.decide([(TWO, b"a", TWO.cost)], NOW_US, NOW_US).admitted
    assert len(store) == 3


def test_all_or_none() -> None:
    """When one policy refuses, none is charged, and the others show what they still have."""
    store = MemoryStore()
    both = [(FIVE, b"u", FIVE.cost), (TWO, b"a", TWO.cost)]
    assert remaining(store.decide(both, NOW_US, NOW_US)) == [4, 1]
    assert remaining(store.decide(both, NOW_US, NOW_US)) == [3, 0]
    refused = store.decide(both, NOW_US, NOW_US)
    assert not refused.admitted
    assert refused.tightest == refused.verdicts[1]
    assert [verdict.admitted for verdict in refused.verdicts] == [True, False]
    assert remaining(refused) == [3, 0]
    assert remaining(store.decide([(FIVE, b"u", FIVE.cost)], NOW_US, NOW_US)) == [2]


def test_tightest_of_several() -> None:
    """Of policies that all admit, the one with the least left is the tightest."""
    decision = MemoryStore().decide([(FIVE, b"u", FIVE.cost), (TWO, b"a", TWO.cost)], NOW_US, NOW_US)
    assert decision.admitted
    assert decision.tightest == decision.verdicts[1]


def test_cost_of_the_policy() -> None:
    """A policy may count a request for more than one."""
    dear = Policy(name="dear", requests=1, per_us=1_000_000, burst=5, key=("ip",), cost=2)
    store = MemoryStore()
    assert remaining(store.decide([(dear, b"a", dear.cost)], NOW_US, NOW_US)) == [3]
    assert remaining(store.decide([(dear, b"a", dear.cost)], NOW_US, NOW_US)) == [1]
    assert not store.decide([(dear, b"a", dear.cost)], NOW_US, NOW_US).admitted


def test_clock_goes_back() -> None:
    """Time stands still until a clock that went back has caught up."""
    store = MemoryStore()
    for _ in range(2):
        store.decide([(TWO, b"a", TWO.cost)], NOW_US, NOW_US)
    refused = store.decide([(TWO, b"a", TWO.cost)], NOW_US - 50_000_000, NOW_US)
    assert not refused.admitted
    assert refused.verdicts[0].retry_after_us == 1_000_000


def test_keys_that_count_are_kept() -> None:
    """A key outlives its generation: a blocked client stays blocked for as long as it was told."""
    slow = Policy(name="slow", requests=1, per_us=10_000_000, burst=1, key=("ip",))
    store = MemoryStore()
    store.decide([(slow, b"other", slow.cost)], NOW_US, NOW_US)
    store.decide([(slow, b"a", slow.cost)], NOW_US + 9_999_999, NOW_US)
    store.decide([(slow, b"another", slow.cost)], NOW_US + 10_000_000, NOW_US)
    assert not store.decide([(slow, b"a", slow.cost)], NOW_US + 19_999_998, NOW_US).admitted
    assert store.decide([(slow, b"a", slow.cost)], NOW_US + 19_999_999, NOW_US).admitted
    assert len(store) == 3


def test_keys_that_are_full_again_are_dropped() -> None:
    """After two refill times without a request nothing of a key is held."""
    store = MemoryStore()
    for number in range(100):
        store.decide([(TWO, b"%d" % number, TWO.cost)], NOW_US, NOW_US)
    store.decide([(TWO, b"a", TWO.cost)], NOW_US + TWO.tau_us, NOW_US)
    assert len(store) == 101
    store.decide([(TWO, b"a", TWO.cost)], NOW_US + 2 * TWO.tau_us, NOW_US)
    assert len(store) == 1


def test_all_is_dropped_after_a_pause() -> None:
    """After a pause in which both generations became full again, both go at once."""
    store = MemoryStore()
    for number in range(100):
        store.decide([(TWO, b"%d" % number, TWO.cost)], NOW_US, NOW_US)
    store.decide([(TWO, b"a", TWO.cost)], NOW_US + 2 * TWO.tau_us, NOW_US)
    assert len(store) == 1


def test_overflow() -> None:
    """When the table is full, principals that were never seen share one key under the policy's own limit."""
    store = MemoryStore(max_keys=3)
    for key in (b"a", b"b", b"c"):
        assert store.decide([(TWO, key, TWO.cost)], NOW_US, NOW_US).admitted
    assert store.decide([(TWO, b"d", TWO.cost)], NOW_US, NOW_US).admitted
    assert store.decide([(TWO, b"e", TWO.cost)], NOW_US, NOW_US).admitted
    assert not store.decide([(TWO, b"f", TWO.cost)], NOW_US, NOW_US).admitted
    assert store.decide([(TWO, b"a", TWO.cost)], NOW_US, NOW_US).admitted, "a live key keeps its own count"
    assert not store.decide([(TWO, b"a", TWO.cost)], NOW_US, NOW_US).admitted, (
        "and is not forgotten for the others' sake"
    )
    assert len(store) == 4


def test_overflow_is_of_one_policy() -> None:
    """A flood of keys under one policy does not push those of another together."""
    store = MemoryStore(max_keys=1)
    store.decide([(TWO, b"a", TWO.cost), (FIVE, b"u", FIVE.cost)], NOW_US, NOW_US)
    for number in range(5):
        store.decide([(TWO, b"%d" % number, TWO.cost)], NOW_US, NOW_US)
    assert remaining(store.decide([(FIVE, b"u", FIVE.cost)], NOW_US, NOW_US)) == [3]


def test_room_comes_back() -> None:
    """Once the old keys are full again, new ones have counts of their own."""
    store = MemoryStore(max_keys=2)
    for key in (b"a", b"b", b"c"):
        store.decide([(TWO, key, TWO.cost)], NOW_US, NOW_US)
    later_us = NOW_US + 2 * TWO.tau_us
    assert remaining(store.decide([(TWO, b"c", TWO.cost)], later_us, NOW_US)) == [1]
    assert remaining(store.decide([(TWO, b"d", TWO.cost)], later_us, NOW_US)) == [1]


def test_a_refund_gives_back_what_was_charged() -> None:
    """Under every policy; the verdicts say so."""
    store = MemoryStore()
    both = [(FIVE, b"u", FIVE.cost), (TWO, b"a", TWO.cost)]
    store.decide(both, NOW_US, NOW_US)
    decision = store.decide(both, NOW_US, NOW_US)
    assert remaining(decision) == [3, 0]
    assert [verdict.remaining for verdict in store.refund(decision.charges, NOW_US, NOW_US)] == [4, 1]
    assert store.decide([(TWO, b"a", TWO.cost)], NOW_US, NOW_US).admitted


def test_a_refused_request_has_nothing_to_be_given_back() -> None:
    """It was charged nothing."""
    store = MemoryStore()
    for _ in range(2):
        store.decide([(TWO, b"a", TWO.cost)], NOW_US, NOW_US)
    assert store.decide([(TWO, b"a", TWO.cost)], NOW_US, NOW_US).charges == ()


def test_a_charge_that_lapsed_is_not_given_back() -> None:
    """Time gave it back already, and its key may be forgotten or charged for others by then."""
    store = MemoryStore()
    decision = store.decide([(TWO, b"a", TWO.cost)], NOW_US, NOW_US)
    later_us = NOW_US + 10_000_000
    store.decide([(TWO, b"a", TWO.cost)], later_us, NOW_US)
    assert store.refund(decision.charges, later_us, NOW_US)[0].remaining == 1


def test_a_look_keeps_no_key() -> None:
    """Neither a request that costs nothing nor a peek is remembered."""
    store = MemoryStore()
    assert store.decide([(TWO, b"a", 0)], NOW_US, NOW_US).charges == ()
    assert store.decide([(TWO, b"a", 0), (FIVE, b"a", 0)], NOW_US, NOW_US).charges == ()
    assert store.decide([(DAY, b"a", 0)], NOW_US, NOW_US).admitted
    seen = store.peek([(TWO, b"a", 1), (PLACES, b"a", 2)], NOW_US, NOW_US)
    assert (seen.admitted, remaining(seen), seen.charges) == (True, [1, 0], ())
    assert len(store) == 0


def test_a_day_is_kept_whole() -> None:
    """However long nobody asks, what is used of a day is used until midnight; then all keys go at once."""
    store = MemoryStore()
    store.decide([(DAY, b"a", 2)], NOW_US, MIDNIGHT_US)
    store.decide([(DAY, b"b", 2)], NOW_US, MIDNIGHT_US)
    late_us = MIDNIGHT_US + DAY_US - 1
    assert not store.decide([(DAY, b"a", 1)], NOW_US + DAY_US, late_us).admitted
    assert store.decide([(DAY, b"a", 1)], NOW_US + DAY_US, late_us + 1).admitted
    assert len(store) == 1


def test_the_wall_clock_goes_back() -> None:
    """Time stands still until it has caught up: what is used stays used, and no day begins a second time."""
    store = MemoryStore()
    store.decide([(DAY, b"a", 2)], NOW_US, MIDNIGHT_US)
    assert not store.decide([(DAY, b"a", 1)], NOW_US, MIDNIGHT_US - DAY_US).admitted
    store.decide([(DAY, b"b", 2)], NOW_US, MIDNIGHT_US - DAY_US)
    assert not store.decide([(DAY, b"b", 1)], NOW_US, MIDNIGHT_US).admitted


def test_places_are_held_until_the_end() -> None:
    """No time frees a place; the end of a request does, and the key is forgotten with its last place."""
    store = MemoryStore()
    first = store.decide([(PLACES, b"a", 1)], NOW_US, NOW_US)
    second = store.decide([(PLACES, b"a", 1), (TWO, b"a", 1)], NOW_US, NOW_US)
    much_later_us = NOW_US + 10**14
    refused = store.decide([(PLACES, b"a", 1)], much_later_us, NOW_US)
    assert (refused.admitted, refused.verdicts[0].retry_after_us) == (False, 1_000_000)
    store.release(first.charges, much_later_us)
    assert store.decide([(PLACES, b"a", 1)], much_later_us, NOW_US).admitted
    store.release((*second.charges, *first.charges), much_later_us)
    assert len(store) == 1, "only the key of the other policy"


def test_a_refund_frees_a_place() -> None:
    """A request that a later stage refuses holds none."""
    store = MemoryStore()
    decided = store.decide([(PLACES, b"a", 2)], NOW_US, NOW_US)
    assert [verdict.remaining for verdict in store.refund(decided.charges, NOW_US, NOW_US)] == [2]
    assert len(store) == 0


def test_a_charge_of_a_key_that_is_forgotten() -> None:
    """There is nothing to give back to."""
    store = MemoryStore()
    charges = store.decide([(LOG, b"a", 2)], NOW_US, NOW_US).charges
    later_us = NOW_US + 2 * LOG.tau_us
    assert [verdict.remaining for verdict in store.refund(charges, later_us, NOW_US)] == [2]
    assert len(store) == 0


def test_shadow() -> None:
    """A policy in shadow mode refuses nobody, and tells the client nothing, not even when it is given back."""
    store, shadow = MemoryStore(), replace(TWO, shadow=True)
    decisions = [store.decide([(shadow, b"a", 1)], NOW_US, NOW_US) for _ in range(3)]
    assert [decided.admitted for decided in decisions] == [True, True, True]
    assert [decided.shadowed[0].admitted for decided in decisions] == [True, True, False]
    assert [len(decided.charges) for decided in decisions] == [1, 1, 0]
    assert store.refund(decisions[0].charges, NOW_US, NOW_US) == ()
    assert store.peek([(shadow, b"a", 0)], NOW_US, NOW_US).shadowed[0].remaining == 1


def test_overflow_of_places() -> None:
    """Principals that share the overflow key give its places back."""
    store = MemoryStore(max_keys=1)
    store.decide([(PLACES, b"a", 1)], NOW_US, NOW_US)
    shared = [store.decide([(PLACES, key, 1)], NOW_US, NOW_US) for key in (b"b", b"c", b"d")]
    assert [decided.admitted for decided in shared] == [True, True, False]
    store.release(shared[0].charges, NOW_US)
    assert store.decide([(PLACES, b"d", 1)], NOW_US, NOW_US).admitted


def test_sweeping_forgets_what_counts_no_more() -> None:
    """A policy that nobody asks any more goes once all of it has lapsed; what still counts stays."""
    gone = Policy(name="gone", requests=1, per_us=1_000_000, burst=1, key=("ip",))
    stays = Policy(name="stays", requests=1, per_us=60_000_000, burst=1, key=("ip",))
    store = MemoryStore()
    for policy in (gone, stays):
        assert store.decide([(policy, b"k", 1)], 0, 0).admitted
    store.sweep(500_000, 500_000)
    assert len(store) == 2
    store.sweep(2_500_000, 2_500_000)
    assert len(store) == 1
    assert not store.decide([(stays, b"k", 1)], 2_500_000, 2_500_000).admitted
    assert store.decide([(gone, b"k", 1)], 2_500_000, 2_500_000).admitted
