"""The budget of one upstream behind policies, and the store that asks it last."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.limits import Algorithm, Decision, Policy
from gateway.limits.budget.declared import Declared
from gateway.limits.budget.held import Held
from gateway.limits.budget.values import Reserve, Scope
from gateway.limits.stores import BudgetedStore, MemoryStore
from gateway.model import Grant
from tests.unit.limits.stores.test_split import LaterStore

if TYPE_CHECKING:
    from gateway.limits import Ask

S = 1_000_000
PER_IP = Policy(name="per-ip", requests=2, per_us=60 * S, burst=2, key=("ip",))


def asks(held: Held, *more: Policy, client: bytes = b"a", chosen: bool = False) -> list[Ask]:
    """Return what a request asks of an upstream's budget, and of other policies."""
    shared: list[Ask] = [] if held.sharing is None else [(held.sharing, client, 1)]
    learned = held.chosen if chosen else held.everybody
    return [*[(policy, b"k", 1) for policy in more], *shared, (learned, b"upstream=api", 1)]


def decide(store: BudgetedStore, wanted: list[Ask], now_us: int = 0) -> Decision:
    """Decide at once."""
    found = store.decide(wanted, now_us, now_us)
    assert isinstance(found, Decision)
    return found


def told(held: Held, decision: Decision, remaining: int, now_us: int = 0) -> None:
    """Take a reply to an admitted request."""
    assert held.replied(decision.charges[-1], [Grant(0, 100, remaining, 60 * S, S)], now_us) is not None


def test_a_budget_that_is_spent_refuses_last_and_gives_the_others_back() -> None:
    """What the client's limit charged comes back; the verdict has the true wait."""
    held = Held("api")
    store = BudgetedStore(MemoryStore(), [held])
    first = decide(store, asks(held, PER_IP))
    told(held, first, 0)
    refused = decide(store, asks(held, PER_IP))
    assert not refused.admitted
    assert refused.tightest is not None
    assert (refused.tightest.policy, refused.tightest.retry_after_us) == (held.everybody, 61 * S)
    assert refused.verdicts[0].remaining == 1
    assert (held.turned_away, held.asked) == (1, 2)
    alone = decide(store, asks(held))
    assert [verdict.policy.name for verdict in alone.verdicts] == ["api"]


def test_a_policy_that_refuses_costs_the_budget_nothing() -> None:
    """It is not even asked."""
    held = Held("api")
    store = BudgetedStore(MemoryStore(), [held])
    for _ in range(2):
        assert decide(store, asks(held, PER_IP)).admitted
    assert not decide(store, asks(held, PER_IP)).admitted
    assert held.learned.in_flight == 2


def test_without_an_upstreams_budget_the_store_decides() -> None:
    """As if there were no other."""
    store = BudgetedStore(MemoryStore(), [])
    assert decide(store, [(PER_IP, b"k", 1)]).charges
    peeked = store.peek([(PER_IP, b"k", 1), *asks(Held("api"))], 0, 0)
    assert isinstance(peeked, Decision)
    assert [verdict.remaining for verdict in peeked.verdicts] == [0]


def test_what_is_given_back_was_not_sent_and_what_is_released_may_have_been() -> None:
    """Each once, with the other charges of the request."""
    held, memory = Held("api"), MemoryStore()
    store = BudgetedStore(memory, [held])
    told(held, decide(store, asks(held)), 50)
    place = Policy(name="at-once", requests=1, per_us=0, burst=1, key=("ip",), algorithm=Algorithm.CONCURRENCY)
    sent = decide(store, asks(held, place)).charges
    store.release(sent, 0)
    store.release(sent[-1:], 0)
    assert held.learned.least(0) == (49, 100)
    unsent = decide(store, asks(held, place)).charges
    assert [verdict.remaining for verdict in store.refund(unsent, 0, 0)] == [1]
    assert store.refund(unsent[-1:], 0, 0) == ()
    assert held.learned.least(0) == (49, 100)
    assert held.learned.in_flight == 0


def test_a_reply_is_taken_once() -> None:
    """Then its request is over."""
    held = Held("api")
    store = BudgetedStore(MemoryStore(), [held])
    charge = decide(store, asks(held)).charges[-1]
    ticket = held.replied(charge, [], 0, refused=True)
    assert ticket is not None
    held.limited(ticket, Scope.BUCKET, 5 * S, 0, 0.0)
    assert held.replied(charge, [], 0) is None
    refused = decide(store, asks(held)).tightest
    assert refused is not None
    assert refused.retry_after_us == 5 * S


def test_a_store_that_decides_later_is_waited_for() -> None:
    """The budget is asked when it has decided."""
    held = Held("api")
    store = BudgetedStore(LaterStore(), [held])

    async def waited() -> Decision:
        found = store.decide(asks(held, PER_IP), 0, 0)
        assert not isinstance(found, Decision)
        assert held.learned.in_flight == 0
        return await found

    assert asyncio.run(waited()).admitted
    assert held.learned.in_flight == 1


def test_the_chosen_have_the_reserve() -> None:
    """Others are refused where it begins."""
    held = Held("api", reserve=Reserve(percent=50))
    store = BudgetedStore(MemoryStore(), [held])
    told(held, decide(store, asks(held)), 30)
    assert not decide(store, asks(held)).admitted
    assert decide(store, asks(held, chosen=True)).admitted


def test_replicas_take_their_part() -> None:
    """As many as are known to live."""
    held = Held("api")
    store = BudgetedStore(MemoryStore(), [held])
    told(held, decide(store, asks(held)), 2)
    held.replicas = 3
    assert not decide(store, asks(held)).admitted


def test_who_had_more_lets_the_others_go_first() -> None:
    """With a declared budget that has nothing left."""
    held = Held("api", fair=True)
    store = BudgetedStore(MemoryStore(), [held])
    whole = Declared(name="api", scope="budget:api", requests=60, per_us=60 * S).whole()
    while decide(store, asks(held, whole)).admitted:
        pass
    assert not decide(store, asks(held, whole, client=b"b")).admitted
    yielding = decide(store, asks(held, whole), now_us=2 * S).tightest
    assert yielding is not None
    assert yielding.policy is held.sharing
    assert yielding.retry_after_us > 0
    assert decide(store, asks(held, whole, client=b"b"), now_us=2 * S).admitted


def test_a_learned_budget_is_shared_fairly_while_it_is_short() -> None:
    """Who was refused for lack of it comes first."""
    held = Held("api", fair=True)
    store = BudgetedStore(MemoryStore(), [held])
    told(held, decide(store, asks(held)), 0)
    assert not decide(store, asks(held, client=b"b"), now_us=50 * S).admitted
    assert not decide(store, asks(held), now_us=62 * S).admitted
    assert decide(store, asks(held, client=b"b"), now_us=62 * S).admitted


def test_a_client_over_its_own_limit_is_not_waited_for() -> None:
    """It was not the budget that turned it away."""
    held = Held("api", fair=True)
    store = BudgetedStore(MemoryStore(), [held])
    for _ in range(3):
        decide(store, asks(held, PER_IP, client=b"b"))
    held.after((held.sharing or held.everybody, b"a", 1), decide(store, asks(held)), 0)
    assert decide(store, asks(held)).admitted


def test_where_requests_wait_the_queue_is_fair_instead() -> None:
    """And one policy for each path where the upstream has buckets."""
    held = Held("api", by_path=True, fair=True, max_wait_us=S, queue=5)
    assert held.sharing is None
    assert [(policy.max_wait_us, policy.queue, policy.key) for policy in held.policies] == [
        (S, 5, ("upstream", "path"))
    ] * 2


def test_what_is_not_learned_is_only_shared() -> None:
    """Then it stands behind the policy of sharing alone."""
    held = Held("api", fair=True, learns=False)
    assert held.policies == (held.sharing,)
    assert not held.learns


def test_what_is_known_is_known_on_where_it_fits() -> None:
    """Configured anew, a budget goes on with what was learned, unless its windows or its paths are told otherwise."""
    before = Held("api")
    told(before, decide(BudgetedStore(MemoryStore(), [before]), asks(before)), remaining=0)
    before.replicas = 3
    after = Held("api", reserve=Reserve(percent=10), learns=True)
    after.follow(before)
    assert after.replicas == 3
    assert not decide(BudgetedStore(MemoryStore(), [after]), asks(after)).admitted
    other = Held("api", by_path=True)
    other.follow(before)
    assert other.wait_us(other.everybody, b"upstream=api", 0) == 0
