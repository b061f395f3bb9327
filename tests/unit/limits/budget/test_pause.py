"""Pauses that upstreams impose."""

from __future__ import annotations

from gateway.limits.budget.pause import SHORTEST_US, Pause
from gateway.limits.budget.values import LONGEST_US

S = 1_000_000


def paused(after_us: int | None, jitter: float = 0.0) -> Pause:
    """Return a pause that began at 0."""
    pause = Pause()
    pause.refused(after_us, 0, jitter, probe=False)
    return pause


def test_nothing_is_sent_until_it_is_over() -> None:
    """And a little longer: the jitter adds at most a twentieth, so that replicas do not all come back at once."""
    assert [paused(10 * S).wait_us(at_s * S) for at_s in (0, 4, 10)] == [10 * S, 6 * S, 0]
    assert paused(10 * S, 1.0).wait_us(0) == 10 * S + S // 2


def test_a_shorter_one_never_shortens_a_longer_one() -> None:
    """Whichever came first."""
    pause = paused(10 * S)
    pause.refused(2 * S, S, 0.0, probe=False)
    assert pause.until_us == 10 * S
    pause.refused(20 * S, S, 0.0, probe=False)
    assert pause.until_us == 21 * S


def test_none_is_longer_than_a_quarter_of_an_hour() -> None:
    """Whatever was asked for; where nothing was, it is a second."""
    assert paused(10**15).wait_us(0) == LONGEST_US
    assert paused(None).wait_us(0) == SHORTEST_US


def test_afterwards_one_tries_and_the_others_wait_for_it() -> None:
    """Until it got through."""
    pause = paused(S)
    assert pause.sent(S)
    assert pause.wait_us(S) > 0
    pause.over(answered=True)
    assert pause.wait_us(S) == 0
    assert not pause.sent(S)


def test_one_that_tried_and_was_refused_doubles_it() -> None:
    """Or takes what the upstream asks for, if that is longer."""
    pause = paused(4 * S)
    pause.sent(4 * S)
    pause.refused(S, 5 * S, 0.0, probe=True)
    assert pause.until_us == 13 * S
    pause.sent(13 * S)
    pause.refused(60 * S, 14 * S, 0.0, probe=True)
    assert pause.until_us == 74 * S


def test_one_that_tried_and_was_lost_lets_another_try() -> None:
    """At once when it is known, after a minute when it is not."""
    pause = paused(S)
    pause.sent(S)
    pause.over(answered=False)
    assert pause.wait_us(S) == 0
    pause.sent(S)
    assert pause.wait_us(62 * S) == 0


def test_another_replicas_pause_counts_here() -> None:
    """If it is the longer one."""
    pause = paused(S)
    pause.lengthen(5 * S, 0)
    assert pause.wait_us(0) == 5 * S
    pause.lengthen(2 * S, 0)
    assert pause.wait_us(0) == 5 * S
