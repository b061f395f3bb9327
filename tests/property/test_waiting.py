"""Waiting: the queue as a machine beside a plain model, and what is told of a wait against GCRA itself."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.limits import Policy
from gateway.limits.gcra import take
from gateway.limits.patience import Due
from gateway.limits.queue import Client, FairQueue, Place

INTERVAL_US = 1_000
CLIENTS: tuple[Client, ...] = (b"a", b"b", "c", "d")
EPOCH_US = 1_000_000

clients = st.sampled_from(CLIENTS)


def policy(queue: int, burst: int = 3) -> Policy:
    """Return a policy that admits one a millisecond."""
    return Policy(
        name="p", requests=1_000, per_us=1_000 * INTERVAL_US, burst=burst, key=("ip",), queue=queue, max_wait_us=1
    )


class Waiter(NamedTuple):
    """One who waits, in the model."""

    number: int
    client: Client
    units: int
    until_us: int


class Model:
    """A list for each client, and the clients in the order of their turns. Everything is found by looking at it all."""

    def __init__(self, bound: int) -> None:
        """Begin empty."""
        self.bound = bound
        self.lines: list[tuple[Client, list[Waiter]]] = []

    @property
    def waiting(self) -> list[Waiter]:
        """Return all of them."""
        return [waiter for _, line in self.lines for waiter in line]

    def count(self, client: Client) -> int:
        """Count a client's."""
        return sum(waiter.client == client for waiter in self.waiting)

    def order(self) -> list[Waiter]:
        """Return all in the order in which they will be served."""
        rounds = max((len(line) for _, line in self.lines), default=0)
        return [line[number] for number in range(rounds) for _, line in self.lines if number < len(line)]

    def add(self, waiter: Waiter) -> None:
        """Put one at its client's end."""
        for client, line in self.lines:
            if client == waiter.client:
                line.append(waiter)
                return
        self.lines.append((waiter.client, [waiter]))

    def remove(self, waiter: Waiter, *, served: bool) -> None:
        """Take one out; where it was served, its client goes last."""
        for one in self.lines:
            if waiter in one[1]:
                one[1].remove(waiter)
                if served:
                    self.lines.remove(one)
                    self.lines.append(one)
                break
        self.lines = [one for one in self.lines if one[1]]


class QueueMachine(RuleBasedStateMachine):
    """The queue and its model."""

    @initialize(bound=st.integers(1, 6))
    def begin(self, bound: int) -> None:
        """Begin empty."""
        self.queue: FairQueue[Waiter] = FairQueue(policy(bound))
        self.model = Model(bound)
        self.places: dict[Waiter, Place[Waiter]] = {}
        self.now_us = EPOCH_US
        self.number = 0

    @rule(client=clients, units=st.integers(1, 3), patience_us=st.integers(0, 12_000), retry_us=st.integers(0, 2_000))
    def come(self, client: Client, units: int, patience_us: int, retry_us: int) -> None:
        """It gets a place unless it could not be served in time, or the queue is full and nobody is greedier."""
        self.number += 1
        waiter = Waiter(self.number, client, units, self.now_us + patience_us)
        after = Model(self.model.bound)
        after.lines = [(name, list(line)) for name, line in self.model.lines]
        after.add(waiter)
        order = after.order()
        wait_us = retry_us + INTERVAL_US * sum(one.units for one in order[: order.index(waiter)])
        greatest = max((self.model.count(one) for one in CLIENTS), default=0)
        full = len(self.model.waiting) == self.model.bound
        fits = not full or greatest >= self.model.count(client) + 2
        offer = self.queue.offer(
            client, units, waiter, now_us=self.now_us, retry_after_us=retry_us, until_us=waiter.until_us
        )
        assert offer.wait_us == wait_us
        assert (offer.place is not None) == (fits and wait_us <= patience_us)
        if offer.place is None:
            assert offer.displaced is None
            return
        assert (offer.displaced is not None) == full
        if offer.displaced is not None:
            gone = offer.displaced.item
            assert self.model.count(gone.client) == greatest
            assert gone == max(one for one in self.model.waiting if one.client == gone.client)
            self.model.remove(gone, served=False)
            del self.places[gone]
        self.places[waiter] = offer.place
        self.model.add(waiter)

    @precondition(lambda self: self.places)
    @rule()
    def serve(self) -> None:
        """The head is served."""
        head = self.queue.head()
        assert head is not None
        self.queue.serve(head)
        self.model.remove(head.item, served=True)
        del self.places[head.item]

    @precondition(lambda self: self.places)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Any one leaves."""
        waiter = data.draw(st.sampled_from(sorted(self.places)), label="who leaves")
        self.queue.leave(self.places.pop(waiter))
        self.model.remove(waiter, served=False)

    @rule(gap_us=st.integers(0, 5_000))
    def time_passes(self, gap_us: int) -> None:
        """Those go whose time has come, and nobody else."""
        self.now_us += gap_us
        gone = [place.item for place in self.queue.expired(self.now_us)]
        assert sorted(gone) == sorted(one for one in self.model.waiting if one.until_us <= self.now_us)
        for waiter in gone:
            self.model.remove(waiter, served=False)
            del self.places[waiter]

    @invariant()
    def agrees(self) -> None:
        """The bound holds, and the head and the next deadline are the model's."""
        if not hasattr(self, "queue"):
            return
        waiting = self.model.waiting
        assert len(self.queue) == len(waiting) <= self.model.bound
        head = self.queue.head()
        assert ([] if head is None else [head.item]) == self.model.order()[:1]
        assert self.queue.next_expiry_us() == min((one.until_us for one in waiting), default=None)


TestQueue = QueueMachine.TestCase


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 60), st.integers(0, 2**31))
def test_turns(numbers: list[int], served: int, chance: int) -> None:
    """Of clients who always have somebody waiting none is served more than once more often than another."""
    queue: FairQueue[int] = FairQueue(policy(1_000))
    counts = dict.fromkeys(range(len(numbers)), 0)

    def come(client: int) -> None:
        queue.offer(str(client), 1, client, now_us=0, retry_after_us=0, until_us=10**12)

    for client, number in enumerate(numbers):
        for _ in range(number):
            come(client)
    for step in range(served):
        head = queue.head()
        assert head is not None
        queue.serve(head)
        counts[head.item] += 1
        come(head.item)
        if (chance >> (step % 31)) & 1:  # whoever brings more is not served more often
            come(0)
        assert max(counts.values()) - min(counts.values()) <= 1


@given(
    burst=st.integers(1, 5),
    ahead_us=st.integers(0, 20_000),
    others=st.lists(st.tuples(clients, st.integers(1, 5)), max_size=8),
    newcomer=st.tuples(clients, st.integers(1, 5)),
    patience_us=st.integers(0, 30_000),
)
def test_hope(
    burst: int,
    ahead_us: int,
    others: list[tuple[Client, int]],
    newcomer: tuple[Client, int],
    patience_us: int,
) -> None:
    """Nobody is turned away whom GCRA would have admitted in time, and nobody let in whom it would not."""
    limit, now_us = policy(1_000, burst), EPOCH_US
    tat_us = now_us + limit.tau_us + ahead_us  # so that even one has to wait
    queue: FairQueue[str] = FairQueue(limit)
    due = Due(limit, now_us)
    _, verdict = take(tat_us, now_us, 1, limit)
    due.told(verdict, 1, now_us)
    for client, units in others:
        units = min(units, burst)  # noqa: PLW2901 - one over the burst cannot be asked for
        retry_us = due.at_us(units) - now_us
        assert queue.offer(client, units, "other", now_us=now_us, retry_after_us=retry_us, until_us=10**12).place
    client, units = newcomer[0], min(newcomer[1], burst)
    until_us = now_us + patience_us
    retry_us = due.at_us(units) - now_us
    offer = queue.offer(client, units, "new", now_us=now_us, retry_after_us=retry_us, until_us=until_us)
    if offer.place is None:  # see when it would have been served
        queue.offer(client, units, "new", now_us=now_us, retry_after_us=retry_us, until_us=10**12)
    asked = 0
    while (head := queue.head()) is not None:
        at_us = max(due.at_us(head.units), now_us)
        assert at_us == now_us or not take(tat_us, at_us - 1, head.units, limit)[1].admitted, "it asks in time"
        now_us = at_us
        tat_us, verdict = take(tat_us, now_us, head.units, limit)
        due.told(verdict, head.units, now_us)
        asked += 1
        assert verdict.admitted, "and nobody asks too early"
        queue.serve(head)
        if head.item == "new":
            break
    assert asked <= len(others) + 1
    assert offer.wait_us == now_us - EPOCH_US
    assert (offer.place is not None) == (now_us <= until_us)
