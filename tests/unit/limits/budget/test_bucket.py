"""A bucket that an upstream counts in, and that fills evenly."""

from __future__ import annotations

from gateway.limits.budget.bucket import Bucket
from gateway.limits.budget.values import NO_RESERVE, Kind, Reserve, Sends
from gateway.model import Grant

S = 1_000_000
FORTY = Kind(refill_us=20 * S)


def grant(remaining: int, limit: int | None = 40, reset_us: int | None = None) -> Grant:
    """Return what a reply says."""
    return Grant(0, limit, remaining, reset_us, 1000)


def bucket(first: Grant, kind: Kind = FORTY) -> tuple[Bucket, Sends]:
    """Return a bucket that was first told of at 0, and the requests that it counts."""
    sends = Sends()
    return Bucket(first, sends, kind, now_us=0), sends


def test_it_fills_while_time_passes_up_to_its_limit() -> None:
    """40 in 20 seconds are 2 a second."""
    one, sends = bucket(grant(8))
    assert [one.left(at_s * S) for at_s in (0, 1, 16, 60)] == [8, 10, 40, 40]
    sends.sent = 3
    assert one.left(60 * S) == 37
    assert one.left(60 * S, replicas=2) == 17


def test_an_empty_one_waits_for_one_request() -> None:
    """Half a second at 2 a second; each of two replicas waits for both."""
    one, _ = bucket(grant(0))
    assert one.wait_us(0, 1, NO_RESERVE) == S // 2
    assert one.wait_us(0, 2, NO_RESERVE) == S


def test_a_low_one_is_spent_as_fast_as_it_fills() -> None:
    """And a fuller one freely."""
    one, _ = bucket(grant(8))
    assert one.wait_us(0, 1, NO_RESERVE) == S // 2
    assert one.wait_us(S, 1, NO_RESERVE) == 0
    one.sent(S)
    assert one.wait_us(S, 1, NO_RESERVE) == 0
    assert one.wait_us(S, 1, Reserve(requests=10)) == S // 2


def test_a_reply_that_was_overtaken_raises_nothing() -> None:
    """One that was alone under way speaks for all."""
    one, _ = bucket(grant(20))
    one.report(grant(10), alone=False, now_us=0)
    one.report(grant(15), alone=False, now_us=0)
    assert one.left(0) == 10
    one.report(grant(15), alone=True, now_us=0)
    assert one.left(0) == 15


def test_a_silent_end_may_have_been_counted() -> None:
    """Its reply never came."""
    one, _ = bucket(grant(20))
    one.silent()
    assert one.left(0) == 19


def test_how_fast_it_fills_may_be_told_by_the_reset() -> None:
    """Half of 60 is missing and back in 30 seconds: all of it takes a minute."""
    one, _ = bucket(grant(30, 60, 30 * S), Kind(until_reset=True))
    assert one.left(10 * S) == 39  # the reset may have been rounded
    one.report(grant(60, 60, 0), alone=True, now_us=10 * S)
    assert one.left(10 * S) == 60


def test_nothing_told_fills_within_a_second() -> None:
    """A bucket that nobody says anything of but what is left is asked again soon; it is as large as it was seen."""
    one, _ = bucket(grant(0, None), Kind(until_reset=True))
    assert (one.limit, one.wait_us(0, 1, NO_RESERVE)) == (1, S)
    one.report(grant(9, None), alone=True, now_us=0)
    assert one.limit == 9


def test_what_a_request_costs_is_learned() -> None:
    """Where tokens are counted, say."""
    one, sends = bucket(grant(1000, 1000), Kind(refill_us=60 * S, requests=False))
    for remaining in range(900, 100, -100):
        one.report(grant(remaining, 1000), alone=True, now_us=0)
    assert 50 < one.cost <= 100
    sends.sent = 1
    assert one.left(0) == 200 - one.cost
