"""The guard: every request has its answer by the deadline, and a store that is away is left alone."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import StoreFailure, StoreReason
from gateway.limits import Ask, Charge, Policy
from gateway.limits.policy import OnStoreError
from gateway.limits.stores import MemoryStore
from gateway.limits.stores.guard.breaker import State
from gateway.limits.stores.guard.charges import LeasedCharge, ShareCharge
from gateway.limits.stores.guard.store import GuardedStore
from gateway.limits.stores.guard.tally import Where
from tests.policies import calendar_window, places
from tests.unit.limits.stores.guard.virtual import Guarded, guarded

MS = 1_000
S = 1_000_000
DEADLINE_US = 50 * MS


def policy(
    name: str = "p",
    burst: int = 5,
    on_store_error: OnStoreError = OnStoreError.LOCAL,
    *,
    lease: int = 0,
    shadow: bool = False,
) -> Policy:
    """Return one that gives a request back every second."""
    return Policy(
        name=name,
        requests=1,
        per_us=S,
        burst=burst,
        key=("ip",),
        on_store_error=on_store_error,
        lease=lease,
        shadow=shadow,
        costs=(("POST", 3),),
    )


LOCAL = policy("local")
REFUSE = policy("refuse", on_store_error=OnStoreError.REFUSE)
ALLOW = policy("allow", on_store_error=OnStoreError.ALLOW)
PLACES = places("c", 2)


def ask(of: Policy = LOCAL, cost: int = 1) -> Ask:
    """Ask one policy."""
    return of, b"k", cost


def away(*, replicas: int = 1) -> Guarded:
    """Return a guard whose store is gone, and the breaker open."""
    guard = guarded(replicas=replicas)
    guard.remote.failing = StoreFailure(StoreReason.REFUSED)
    other = policy("other", burst=20, on_store_error=OnStoreError.ALLOW)
    for _ in range(3):
        guard.now(ask(other))
    assert guard.store.stats().state is State.OPEN
    return guard


def where(guard: Guarded) -> dict[Where, int]:
    """Return what was counted, less what was not."""
    return {place: number for place, number in guard.store.stats().decisions.items() if number}


# With the store.


def test_store_decides() -> None:
    """The store's decision is the request's."""
    guard = guarded(there_us=MS, back_us=MS)
    deciding = guard.ask(ask(), ask(REFUSE))
    assert isinstance(deciding, asyncio.Future)
    guard.loop.advance(2 * MS)
    decision = guard.decided(deciding)
    assert decision.admitted
    assert [verdict.remaining for verdict in decision.verdicts] == [4, 4]
    assert guard.remote.calls == [[ask(), ask(REFUSE)]]
    assert list(decision.charges) == guard.remote.unrefunded
    assert where(guard) == {Where.REMOTE: 1}


def test_refused_flood() -> None:
    """After a refusal the store is not asked again until it would admit, and nobody waits."""
    guard = guarded()
    while guard.now(ask()).admitted:
        pass
    calls = len(guard.remote.calls)
    for _ in range(999):
        guard.loop.advance(MS)
        denied = guard.ask(ask())
        assert not isinstance(denied, asyncio.Future)
        assert not guard.decided(denied).admitted
    assert len(guard.remote.calls) == calls
    guard.loop.advance(MS)
    assert guard.now(ask()).admitted
    assert len(guard.remote.calls) == calls + 1
    assert where(guard) == {Where.REMOTE: 7, Where.DENIED: 999}


def test_refund_reaches_the_store() -> None:
    """What is given back is the store's to have, and the next request is asked of it."""
    guard = guarded()
    charges = guard.now(ask()).charges
    while guard.now(ask()).admitted:
        pass
    assert guard.store.refund(charges, guard.loop.now_us, guard.unix_us) == ()
    assert guard.now(ask()).admitted


def test_peek() -> None:
    """Looking charges nothing, is not counted as a decision, and asks the store even of what is denied."""
    guard = guarded()
    while guard.now(ask()).admitted:
        pass
    before = where(guard)
    looked = guard.decided(guard.store.peek([ask()], guard.loop.now_us, guard.unix_us))
    assert not looked.admitted
    assert guard.remote.peeks == 1
    assert where(guard) == before


def test_release() -> None:
    """Places are given back to the store that holds them; other charges are none of its business then."""
    guard = guarded()
    charges = guard.now(ask(), ask(PLACES)).charges
    guard.store.release(charges, guard.loop.now_us)
    assert guard.remote.released == list(charges)
    guard.store.release(guard.now(ask()).charges, guard.loop.now_us)
    assert guard.remote.released == list(charges)


def test_no_policy() -> None:
    """A request that no policy is for is admitted, and nobody is asked."""
    guard = guarded()
    assert guard.now().admitted
    assert guard.remote.calls == []


# The deadline.


def test_deadline() -> None:
    """Who waits for a store that says nothing has an answer after exactly 50 ms, by what the policy wants then."""
    guard = guarded()
    guard.remote.stalled = True
    deciding = guard.ask(ask(REFUSE))
    assert isinstance(deciding, asyncio.Future)
    guard.loop.advance(DEADLINE_US - 1)
    assert not deciding.done()
    guard.loop.advance(1)
    assert guard.decided(deciding).unavailable
    assert guard.store.stats().failures[StoreReason.TIMEOUT] == 1


def test_each_has_its_own_deadline() -> None:
    """One timer serves all, and each is answered in its own time."""
    guard = guarded()
    guard.remote.stalled = True
    first = guard.ask(ask())
    guard.loop.advance(20 * MS)
    second = guard.ask(ask())
    assert isinstance(first, asyncio.Future)
    assert isinstance(second, asyncio.Future)
    assert guard.loop.timers == 1
    guard.loop.advance(30 * MS)
    assert (first.done(), second.done()) == (True, False)
    guard.loop.advance(20 * MS)
    assert second.done()
    assert guard.loop.timers == 0


def test_one_tick() -> None:
    """Those that are due within a millisecond are answered together, none of them late."""
    guard = guarded()
    guard.remote.stalled = True
    deciding = []
    for _ in range(2):
        deciding.append(guard.ask(ask()))
        guard.loop.advance(MS - 1)
    deciding.append(guard.ask(ask(policy("other"))))
    guard.loop.advance(DEADLINE_US - 2 * (MS - 1))
    assert [isinstance(one, asyncio.Future) and one.done() for one in deciding] == [True, True, False]


def test_timer_skips_what_has_ended() -> None:
    """What was answered in time is let go of, and the timer rings for those that still wait."""
    guard = guarded()
    assert guard.now(ask()).admitted
    guard.loop.advance(10 * MS)
    guard.remote.stalled = True
    waits = guard.ask(ask())
    assert isinstance(waits, asyncio.Future)
    guard.loop.advance(49 * MS)
    assert not waits.done()
    guard.loop.advance(MS)
    assert waits.done()


def test_late_admission() -> None:
    """What the store charges after the deadline is given back."""
    guard = guarded()
    guard.remote.stalled = True
    deciding = guard.ask(ask())
    guard.loop.advance(DEADLINE_US)
    decision = guard.decided(deciding)
    assert decision.admitted
    assert isinstance(decision.charges[0], ShareCharge)
    guard.remote.resume()
    guard.loop.settle()
    assert guard.remote.unrefunded == []
    assert where(guard) == {Where.LOCAL: 1}
    assert guard.store.stats().failures[StoreReason.TIMEOUT] == 1
    assert guard.store.stats().state is State.OK


def test_late_refusal() -> None:
    """What the store refuses after the deadline is known from then on."""
    guard = guarded()
    while guard.now(ask()).admitted:
        pass
    guard.loop.advance(S)
    assert guard.now(ask()).admitted
    guard.remote.stalled = True
    guard.ask(ask())
    guard.loop.advance(DEADLINE_US)
    guard.remote.resume()
    guard.loop.settle()
    calls = len(guard.remote.calls)
    assert not guard.now(ask()).admitted
    assert len(guard.remote.calls) == calls


def test_late_failure() -> None:
    """A call that fails after its deadline has failed once, not twice."""
    guard = guarded(back_us=60 * MS)
    guard.remote.failing = StoreFailure(StoreReason.TIMEOUT)
    for _ in range(2):
        guard.ask(ask())
        guard.loop.advance(100 * MS)
    assert guard.store.stats().failures[StoreReason.TIMEOUT] == 2
    assert guard.store.stats().state is State.OK


def test_client_leaves() -> None:
    """What is charged for a client that has left is given back."""
    guard = guarded(there_us=MS, back_us=MS)
    deciding = guard.ask(ask())
    assert isinstance(deciding, asyncio.Future)
    guard.loop.advance(MS)
    deciding.cancel()
    assert len(guard.remote.unrefunded) == 1
    guard.loop.advance(MS)
    assert guard.remote.unrefunded == []
    assert where(guard) == {}


def test_client_leaves_a_stalled_store() -> None:
    """A client that leaves changes nothing in that the store did not answer."""
    guard = guarded()
    guard.remote.stalled = True
    for _ in range(3):
        deciding = guard.ask(ask())
        assert isinstance(deciding, asyncio.Future)
        deciding.cancel()
    guard.loop.advance(DEADLINE_US)
    assert guard.store.stats().state is State.OPEN
    assert where(guard) == {}


# The breaker.


def test_nobody_waits_while_it_is_open() -> None:
    """While the breaker is open, requests are decided in the same moment, and the store is not asked."""
    guard = away()
    calls = len(guard.remote.calls)
    for _ in range(999):
        guard.loop.advance(MS)
        decision = guard.ask(ask(ALLOW))
        assert not isinstance(decision, asyncio.Future)
        assert guard.decided(decision).admitted
    assert len(guard.remote.calls) == calls


def test_all_that_wait_are_answered_when_it_opens() -> None:
    """The third that fails opens the breaker, and those that came later wait no longer."""
    guard = guarded()
    guard.remote.stalled = True
    early = [guard.ask(ask(ALLOW)) for _ in range(3)]
    guard.loop.advance(40 * MS)
    late = [guard.ask(ask(ALLOW)) for _ in range(5)]
    guard.loop.advance(10 * MS)
    for deciding in early + late:
        assert isinstance(deciding, asyncio.Future)
        assert deciding.done()
    assert guard.loop.timers == 0
    guard.remote.resume()
    guard.loop.settle()
    assert guard.remote.unrefunded == []
    assert guard.store.stats().state is State.OPEN


def test_one_probe() -> None:
    """After a second one request probes, and the others do not wait for it."""
    guard = away()
    guard.remote.failing = None
    guard.remote.there_us = 10 * MS
    calls = len(guard.remote.calls)
    guard.loop.advance(S)
    probe = guard.ask(ask())
    assert isinstance(probe, asyncio.Future)
    assert guard.store.stats().state is State.PROBING
    assert not isinstance(guard.ask(ask()), asyncio.Future)
    assert len(guard.remote.calls) == calls + 1
    guard.loop.advance(10 * MS)
    assert guard.decided(probe).admitted
    assert guard.store.stats().state is State.OK
    assert guard.changes == [(State.OPEN, StoreReason.REFUSED), (State.OK, None)]


def test_doubling() -> None:
    """A store that stays away is probed after 1, 2, 4, 5 and 5 seconds, and that is told once."""
    guard = away()
    probes = []
    calls = len(guard.remote.calls)
    for second in range(1, 18):
        guard.loop.advance(S)
        guard.now(ask(ALLOW))
        if len(guard.remote.calls) > calls:
            calls = len(guard.remote.calls)
            probes.append(second)
    assert probes == [1, 3, 7, 12, 17]
    assert guard.changes == [(State.OPEN, StoreReason.REFUSED)]


def test_probe_that_is_left() -> None:
    """A probe whose client leaves is a probe all the same."""
    guard = away()
    guard.remote.failing = None
    guard.loop.advance(S)
    probe = guard.ask(ask())
    assert isinstance(probe, asyncio.Future)
    probe.cancel()
    guard.loop.settle()
    assert guard.store.stats().state is State.OK
    assert guard.remote.unrefunded == []


@pytest.mark.parametrize("failure", [ValueError("a bug"), asyncio.CancelledError()])
def test_foreign_failures(failure: BaseException) -> None:
    """Whatever else a call ends with is a failure like any other, and nobody's error."""
    guard = guarded()
    guard.remote.failing = failure
    assert guard.now(ask(REFUSE)).unavailable
    assert guard.store.stats().failures[StoreReason.OTHER] == 1


# Without the store.


@pytest.mark.parametrize(
    ("policies", "unavailable", "told"),
    [
        ([LOCAL], False, ["local"]),
        ([REFUSE], True, []),
        ([ALLOW], False, []),
        ([LOCAL, ALLOW], False, ["local"]),
        ([LOCAL, ALLOW, REFUSE], True, []),
    ],
)
def test_on_store_error(policies: list[Policy], unavailable: bool, told: list[str]) -> None:
    """One that refuses decides; else those that count here do, and those that let pass say nothing."""
    guard = away()
    before = where(guard).get(Where.ALLOWED, 0)
    decision = guard.now(*[ask(of) for of in policies])
    assert decision.unavailable is unavailable
    assert decision.admitted is not unavailable
    assert [verdict.policy.name for verdict in decision.verdicts] == told
    assert len(decision.charges) == len(told)
    place = Where.REFUSED if unavailable else Where.LOCAL if told else Where.ALLOWED
    assert where(guard)[place] == 1 + (before if place is Where.ALLOWED else 0)
    looked = guard.decided(guard.store.peek([ask(of) for of in policies], guard.loop.now_us, guard.unix_us))
    assert (looked.unavailable, len(looked.verdicts)) == (unavailable, len(told))


def test_refusing_charges_none() -> None:
    """A request that is refused since the store is away is charged nowhere."""
    guard = away()
    for _ in range(10):
        assert guard.now(ask(), ask(REFUSE)).unavailable
    assert guard.now(ask()).verdicts[0].remaining == 4


def test_shadow() -> None:
    """A policy in shadow mode refuses nobody, whatever it wants without its store."""
    guard = away()
    shadow = policy("shadow", on_store_error=OnStoreError.REFUSE, shadow=True)
    decision = guard.now(ask(), ask(shadow))
    assert decision.admitted
    assert decision.shadowed == ()
    counted = guard.now(ask(), ask(policy("counted", shadow=True)))
    assert [verdict.policy.name for verdict in counted.shadowed] == ["counted"]


def test_share() -> None:
    """Of three replicas each counts by a third, in the policy's own name; all that refuse do so together."""
    guard = away(replicas=3)
    wide = policy("wide", burst=9)
    decisions = [guard.now(ask(wide)) for _ in range(4)]
    assert [decision.admitted for decision in decisions] == [True, True, True, False]
    assert decisions[0].verdicts[0].policy is wide
    assert decisions[0].tightest == decisions[0].verdicts[0]
    assert decisions[3].verdicts[0].retry_after_us == 3 * S


def test_share_of_a_policy_that_was_configured_anew() -> None:
    """A policy of the same numbers whose costs have changed has a share of its own."""
    guard = away(replicas=5)
    assert guard.now(ask(LOCAL, 3)).admitted
    dear = Policy(name="local", requests=1, per_us=S, burst=5, key=("ip",), cost=5)
    decision = guard.now((dear, b"j", 5))
    assert decision.admitted
    assert decision.verdicts[0].policy is dear


def test_refund_and_release_here() -> None:
    """What was charged here is given back here, and the verdict is the policy's."""
    guard = away(replicas=1)
    decision = guard.now(ask(), ask(PLACES))
    assert guard.now(ask(PLACES)).admitted
    assert not guard.now(ask(PLACES)).admitted
    guard.store.release(decision.charges, guard.loop.now_us)
    assert guard.now(ask(PLACES)).admitted
    verdicts = guard.store.refund(decision.charges[:1], guard.loop.now_us, guard.unix_us)
    assert [(verdict.policy, verdict.remaining) for verdict in verdicts] == [(LOCAL, 5)]
    assert guard.remote.released == []


def test_nothing_is_merged() -> None:
    """What passed without the store is not charged to it when it is back."""
    guard = away()
    for _ in range(5):
        assert guard.now(ask()).admitted
    guard.remote.failing = None
    guard.loop.advance(S)
    assert guard.now(ask()).verdicts[0].remaining == 4


# Leases.


def test_lease() -> None:
    """Of eight requests seven ask nobody, and are told what they would be told without the lease."""
    guard = guarded()
    leased = policy("leased", burst=10, lease=8)
    remaining = [guard.now(ask(leased)).verdicts[0].remaining for _ in range(8)]
    assert remaining == [9, 8, 7, 6, 5, 4, 3, 2]
    assert len(guard.remote.calls) == 1
    assert where(guard) == {Where.REMOTE: 1, Where.LEASED: 7}
    assert [guard.now(ask(leased)).admitted for _ in range(3)] == [True, True, False]


def test_lease_that_is_refused() -> None:
    """Where there is not enough for a lease, the request is asked for alone, within the same deadline."""
    guard = guarded(there_us=20 * MS)
    leased = policy("leased", burst=10, lease=8)
    first = guard.ask(ask(leased))
    guard.loop.advance(20 * MS)
    assert guard.decided(first).admitted
    assert not isinstance(guard.ask(ask(leased, 7)), asyncio.Future)
    second = guard.ask(ask(leased))
    assert isinstance(second, asyncio.Future)
    guard.loop.advance(40 * MS)
    decision = guard.decided(second)
    assert [charge.cost for charge in decision.charges] == [1]
    assert type(decision.charges[0]) is Charge
    assert [[cost for _, _, cost in asks] for asks in guard.remote.calls] == [[8], [8], [1]]
    third = guard.ask(ask(leased))
    guard.loop.advance(9 * MS)
    guard.remote.there_us = 45 * MS
    guard.loop.advance(11 * MS)
    assert isinstance(third, asyncio.Future)
    guard.loop.advance(DEADLINE_US - 20 * MS)
    assert isinstance(guard.decided(third).charges[0], ShareCharge)


def test_lease_and_a_policy_that_refuses() -> None:
    """Where another policy refuses, a refused lease says no more than the request would be told."""
    guard = guarded()
    leased, narrow = policy("leased", burst=10, lease=8), policy("narrow", burst=3)
    guard.now(ask(leased, 3))
    guard.now(ask(leased, 5))
    guard.remote.store.decide([ask(narrow, 3)], *guard.remote.time_us)
    decision = guard.now(ask(leased), ask(narrow))
    assert [(verdict.policy.name, verdict.admitted) for verdict in decision.verdicts] == [("narrow", False)]
    assert len(guard.remote.calls) == 2


def test_lease_and_nothing_left() -> None:
    """Where not even the request's cost is left, the refusal of the lease says so, by the request's own wait."""
    guard = guarded()
    leased = policy("leased", burst=10, lease=8)
    guard.remote.store.decide([ask(leased, 10)], *guard.remote.time_us)
    decision = guard.now(ask(leased))
    assert decision.verdicts[0].retry_after_us == S
    assert len(guard.remote.calls) == 1


def test_leased_and_asked() -> None:
    """One policy out of a lease, another by the store: told in their order, and given back where they are."""
    guard = guarded()
    leased, plain, shadow = policy("leased", burst=10, lease=8), policy("plain"), policy("shadow", shadow=True)
    guard.now(ask(leased))
    decision = guard.now(ask(plain), ask(leased), ask(shadow))
    assert [verdict.policy.name for verdict in decision.verdicts] == ["plain", "leased"]
    assert [charge.policy.name for charge in decision.charges] == ["plain", "leased", "shadow"]
    assert [verdict.policy.name for verdict in decision.shadowed] == ["shadow"]
    assert guard.store.refund(decision.charges, guard.loop.now_us, guard.unix_us) == ()
    assert [charge.policy.name for charge in guard.remote.unrefunded] == ["leased"]
    assert guard.now(ask(leased)).verdicts[0].remaining == 8


def test_lease_is_kept_when_the_request_is_refused() -> None:
    """What was spent of a lease for a request that is refused, here or there, is there for the next."""
    guard = guarded()
    leased, plain = policy("leased", burst=10, lease=8), policy("plain", burst=3)
    guard.now(ask(leased))
    guard.remote.store.decide([ask(plain, 3)], *guard.remote.time_us)
    for place in (Where.REMOTE, Where.DENIED):
        before = where(guard).get(place, 0)
        assert not guard.now(ask(leased), ask(plain)).admitted
        assert where(guard)[place] == before + 1
    assert guard.now(ask(leased)).verdicts[0].remaining == 8


def test_lease_without_the_store() -> None:
    """What was leased is spent while the store is away, and kept where the request is refused then."""
    guard = guarded()
    leased, narrow = policy("leased", burst=10, lease=8), policy("narrow", burst=3)
    guard.now(ask(leased))
    guard.remote.failing = StoreFailure(StoreReason.FULL)
    assert guard.now(ask(leased), ask(REFUSE)).unavailable
    both = guard.now(ask(leased), ask(narrow, 3))
    assert [verdict.policy.name for verdict in both.verdicts] == ["leased", "narrow"]
    assert [type(charge) for charge in both.charges] == [LeasedCharge, ShareCharge]
    assert [charge.policy for charge in both.charges] == [leased, narrow]
    assert not guard.now(ask(leased), ask(narrow, 3)).admitted
    assert guard.now(ask(leased)).verdicts[0].remaining == 7


def test_lease_of_a_client_that_leaves() -> None:
    """Who leaves gives back what it had of a lease, whether the store answers or not, and the lease it asked for."""
    guard = guarded(there_us=MS)
    leased, plain = policy("leased", burst=10, lease=8), policy("plain")
    first = guard.ask(ask(leased))
    guard.loop.advance(MS)
    assert guard.decided(first).admitted
    for stalled in (False, True):
        guard.remote.stalled = stalled
        deciding = guard.ask(ask(leased), ask(plain))
        assert isinstance(deciding, asyncio.Future)
        deciding.cancel()
        guard.loop.advance(DEADLINE_US)
    guard.remote.resume()
    guard.loop.settle()
    last = guard.ask(ask(leased))
    assert guard.decided(last).verdicts[0].remaining == 8
    other = guard.ask((leased, b"j", 1))
    assert isinstance(other, asyncio.Future)
    other.cancel()
    guard.loop.advance(MS)
    assert [charge.key for charge in guard.remote.unrefunded] == [b"k"]


def test_calendar_lease() -> None:
    """A window of the calendar is leased as well, and falls back to what a request costs."""
    guard = guarded()
    day = calendar_window("day", 10, lease=8)
    decisions = [guard.now(ask(day)) for _ in range(11)]
    assert [decision.admitted for decision in decisions] == [True] * 10 + [False]
    assert [[cost for _, _, cost in asks] for asks in guard.remote.calls] == [[8], [8], [1], [8], [1], [8], [1]]


def test_one_lease_at_a_time() -> None:
    """While a lease is being taken, other requests for the key ask for themselves alone."""
    guard = guarded(there_us=MS)
    leased = policy("leased", burst=20, lease=8)
    both = [guard.ask(ask(leased)), guard.ask(ask(leased))]
    guard.loop.advance(MS)
    assert [guard.decided(deciding).admitted for deciding in both] == [True, True]
    assert [[cost for _, _, cost in asks] for asks in guard.remote.calls] == [[8], [1]]


def test_lease_that_is_not_asked_for() -> None:
    """While the breaker is open no lease is taken, and afterwards one is."""
    guard = away()
    leased = policy("leased", burst=20, lease=8)
    assert isinstance(guard.now(ask(leased)).charges[0], ShareCharge)
    guard.remote.failing = None
    guard.loop.advance(S)
    guard.now(ask(leased))
    assert guard.remote.calls[-1] == [(leased, b"k", 8)]


def test_free_requests() -> None:
    """A request that costs nothing takes nothing of a lease."""
    guard = guarded()
    leased = policy("leased", burst=20, lease=8)
    guard.now(ask(leased))
    assert guard.now(ask(leased, 0)).charges == ()
    assert [cost for _, _, cost in guard.remote.calls[-1]] == [0]


# What operators see, and the ends.


def test_stats() -> None:
    """Latencies are in their buckets, late ones too; failures and decisions are counted by kind."""
    guard = guarded()
    for back_us in (0, MS, MS + 1, 10 * MS, 49 * MS, 70 * MS):
        guard.remote.back_us = back_us
        guard.ask((LOCAL, b"%d" % back_us, 1))
        guard.loop.advance(100 * MS)
    stats = guard.store.stats()
    assert stats.latency == (2, 2, 1, 1)
    assert stats.latency_us == 131 * MS + 1
    assert stats.state is State.OK
    assert stats.failures == {**dict.fromkeys(StoreReason, 0), StoreReason.TIMEOUT: 1}
    assert stats.decisions == {**dict.fromkeys(Where, 0), Where.REMOTE: 5, Where.LOCAL: 1}
    guard.remote.back_us = 0
    guard.now(ask())
    assert stats.decisions[Where.REMOTE] == 5, "what was read stays as it was"


async def test_start_and_close() -> None:
    """It beats from the start, divides by what it hears, and at the end answers all that wait."""
    guard = guarded()
    guard.remote.replicas = 3
    await guard.store.start()
    await asyncio.sleep(0)
    assert guard.remote.beats == [b"one"]
    assert guard.store.stats().replicas == 3
    await asyncio.sleep(0)
    guard.remote.stalled = True
    deciding = guard.ask(ask(REFUSE))
    await guard.store.aclose()
    assert guard.decided(deciding).unavailable
    assert guard.remote.closed


async def test_default_timer() -> None:
    """Unless told otherwise, the timer is the running loop's."""
    guard = guarded()
    guard.remote.stalled = True
    guard.remote.loop = asyncio.get_running_loop()
    guard.loop.now_us = DEADLINE_US
    store = GuardedStore(guard.remote, MemoryStore(), guard.loop, replica=b"one")
    deciding = store.decide([ask(REFUSE)], 0, 0)
    assert isinstance(deciding, asyncio.Future)
    assert (await deciding).unavailable


@pytest.mark.parametrize(("heard", "counted"), [(1, 4), (9, 9)])
async def test_replicas_that_are_known_count_before_they_beat(heard: int, counted: int) -> None:
    """Processes of one port start together: the first of them hears of itself alone."""
    guard = guarded(replicas=4)
    guard.remote.replicas = heard
    await guard.store.start()
    await asyncio.sleep(0)
    assert guard.remote.beats == [b"one"]
    assert guard.store.stats().replicas == counted
    await guard.store.aclose()
