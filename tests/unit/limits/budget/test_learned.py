"""What one credential may still send, by bucket, route and pause."""

from __future__ import annotations

from gateway.limits.budget.learned import MOST_BUCKETS, MOST_COUNTS, MOST_ROUTES, Learned, Ticket
from gateway.limits.budget.values import Kind, Scope
from gateway.model import Grant

S = 1_000_000
A, B = b"GET /a", b"GET /b"


def grant(remaining: int, window: int = 0, reset_s: int | None = 60) -> Grant:
    """Return what a reply says of a window."""
    return Grant(window, 100, remaining, None if reset_s is None else reset_s * S, S)


def told(learned: Learned, *grants: Grant, route: bytes = A, bucket: bytes = b"", now_us: int = 0) -> Ticket:
    """Send a request, take its reply, and return its ticket."""
    ticket = learned.sent(route, now_us)
    learned.replied(ticket, grants, now_us, bucket=bucket)
    return ticket


def refused(learned: Learned, scope: Scope, after_us: int | None = 10 * S, route: bytes = A, now_us: int = 0) -> Ticket:
    """Send a request that the upstream refuses, and return its ticket."""
    ticket = learned.sent(route, now_us)
    learned.replied(ticket, (), now_us, refused=True)
    learned.limited(ticket, scope, after_us, now_us, 0.0)
    return ticket


def test_before_anything_is_known_requests_go() -> None:
    """Somebody has to find out."""
    learned = Learned()
    assert learned.wait_us(A, 0) == 0
    assert learned.least(0) is None


def test_the_strictest_of_several_windows_counts() -> None:
    """Requests a minute, and tokens."""
    learned = Learned([Kind(), Kind(requests=False)])
    told(learned, grant(50), grant(0, 1, reset_s=30))
    assert learned.wait_us(A, 0) == 31 * S
    assert learned.least(0) == (0, 100)


def test_what_was_lost_may_have_been_counted_and_what_was_not_sent_was_not() -> None:
    """Either is in flight no more."""
    learned = Learned()
    told(learned, grant(50))
    learned.lost(learned.sent(A, 0), 0)
    assert learned.least(0) == (49, 100)
    learned.unsent(learned.sent(A, 0))
    assert learned.least(0) == (49, 100)
    assert learned.in_flight == 0


def test_a_reply_that_says_nothing_of_a_window_may_have_been_counted() -> None:
    """It tells of another one only."""
    learned = Learned()
    told(learned, grant(50), grant(40, 1))
    told(learned, grant(49))
    assert {name: window.left(0) for name, window in learned.windows().items()} == {0: 49, 1: 39}


def test_a_bucket_that_refills_is_no_window() -> None:
    """Other replicas need not be told of it."""
    learned = Learned([Kind(refill_us=20 * S)])
    told(learned, grant(0))
    told(learned, grant(0))
    assert learned.windows() == {}
    assert learned.wait_us(A, 0) == 20 * S // 100


def test_buckets_have_names() -> None:
    """A route is of the bucket that its last reply named; others are not held back by it."""
    learned = Learned()
    told(learned, grant(0), route=A, bucket=b"x")
    assert learned.wait_us(A, 0) == 61 * S
    assert learned.wait_us(B, 0) == 0
    told(learned, grant(0), route=B, bucket=b"x")
    assert learned.wait_us(B, 0) == 61 * S


def test_a_pause_reaches_as_far_as_its_scope() -> None:
    """The route alone, its bucket, or all that goes under the credential."""
    for scope, waits in (Scope.ROUTE, (True, False, False)), (Scope.BUCKET, (True, True, False)):
        learned = Learned()
        told(learned, grant(90), route=A, bucket=b"x")
        told(learned, grant(90), route=B, bucket=b"x")
        refused(learned, scope)
        assert tuple(learned.wait_us(route, 0) > 0 for route in (A, B, b"GET /c")) == waits
    learned = Learned()
    refused(learned, Scope.CREDENTIAL)
    assert learned.wait_us(B, 0) == 10 * S
    assert (learned.paused_until_us(), learned.refusals) == (10 * S, 1)


def test_a_shared_refusal_is_not_counted_against_our_bucket() -> None:
    """Others used up what all share on that route: once it is over, nothing is left of it."""
    learned = Learned()
    refused(learned, Scope.ROUTE)
    assert learned.wait_us(B, 0) == 0
    ticket = learned.sent(A, 10 * S)
    assert learned.wait_us(A, 10 * S) > 0
    learned.replied(ticket, (), 10 * S)
    assert learned.wait_us(A, 10 * S) == 0


def test_one_tries_after_a_pause_and_doubles_it_when_refused() -> None:
    """And one that left before the pause began doubles nothing."""
    learned = Learned()
    early = learned.sent(A, 0)
    refused(learned, Scope.BUCKET)
    learned.replied(early, (), S, refused=True)
    learned.limited(early, Scope.BUCKET, 2 * S, S, 0.0)
    assert learned.wait_us(A, S) == 9 * S
    refused(learned, Scope.BUCKET, 2 * S, now_us=10 * S)
    assert learned.wait_us(A, 10 * S) == 20 * S


def test_one_that_tries_and_is_lost_lets_another_try() -> None:
    """Its reply will never come."""
    learned = Learned()
    refused(learned, Scope.BUCKET)
    ticket = learned.sent(A, 10 * S)
    assert learned.wait_us(A, 10 * S) > 0
    learned.lost(ticket, 11 * S)
    assert learned.wait_us(A, 11 * S) == 0


def test_more_may_be_read_of_a_refusal() -> None:
    """Its body asks for more than its head; of a reply that refused nothing there is nothing to lengthen."""
    learned = Learned()
    ticket = refused(learned, Scope.BUCKET)
    learned.longer(ticket, 20 * S, 0)
    assert learned.wait_us(A, 0) == 20 * S
    learned.longer(told(learned, grant(50)), 60 * S, 0)
    assert learned.wait_us(A, 0) == 20 * S


def test_another_replicas_pause_counts() -> None:
    """For all that the upstream counts together."""
    learned = Learned()
    learned.lengthen(5 * S, 0)
    assert learned.wait_us(A, 0) == 5 * S


def test_so_many_windows_are_kept_of_one_bucket() -> None:
    """What an upstream tells beyond is ignored."""
    learned = Learned()
    told(learned, *(grant(50, window) for window in range(MOST_COUNTS + 5)))
    assert len(learned.windows()) == MOST_COUNTS


def test_so_many_buckets_are_told_apart() -> None:
    """Those of which nothing matters any more make room; where there is none, the others share one."""
    learned = Learned()
    for number in range(MOST_BUCKETS + 5):
        told(learned, grant(50), route=b"%d" % number, bucket=b"b%d" % number)
    told(learned, grant(0), route=b"x", bucket=b"beyond")
    assert learned.wait_us(b"y", 0) == 61 * S
    told(learned, grant(0), route=b"z", bucket=b"now", now_us=120 * S)
    assert learned.wait_us(b"z", 120 * S) == 61 * S
    assert learned.wait_us(b"y", 120 * S) == 0


def test_a_bucket_in_use_is_not_forgotten() -> None:
    """While a request of it is under way, or it is paused."""
    learned = Learned()
    for number in range(MOST_BUCKETS - 1):
        route = b"%d" % number
        told(learned, grant(100), route=route, bucket=b"b%d" % number)
        if number:
            learned.sent(route, 0)
    refused(learned, Scope.BUCKET, 600 * S, route=b"0")
    told(learned, grant(0), route=b"x", bucket=b"beyond")
    assert learned.wait_us(b"0", 0) == 600 * S


def test_so_many_routes_are_remembered() -> None:
    """Beyond, all are forgotten, and told again by the next reply of each."""
    learned = Learned()
    for number in range(MOST_ROUTES + 1):
        told(learned, grant(0), route=b"%d" % number, bucket=b"x")
    assert learned.wait_us(b"0", 0) == 0
    assert learned.wait_us(b"%d" % MOST_ROUTES, 0) == 61 * S


def test_so_many_routes_pause() -> None:
    """Those that are over make room; where there is none, what is shared pauses."""
    learned = Learned()
    for number in range(MOST_ROUTES):
        refused(learned, Scope.ROUTE, route=b"%d" % number)
    refused(learned, Scope.ROUTE, route=b"beyond", now_us=20 * S)
    assert learned.wait_us(B, 20 * S) == 0
    for number in range(MOST_ROUTES):
        refused(learned, Scope.ROUTE, route=b"%d" % number, now_us=20 * S)
    assert learned.wait_us(B, 20 * S) == 10 * S


def test_when_the_strictest_is_back_is_told() -> None:
    """0 while nothing is known; of a bucket when it is full."""
    learned = Learned([Kind(refill_us=20_000_000)])
    assert learned.reset_us(0) == 0
    learned.replied(learned.sent(b"", 0), [Grant(0, 40, 10, None, 1_000_000)], 0)
    assert learned.reset_us(0) == 15_000_000
    assert learned.reset_us(30_000_000) == 0
