"""The breaker: when a failing store is left alone, and when it is asked again."""

from __future__ import annotations

from gateway.limits.stores.guard.breaker import Breaker, State

S = 1_000_000


def state(breaker: Breaker) -> State:
    """Return its state at this moment."""
    return breaker.state


def opened() -> Breaker:
    """Return a breaker that opened at 0."""
    breaker = Breaker()
    for _ in range(3):
        breaker.failed(breaker.enter(0), 0)
    assert state(breaker) is State.OPEN
    return breaker


def test_three_in_a_row() -> None:
    """The third failure in a row opens it, and not the third of all."""
    breaker = Breaker()
    for _ in range(5):
        assert not breaker.failed(breaker.enter(0), 0)
        assert not breaker.failed(breaker.enter(0), 0)
        assert not breaker.succeeded(breaker.enter(0))
    assert state(breaker) is State.OK
    assert [breaker.failed(breaker.enter(0), 0) for _ in range(3)] == [False, False, True]
    assert state(breaker) is State.OPEN


def test_open() -> None:
    """While it is open nobody enters; then one does, and nobody else until that one has ended."""
    breaker = opened()
    assert breaker.enter(0) == 0
    assert breaker.enter(S - 1) == 0
    assert breaker.enter(S)
    assert state(breaker) is State.PROBING
    assert breaker.enter(S) == 0
    assert breaker.enter(100 * S) == 0


def test_doubling() -> None:
    """Each probe that fails doubles the time, up to five seconds."""
    breaker, now_us, waits = opened(), 0, []
    for _ in range(5):
        wait_us = ticket = 0
        while not ticket:
            wait_us += S // 2
            ticket = breaker.enter(now_us + wait_us)
        waits.append(wait_us)
        now_us += wait_us
        assert state(breaker) is State.PROBING
        assert breaker.failed(ticket, now_us)
    assert waits == [1 * S, 2 * S, 4 * S, 5 * S, 5 * S]


def test_success_closes() -> None:
    """A probe that succeeds closes it, and the next time it opens for the shortest time again."""
    breaker = opened()
    assert breaker.failed(breaker.enter(S), S)
    assert breaker.enter(2 * S) == 0
    assert breaker.succeeded(breaker.enter(3 * S))
    assert state(breaker) is State.OK
    for _ in range(3):
        breaker.failed(breaker.enter(3 * S), 3 * S)
    assert breaker.enter(4 * S - 1) == 0
    assert breaker.enter(4 * S)


def test_failures_are_counted_anew_after_a_success() -> None:
    """Once it is closed by a probe, it takes three failures to open it."""
    breaker = opened()
    breaker.succeeded(breaker.enter(S))
    assert not breaker.failed(breaker.enter(S), S)
    assert not breaker.failed(breaker.enter(S), S)
    assert breaker.failed(breaker.enter(S), S)


def test_old_tickets() -> None:
    """What calls say that began before it opened neither opens it for longer nor closes it."""
    breaker = Breaker()
    tickets = [breaker.enter(0) for _ in range(10)]
    assert [breaker.failed(ticket, 0) for ticket in tickets] == [False, False, True] + 7 * [False]
    assert not breaker.succeeded(tickets[0])
    assert state(breaker) is State.OPEN
    probe = breaker.enter(S)
    assert not breaker.failed(tickets[0], S)
    assert not breaker.succeeded(tickets[0])
    assert state(breaker) is State.PROBING
    assert breaker.succeeded(probe)
