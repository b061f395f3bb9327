"""The queue of those who wait: bounded, and fair between clients."""

from __future__ import annotations

import pytest

from gateway.limits.policy import Algorithm, Period, Policy
from gateway.limits.queue import FairQueue, Offer

SECOND_US = 1_000_000
LONG_US = 10**12


def policy(queue: int = 10, requests: int = 10, algorithm: Algorithm = Algorithm.GCRA, **more: object) -> Policy:
    """Return a policy that admits one every 100 ms."""
    values: dict[str, object] = {
        "name": "p",
        "requests": requests,
        "per_us": SECOND_US,
        "key": ("ip",),
        "burst": requests,
    }
    return Policy(**(values | {"queue": queue, "max_wait_us": LONG_US, "algorithm": algorithm} | more))  # type: ignore[arg-type]


def offer(
    queue: FairQueue[str], item: str, units: int = 1, retry_after_us: int = 0, until_us: int = LONG_US
) -> Offer[str]:
    """Let `item` in, whose client is its first letter, at the time 0."""
    return queue.offer(item[0], units, item, now_us=0, retry_after_us=retry_after_us, until_us=until_us)


def serve_all(queue: FairQueue[str]) -> list[str]:
    """Serve all that wait and return them in their order."""
    served: list[str] = []
    while (head := queue.head()) is not None:
        queue.serve(head)
        served.append(head.item)
    assert len(queue) == 0
    return served


def test_one_client_is_served_first_come_first_served() -> None:
    """Within a client the order is that in which the requests came."""
    queue: FairQueue[str] = FairQueue(policy())
    for item in ("a1", "a2", "a3"):
        offer(queue, item)
    assert serve_all(queue) == ["a1", "a2", "a3"]


def test_clients_are_served_in_turn() -> None:
    """However many requests one client has there, the next one's turn comes after one of them."""
    queue: FairQueue[str] = FairQueue(policy())
    for item in ("a1", "a2", "a3", "b1", "c1", "c2"):
        offer(queue, item)
    assert serve_all(queue) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_who_comes_back_comes_after_the_others() -> None:
    """A client that was just served does not overtake by coming again."""
    queue: FairQueue[str] = FairQueue(policy())
    first = offer(queue, "a1").place
    offer(queue, "b1")
    assert first is not None
    queue.serve(first)
    offer(queue, "a2")
    assert serve_all(queue) == ["b1", "a2"]


def test_leaving_takes_no_turn_along() -> None:
    """When the head leaves, its client's next request has the turn; when its client has none, the next client."""
    queue: FairQueue[str] = FairQueue(policy())
    places = {item: offer(queue, item).place for item in ("a1", "a2", "b1", "c1", "c2")}
    for item in ("a1", "b1", "c2"):
        place = places[item]
        assert place is not None
        queue.leave(place)
        queue.leave(place)  # and who is gone already cannot leave again
    assert len(queue) == 2
    assert serve_all(queue) == ["a2", "c1"]


def test_a_full_queue_turns_away() -> None:
    """One more than the policy's `queue` is told how long it would have waited."""
    queue: FairQueue[str] = FairQueue(policy(queue=2))
    offer(queue, "a1")
    offer(queue, "b1")
    assert offer(queue, "c1", retry_after_us=5) == Offer(place=None, wait_us=200_005)
    assert offer(queue, "a2").place is None
    assert queue.is_hopeless("c", 1, now_us=0, retry_after_us=0, until_us=LONG_US)
    assert len(queue) == 2


def test_hope_is_told_before_coming_in() -> None:
    """It is hopeless exactly where an offer would be turned away; asking changes nothing."""
    queue: FairQueue[str] = FairQueue(policy(queue=2))
    offer(queue, "a1")
    told = [queue.is_hopeless("b", 1, now_us=0, retry_after_us=7, until_us=until_us) for until_us in (100_006, 100_007)]
    assert told == [True, False]
    assert len(queue) == 1


def test_a_queue_of_none_turns_everybody_away() -> None:
    """A policy may forbid to wait by its `queue` alone."""
    assert offer(FairQueue(policy(queue=0)), "a1") == Offer(place=None, wait_us=0)


def test_a_newcomer_displaces_the_newest_of_the_greediest() -> None:
    """One client cannot keep others out of a full queue; what it has waited longest for is left to it."""
    queue: FairQueue[str] = FairQueue(policy(queue=4))
    for item in ("a1", "a2", "a3", "b1"):
        offer(queue, item)
    displaced = offer(queue, "c1").displaced
    assert displaced is not None
    assert displaced.item == "a3"
    assert offer(queue, "c2").place is None, "nobody has two more than c"
    assert offer(queue, "d1").displaced is not None
    assert offer(queue, "e1").place is None, "each has one"
    assert len(serve_all(queue)) == 4


@pytest.mark.parametrize(
    ("newcomer", "before"),
    [
        ("d1", ["a1", "b1", "c1"]),
        ("a4", ["a1", "b1", "c1", "a2", "b2", "a3"]),
        ("b3", ["a1", "b1", "c1", "a2", "b2", "a3"]),
    ],
)
def test_a_wait_is_that_of_those_before_it(newcomer: str, before: list[str]) -> None:
    """The wait is the policy's own, and the interval of each unit that is served before."""
    queue: FairQueue[str] = FairQueue(policy())
    for item in ("a1", "a2", "a3", "b1", "b2", "c1"):
        offer(queue, item, units=int(item[1]))
    wait_us = 7 + sum(int(item[1]) for item in before) * 100_000
    assert queue.wait_us(newcomer[0], 1, 7) == wait_us
    assert offer(queue, newcomer, retry_after_us=7, until_us=wait_us - 1) == Offer(place=None, wait_us=wait_us)
    assert offer(queue, newcomer, retry_after_us=7, until_us=wait_us).place is not None
    served = serve_all(queue)
    assert served[: served.index(newcomer)] == before


def test_windows_give_back_all_at_once() -> None:
    """Of a log or a calendar so many as fit in a window wait equally long, and the next for another window."""
    for more in ({"algorithm": Algorithm.SLIDING_LOG}, {"algorithm": Algorithm.CALENDAR, "period": Period.MINUTE}):
        queue: FairQueue[str] = FairQueue(policy(requests=2, **more))
        waits = [offer(queue, item, retry_after_us=7).wait_us for item in ("a1", "b1", "c1", "d1", "e1")]
        assert waits == [7, 7, SECOND_US + 7, SECOND_US + 7, 2 * SECOND_US + 7]


def test_what_nobody_can_foretell_may_be_waited_for() -> None:
    """A place that requests hold may be free at any time, and so may an upstream's budget."""
    places: FairQueue[str] = FairQueue(policy(requests=1, algorithm=Algorithm.CONCURRENCY, per_us=0))
    assert [offer(places, item, retry_after_us=500, until_us=1).place is None for item in ("a1", "b1")] == [False] * 2
    budget: FairQueue[str] = FairQueue(policy(budget=True))
    assert [offer(budget, item, retry_after_us=7, until_us=7).wait_us for item in ("a1", "b1")] == [7, 7]
    assert offer(budget, "c1", retry_after_us=7, until_us=6).place is None


def test_those_go_whose_time_has_come() -> None:
    """In the order of their deadlines, whatever the order in which they came."""
    queue: FairQueue[str] = FairQueue(policy())
    for item, until_us in (("a1", 300), ("a2", 100), ("b1", 200), ("b2", 400)):
        offer(queue, item, retry_after_us=-SECOND_US, until_us=until_us)
    assert queue.next_expiry_us() == 100
    assert queue.expired(99) == []
    assert [place.item for place in queue.expired(200)] == ["a2", "b1"]
    assert queue.next_expiry_us() == 300
    assert serve_all(queue) == ["a1", "b2"]
    assert queue.next_expiry_us() is None
    assert queue.expired(LONG_US) == []


def test_those_who_come_and_leave_take_no_memory() -> None:
    """The deadlines of those who left are forgotten, however long the others' patience is."""
    queue: FairQueue[str] = FairQueue(policy())
    offer(queue, "a1")
    for _ in range(1_000):
        place = offer(queue, "b1").place
        assert place is not None
        queue.leave(place)
    assert len(queue._deadlines) < 40  # noqa: SLF001 - what it holds cannot be seen from outside
    assert serve_all(queue) == ["a1"]
