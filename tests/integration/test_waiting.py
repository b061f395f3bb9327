"""Waiting for a limit, on virtual time: who is served when, and what becomes of those who are not."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from gateway.edge.limiting.room import Waiting
from gateway.edge.limiting.waiting import WaitingRooms
from gateway.limits import Ask, Charge, Decision, Policy, Verdict
from gateway.limits.policy import Algorithm
from gateway.limits.stores import MemoryStore
from tests.integration.harness import LoopClock
from tests.integration.loops import in_virtual_time
from tests.integration.pools import turns

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from gateway.limits.queue import Client

SECOND_US = 1_000_000
Ended = tuple[str, bool, float]
"""Whose request it was, whether it was admitted, and when that was decided, in seconds."""


def policy(name: str = "p", *, max_wait_s: float = 2.0, **more: object) -> Policy:
    """Return a policy that admits one at once and then one every 100 ms."""
    values: dict[str, object] = {"requests": 10, "per_us": SECOND_US, "burst": 1, "key": ("ip",), "queue": 100}
    return Policy(name=name, max_wait_us=int(max_wait_s * SECOND_US), **(values | more))  # type: ignore[arg-type]


class Gate:
    """Admission, as the gateway does it, over a memory store that counts how often it is asked."""

    def __init__(self, max_rooms: int = 10) -> None:
        """Begin with nothing charged."""
        self.clock = LoopClock()
        self.store = MemoryStore()
        self.rooms = WaitingRooms(self.clock, max_rooms)
        self.asked = 0
        self.given_back: list[Charge] = []
        self.ended: list[Ended] = []
        self.when_asked: dict[int, Callable[[], object]] = {}
        """What happens as soon as it was asked so often."""

    def now_us(self) -> int:
        """Return the time."""
        return round(self.clock.monotonic_s() * SECOND_US)

    def decide(self, asks: Sequence[Ask]) -> Decision | asyncio.Future[Decision]:
        """Ask the store."""
        self.asked += 1
        asyncio.get_running_loop().call_soon(self.when_asked.get(self.asked, bool))
        return self.store.decide(asks, self.now_us(), 0)

    def give_back(self, charges: tuple[Charge, ...]) -> None:
        """Refund."""
        self.given_back += charges
        self.store.refund(charges, self.now_us(), 0)

    async def request(self, client: Client, *asks: Ask) -> Decision:
        """Ask for one request, and wait if it must; note how it ended."""
        decision = await self._decision(client, asks)
        name = client if isinstance(client, str) else client.decode()
        self.ended.append((name, decision.admitted, round(self.clock.monotonic_s(), 3)))
        return decision

    async def _decision(self, client: Client, asks: Sequence[Ask]) -> Decision:
        again = lambda: self.decide(asks)  # noqa: E731 - what admission hands over is a function of nothing
        if self.rooms.occupied(asks):
            answer = self.rooms.enter(again, client, asks, self.give_back)
        else:
            first = self.decide(asks)
            decision = first if isinstance(first, Decision) else await first
            answer = decision if decision.admitted else self.rooms.enter(again, client, asks, self.give_back, decision)
        return await answer if isinstance(answer, Waiting) else answer

    def begin(self, client: Client, *asks: Ask) -> asyncio.Task[Decision]:
        """Begin a request."""
        return asyncio.get_running_loop().create_task(self.request(client, *asks))


async def at(when_s: float) -> None:
    """Wait until a moment."""
    await asyncio.sleep(when_s - asyncio.get_running_loop().time())


def told_s(decision: Decision) -> float:
    """Return the wait that a refused client is told, in seconds."""
    assert decision.tightest is not None
    return round(decision.tightest.retry_after_us / SECOND_US, 3)


@in_virtual_time
async def test_a_crowd_is_admitted_at_the_policys_own_moments() -> None:
    """One now and one every 100 ms, each at its moment; who could not be in time is refused at once, with its wait."""
    gate, ask = Gate(), (policy(max_wait_s=0.4), b"k", 1)
    tasks = [gate.begin(b"a", ask) for _ in range(7)]
    decisions = await asyncio.gather(*tasks)
    assert gate.ended == [
        ("a", True, 0.0),
        ("a", False, 0.0),
        ("a", False, 0.0),
        *[("a", True, when_s) for when_s in (0.1, 0.2, 0.3, 0.4)],
    ]
    assert [told_s(one) for one in decisions if not one.admitted] == [0.5, 0.5]
    assert len(gate.rooms) == 0


@in_virtual_time
async def test_a_burst_passes_at_once_and_the_rest_in_turn() -> None:
    """The example of docs/how-to/limit-clients.md: of 41 requests 20 at once, 20 within 2 s, and one not at all."""
    gate, ask = Gate(), (policy(burst=20), b"k", 1)
    await asyncio.gather(*[gate.begin("a", ask) for _ in range(41)])
    assert Counter(when_s for _, admitted, when_s in gate.ended if admitted) == {
        0.0: 20,
        **{round(0.1 * number, 1): 1 for number in range(1, 21)},
    }
    assert [when_s for _, admitted, when_s in gate.ended if not admitted] == [0.0]


@in_virtual_time
async def test_a_crowd_does_not_hammer_the_store() -> None:
    """Each asks once, when it is its turn."""
    gate, ask = Gate(), (policy(max_wait_s=9), b"k", 1)
    await asyncio.gather(*[gate.begin(b"a", ask) for _ in range(50)])
    assert [admitted for _, admitted, _ in gate.ended] == [True] * 50
    assert gate.ended[-1][2] == 4.9
    assert gate.asked == 51, "but for the one that had to be refused first"


@in_virtual_time
async def test_three_clients_are_served_evenly() -> None:
    """Whatever each of them brings."""
    gate, ask = Gate(), (policy(max_wait_s=9), b"k", 1)
    tasks = [gate.begin(name, ask) for name, number in (("a", 30), ("b", 5), ("c", 5)) for _ in range(number)]
    await at(1.55)
    assert Counter(name for name, _, _ in gate.ended) == {"a": 6, "b": 5, "c": 5}
    await asyncio.gather(*tasks)
    assert all(admitted for _, admitted, _ in gate.ended)


@in_virtual_time
async def test_a_newcomer_does_not_overtake() -> None:
    """Even one that costs less, and that the policy would have let through, goes into the room, behind the others."""
    gate, limit = Gate(), policy(burst=3)
    await gate.request("a", (limit, b"k", 2))
    first = gate.begin("a", (limit, b"k", 3))
    await turns()
    assert gate.rooms.occupied([(limit, b"k", 1)])
    assert not gate.rooms.occupied([(limit, b"other", 1)])
    second = gate.begin("b", (limit, b"k", 1))
    await asyncio.gather(first, second)
    assert gate.ended == [("a", True, 0.0), ("a", True, 0.2), ("b", True, 0.3)]
    assert not gate.rooms.occupied([(limit, b"k", 1)])


@in_virtual_time
async def test_a_newcomer_waits_for_whatever_others_wait_for() -> None:
    """Even where that is not the first of its policies."""
    gate, limit, idle = Gate(), policy(burst=3), policy("idle")
    await gate.request("a", (limit, b"k", 2))
    first = gate.begin("a", (limit, b"k", 3))
    await turns()
    await asyncio.gather(first, gate.begin("b", (idle, b"k", 1), (limit, b"k", 1)))
    assert gate.ended == [("a", True, 0.0), ("a", True, 0.2), ("b", True, 0.3)]


@in_virtual_time
async def test_a_leavers_place_goes_to_the_next() -> None:
    """At once, and nobody else's changes; what waits no longer takes nothing."""
    gate, ask = Gate(), (policy(), b"k", 1)
    tasks = [gate.begin(name, ask) for name in ("a", "b", "c", "d")]
    await at(0.05)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert gate.ended == [("a", True, 0.0), ("c", True, 0.1), ("d", True, 0.2)]
    waits = gate.rooms.waits[ask[0].id]
    assert (waits.began, waits.served, waits.left, waits.gave_up, waits.now) == (3, 2, 1, 0, 0)
    assert round(waits.waited_us, -3) == 350_000


@in_virtual_time
async def test_who_leaves_in_the_moment_of_its_admission_is_given_back_its_cost() -> None:
    """It was charged, but nobody is there to use it: the next is served in its place."""
    gate, ask = Gate(), (policy(), b"k", 1)
    tasks = [gate.begin(name, ask) for name in ("a", "b", "c")]
    await at(0.05)

    gate.when_asked = {3: tasks[1].cancel}  # b is admitted then, and its task has not run yet
    await asyncio.gather(*tasks, return_exceptions=True)
    assert tasks[1].cancelled()
    assert [charge.cost for charge in gate.given_back] == [1]
    assert gate.ended == [("a", True, 0.0), ("c", True, 0.1)]


@in_virtual_time
async def test_nobody_waits_longer_than_allowed() -> None:
    """Who came in with good hope and was held up is refused when its time is over, and told what is left to wait."""
    gate, limit = Gate(), policy(max_wait_s=0.35)
    ask = (limit, b"k", 1)
    tasks = [gate.begin(name, ask) for name in ("a", "b", "b", "b")]
    await at(0.05)
    newcomers = [gate.begin(name, ask) for name in ("c", "d")]  # these have their turns before b has its second
    decisions = await asyncio.gather(*tasks, *newcomers)
    assert gate.ended == [
        ("a", True, 0.0),
        ("b", True, 0.1),
        ("c", True, 0.2),
        ("d", True, 0.3),
        ("b", False, 0.35),
        ("b", False, 0.35),
    ]
    assert told_s(decisions[2]) == 0.05
    waits = gate.rooms.waits[limit.id]
    assert (waits.began, waits.served, waits.gave_up, waits.now) == (5, 3, 2, 0)


@in_virtual_time
async def test_who_is_refused_at_its_turn_by_what_lets_nobody_wait_has_that_refusal() -> None:
    """And the turn goes to the next at the same moment."""
    gate, slow, strict = Gate(), policy("slow"), policy("strict", max_wait_s=0, requests=1)
    tasks = [
        gate.begin(name, (slow, b"k", 1), (strict, key, 1))
        for name, key in (("a", b"1"), ("b", b"2"), ("c", b"2"), ("d", b"3"))
    ]
    decisions = await asyncio.gather(*tasks)
    assert gate.ended == [("a", True, 0.0), ("b", True, 0.1), ("c", False, 0.2), ("d", True, 0.2)]
    assert decisions[2].tightest is not None
    assert decisions[2].tightest.policy is strict


@in_virtual_time
async def test_one_that_another_policy_refuses_longer_waits_for_that() -> None:
    """In all no longer than the more impatient of the two allows; meanwhile nobody behind it is held up."""
    gate, short, long = Gate(), policy("short"), policy("long", requests=2)
    await gate.request("x", (long, b"l", 1))
    tasks = [gate.begin("a", (short, b"s", 1)), gate.begin("b", (short, b"s", 1), (long, b"l", 1))]
    tasks.append(gate.begin("c", (short, b"s", 1)))
    await turns()
    assert [gate.rooms.waits[one.id].now for one in (short, long)] == [1, 1], "b is where it is refused longest"
    await asyncio.gather(*tasks)
    assert gate.ended == [("x", True, 0.0), ("a", True, 0.0), ("c", True, 0.1), ("b", True, 0.5)]


@in_virtual_time
async def test_one_moves_when_its_turn_shows_another_obstacle() -> None:
    """From the first room into the second, with the patience that is left to it."""
    gate, short, long = Gate(), policy("short"), policy("long", requests=1, max_wait_s=1.2)
    first = gate.begin("a", (short, b"s", 1))
    await turns()
    tasks = [gate.begin("b", (short, b"s", 1), (long, b"l", 1)), gate.begin("c", (short, b"s", 1))]
    await at(0.05)
    await gate.request("x", (long, b"l", 1))
    await asyncio.gather(first, *tasks)
    assert gate.ended == [("a", True, 0.0), ("x", True, 0.05), ("c", True, 0.1), ("b", True, 1.05)]
    moved = gate.rooms.waits[short.id]
    assert (moved.began, moved.moved, moved.served) == (2, 1, 1)


@in_virtual_time
async def test_moving_gives_no_new_patience() -> None:
    """One that cannot be served in the time that it began with is refused when that is known."""
    gate, short, long = Gate(), policy("short", max_wait_s=0.5), policy("long", requests=1, max_wait_s=2)
    await gate.request("a", (short, b"s", 1))
    task = gate.begin("b", (short, b"s", 1), (long, b"l", 1))
    await at(0.05)
    await gate.request("x", (long, b"l", 1))
    assert told_s(await task) == 0.95
    assert gate.ended[-1] == ("b", False, 0.1)


@in_virtual_time
async def test_hope_that_is_lost_ends_the_wait() -> None:
    """When a turn shows that the policy has been used up elsewhere, nobody waits for the rest of his time."""
    limit, waits_us = policy(), [100_000, 5 * SECOND_US]

    def decide() -> Decision:
        verdict = Verdict(limit, admitted=False, remaining=0, retry_after_us=waits_us.pop(0), reset_us=1)
        return Decision(admitted=False, verdicts=(verdict,), tightest=verdict)

    rooms = WaitingRooms(LoopClock())
    waiting = rooms.enter(decide, "a", [(limit, b"k", 1)], list, decide())
    assert isinstance(waiting, Waiting)
    assert told_s(await waiting) == 5
    assert round(asyncio.get_running_loop().time(), 3) == 0.1


@in_virtual_time
async def test_what_is_given_back_is_for_those_who_wait() -> None:
    """A refund brings their turns forward."""
    gate, limit = Gate(), policy()
    charged = await gate.request("a", (limit, b"k", 1))
    task = gate.begin("b", (limit, b"k", 1))
    await at(0.03)
    gate.rooms.freed((Charge(limit, b"nobody's", 1, 0),))
    gate.give_back(charged.charges)
    gate.rooms.freed(charged.charges)
    await task
    assert gate.ended == [("a", True, 0.0), ("b", True, 0.03)]
    gate.rooms.freed(charged.charges)
    assert len(gate.rooms) == 0


@in_virtual_time
async def test_a_newcomer_takes_the_place_of_a_greedy_clients_newest() -> None:
    """It is refused at once, with the wait that it would have had from then on."""
    gate, limit = Gate(), policy(queue=3)
    ask = (limit, b"k", 1)
    greedy = [gate.begin("a", ask) for _ in range(4)]
    await at(0.05)
    other = gate.begin("b", ask)
    await asyncio.gather(*greedy, other)
    assert gate.ended == [("a", True, 0.0), ("a", False, 0.05), ("a", True, 0.1), ("b", True, 0.2), ("a", True, 0.3)]
    assert told_s(greedy[3].result()) == 0.35


@in_virtual_time
async def test_rooms_are_bounded() -> None:
    """One key more is refused, with the wait of its policy: at once, or when others that came with it were first."""
    gate, limit = Gate(max_rooms=1), policy()

    def enter(key: bytes) -> Decision | Waiting:
        asks = [(limit, key, 1)]
        gate.decide(asks)
        refused = gate.decide(asks)
        assert isinstance(refused, Decision)
        return gate.rooms.enter(lambda: gate.decide(asks), "a", asks, gate.give_back, refused)

    async def wait(waiting: Decision | Waiting) -> Decision:
        assert isinstance(waiting, Waiting)
        return await waiting

    both = asyncio.gather(wait(enter(b"1")), wait(enter(b"2")))
    await turns()
    assert len(gate.rooms) == 1
    third = enter(b"3")
    assert isinstance(third, Decision)
    first, second = await both
    assert [(one.admitted, told_s(one)) for one in (first, second, third)] == [(True, 0), (False, 0.1), (False, 0.1)]
    assert gate.rooms.waits[limit.id].turned_away == 2
    assert len(gate.rooms) == 0


@in_virtual_time
async def test_a_policy_that_lets_nobody_wait_is_never_waited_for() -> None:
    """Its refusal is handed back as it is."""
    gate, limit = Gate(), policy(max_wait_s=0)
    decisions = await asyncio.gather(*[gate.begin("a", (limit, b"k", 1)) for _ in range(2)])
    assert [one.admitted for one in decisions] == [True, False]
    assert not gate.rooms.waits


class SlowGate(Gate):
    """A gate whose store takes its time."""

    def __init__(self, answers: Callable[[Gate, Sequence[Ask]], Coroutine[None, None, Decision]]) -> None:
        """Begin; `answers` is the store."""
        super().__init__()
        self.answers = answers
        self.under_way = 0
        self.most_under_way = 0
        self.cancelled = 0

    def decide(self, asks: Sequence[Ask]) -> Decision | asyncio.Future[Decision]:
        """Ask the store; who cancels that is given back what it cost."""
        return asyncio.ensure_future(self._decide(asks))

    async def _decide(self, asks: Sequence[Ask]) -> Decision:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self.answers(self, asks)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1

    def now(self, asks: Sequence[Ask]) -> Decision:
        """Decide now."""
        decision = super().decide(asks)
        assert isinstance(decision, Decision)
        return decision


async def _slowly(gate: Gate, asks: Sequence[Ask]) -> Decision:
    await asyncio.sleep(0.02)
    assert isinstance(gate, SlowGate)
    return gate.now(asks)


@in_virtual_time
async def test_a_store_elsewhere_is_asked_for_one_at_a_time() -> None:
    """All are served in their order, each at its moment and what the store takes."""
    gate, ask = SlowGate(_slowly), (policy(), b"k", 1)
    await gate.request("x", ask)
    first = gate.begin("a", ask)
    await at(0.045)
    await asyncio.gather(first, *[gate.begin(name, ask) for name in ("b", "c", "d")])
    assert [name for name, admitted, _ in gate.ended if admitted] == ["x", "a", "b", "c", "d"]
    assert gate.most_under_way == 1
    assert gate.ended[-1][2] <= 0.02 + 4 * (0.1 + 0.02 + 0.001)


@in_virtual_time
async def test_one_that_leaves_while_it_is_asked_for_lets_the_next_ask() -> None:
    """Its question is cancelled, so that the store gives back what it may have cost."""
    gate, ask = SlowGate(_slowly), (policy(), b"k", 1)
    await gate.request("x", ask)
    tasks = [gate.begin("a", ask)]
    await at(0.045)
    tasks.append(gate.begin("b", ask))
    await at(0.13)
    assert gate.under_way == 1
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert gate.cancelled == 1
    assert [name for name, _, _ in gate.ended] == ["x", "b"]
    assert gate.ended[-1][2] <= 0.16


@in_virtual_time
async def test_one_whose_store_stalls_waits_no_longer_for_that() -> None:
    """Its question is cancelled when its time is over."""

    async def stalls(gate: Gate, asks: Sequence[Ask]) -> Decision:
        if gate.clock.monotonic_s() > 0.05:
            await asyncio.sleep(100)
        return await _slowly(gate, asks)

    gate, ask = SlowGate(stalls), (policy(max_wait_s=0.3), b"k", 1)
    await gate.request("x", ask)
    await gate.request("a", ask)
    assert gate.ended == [("x", True, 0.02), ("a", False, 0.34)]
    assert gate.cancelled == 1
    assert gate.under_way == 0


@in_virtual_time
async def test_an_answer_that_came_when_its_client_left_is_given_back() -> None:
    """The store had decided already, and cannot give it back itself."""
    gate, ask = SlowGate(_slowly), (policy(), b"k", 1)
    answers: list[asyncio.Future[Decision]] = []
    charged = await gate.request("x", ask)
    refused = gate.now([ask])

    def ask_again() -> asyncio.Future[Decision]:
        answers.append(asyncio.get_running_loop().create_future())
        return answers[-1]

    waiting = gate.rooms.enter(ask_again, "a", [ask], gate.give_back, refused)
    assert isinstance(waiting, Waiting)

    async def wait() -> Decision:
        return await waiting

    task = asyncio.get_running_loop().create_task(wait())
    await at(0.2)
    answers[0].set_result(charged)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert gate.given_back == list(charged.charges)
    assert len(gate.rooms) == 0


@in_virtual_time
async def test_an_answer_that_comes_in_spite_of_all_is_given_back() -> None:
    """Of a store that had decided already when nobody waited any more."""
    gate, ask = SlowGate(_slowly), (policy(), b"k", 1)
    charged = await gate.request("x", ask)

    async def decides_all_the_same() -> Decision:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
        return charged

    waiting = gate.rooms.enter(decides_all_the_same, "a", [ask], gate.give_back, gate.now([ask]))
    assert isinstance(waiting, Waiting)
    assert not (await waiting).admitted
    await at(2.1)
    assert gate.given_back == list(charged.charges)


@pytest.mark.parametrize("later", [False, True])
@in_virtual_time
async def test_a_store_that_fails_fails_the_one_it_was_asked_for(later: bool) -> None:
    """It is told, and the next is asked for."""
    gate, ask = SlowGate(_slowly), (policy(), b"k", 1)
    await gate.request("x", ask)
    refused = gate.now([ask])

    async def fail() -> Decision:
        raise OSError(later)

    def fail_now() -> Decision:
        raise OSError(later)

    async def wait() -> Decision:
        waiting = gate.rooms.enter(fail if later else fail_now, "a", [ask], gate.give_back, refused)
        assert isinstance(waiting, Waiting)
        return await waiting

    task = asyncio.get_running_loop().create_task(wait())
    await turns()
    other = gate.begin("b", ask)
    with pytest.raises(OSError, match=str(later)):
        await task
    assert (await other).admitted
    assert gate.rooms.waits[ask[0].id].gave_up == 1


@in_virtual_time
async def test_a_store_that_ends_lets_nobody_hang() -> None:
    """A question that the store itself cancelled is a refusal."""
    gate, ask = Gate(), (policy(), b"k", 1)
    await gate.request("x", ask)
    refused = gate.decide([ask])
    assert isinstance(refused, Decision)

    def ends() -> asyncio.Future[Decision]:
        answer: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        answer.cancel()
        return answer

    waiting = gate.rooms.enter(ends, "a", [ask], gate.give_back, refused)
    assert isinstance(waiting, Waiting)
    assert not (await waiting).admitted
    assert gate.clock.monotonic_s() < 0.11
    assert len(gate.rooms) == 0


@in_virtual_time
async def test_an_unavailable_store_ends_the_wait() -> None:
    """Where the policy wants a refusal then, the request has it at its turn."""
    limit = policy()
    gone = Decision(admitted=False, verdicts=(), tightest=None, unavailable=True)

    async def vanishes(gate: Gate, asks: Sequence[Ask]) -> Decision:
        return gone if gate.clock.monotonic_s() > 0.1 else await _slowly(gate, asks)

    gate = SlowGate(vanishes)
    await gate.request("x", (limit, b"k", 1))
    assert await gate.request("a", (limit, b"k", 1)) is gone


@in_virtual_time
async def test_a_place_that_is_given_back_is_taken_at_once() -> None:
    """A policy of requests under way tells nobody how long; who waits looks again when one ends, and now and then."""
    places = policy("places", algorithm=Algorithm.CONCURRENCY, requests=1, per_us=0)
    held: list[Charge] = []

    def decide() -> Decision:
        free = not held
        verdict = Verdict(places, free, 0, 0 if free else SECOND_US, 0)
        charges = (Charge(places, b"k", 1, 0),) if free else ()
        held.extend(charges)
        return Decision(free, (verdict,), verdict, charges)

    rooms = WaitingRooms(LoopClock())
    asks = [(places, b"k", 1)]
    ended: list[float] = []

    async def request() -> None:
        waiting = rooms.enter(decide, "a", asks, lambda _charges: held.clear(), decide())
        decision = await waiting if isinstance(waiting, Waiting) else waiting
        assert decision.admitted
        ended.append(round(asyncio.get_running_loop().time(), 3))

    first = decide()
    task = asyncio.get_running_loop().create_task(request())
    await at(0.12)
    held.clear()
    rooms.freed(first.charges)
    await task
    task = asyncio.get_running_loop().create_task(request())
    await at(0.16)
    held.clear()  # on another machine: nobody tells
    await task
    assert ended == [0.12, 0.17]


@in_virtual_time
async def test_the_end_of_the_gateway_leaves_nothing() -> None:
    """Whoever waits is cancelled with its turn, and with the last of them the rooms and their timers are gone."""
    gate, limit = Gate(), policy()
    tasks = [gate.begin("a", (limit, key, 1)) for key in (b"1", b"2") for _ in range(4)]
    await at(0.05)
    assert len(gate.rooms) == 2
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(gate.rooms) == 0
    assert gate.rooms.waits[limit.id].now == 0
    asked = gate.asked
    await at(3)
    assert gate.asked == asked


@in_virtual_time
async def test_a_room_that_emptied_before_a_newcomer_came_in_lets_it_ask() -> None:
    """It was sent there without having asked, so it asks at once."""
    gate, ask = Gate(), (policy(), b"k", 1)
    await gate.request("x", ask)
    task = gate.begin("a", ask)
    await turns()
    newcomer = gate.rooms.enter(lambda: gate.store.decide([ask], gate.now_us(), 0), "b", [ask], gate.give_back)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(gate.rooms) == 0
    assert isinstance(newcomer, Waiting)
    assert (await newcomer).admitted
    assert round(gate.clock.monotonic_s(), 3) == 0.1


@in_virtual_time
async def test_a_crowd_that_is_due_at_once_leaves_others_their_turns() -> None:
    """A window that begins anew admits hundreds; the loop is not held up by all of them together."""
    limit = policy("log", requests=300, burst=300, queue=300)
    rooms, free, asked, turn = WaitingRooms(LoopClock()), False, 0, [0]

    def decide() -> Decision:
        nonlocal asked
        asked += 1
        if (
            free and asked == turn[0] + 1
        ):  # the first that is admitted: what is due now comes after this turn of the room
            asyncio.get_running_loop().call_soon(lambda: turn.append(asked - turn[0]))
        verdict = Verdict(limit, free, 300, 0 if free else 1_000, 0)
        return Decision(free, (verdict,), verdict)

    async def request() -> None:
        waiting = rooms.enter(decide, "a", [(limit, b"k", 1)], list, decide())
        assert isinstance(waiting, Waiting)
        assert (await waiting).admitted

    tasks = [asyncio.get_running_loop().create_task(request()) for _ in range(300)]
    await turns()
    free = True
    turn[0] = asked
    await asyncio.gather(*tasks)
    assert turn[1] == 64
