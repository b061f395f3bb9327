"""Fairness between the clients of one budget."""

from __future__ import annotations

from gateway.limits import Policy, Verdict
from gateway.limits.budget.fair import MOST_CLIENTS, MOST_HUNGRY, Fair

S = 1_000_000
TEN = Policy(name="b", requests=60, per_us=60 * S, burst=10, key=("upstream",))


def verdict(remaining: int) -> Verdict:
    """Return what a budget's policy says that has so many left."""
    return Verdict(TEN, True, remaining, 0, S)


def short() -> Fair:
    """Return the shares of a budget of which nothing is left."""
    fair = Fair(60 * S, 0)
    fair.noted(verdict(0), 0)
    return fair


def test_who_had_more_lets_who_was_turned_away_go_first() -> None:
    """Until that one had as much, or was waited for long enough."""
    fair = short()
    fair.served(b"a", 0)
    assert not fair.yields(b"a", 0)
    fair.turned_away(b"b", 0)
    assert fair.yields(b"a", 0)
    assert not fair.yields(b"b", 0)
    fair.served(b"b", 0)
    assert not fair.yields(b"a", 0)


def test_nobody_is_waited_for_long() -> None:
    """A quarter of the period after it was turned away a client counts no more."""
    fair = short()
    fair.served(b"a", 0)
    fair.turned_away(b"b", 0)
    fair.scarce(90 * S)
    assert fair.yields(b"a", 14 * S)
    assert not fair.yields(b"a", 15 * S)


def test_while_there_is_plenty_nobody_waits() -> None:
    """Half of the burst, which is there after so long as the policy told; with replicas it takes twice that."""
    fair = short()
    fair.served(b"a", 0)
    fair.turned_away(b"b", 0)
    assert fair.yields(b"a", 5 * S)
    assert not fair.yields(b"a", 6 * S)
    fair.noted(verdict(6), 0, replicas=3)
    assert not fair.yields(b"a", 0)
    fair.noted(verdict(5), 0, replicas=3)
    assert fair.yields(b"a", S)
    assert not fair.yields(b"a", 2 * S)


def test_what_is_long_ago_is_forgotten() -> None:
    """After two periods."""
    fair = Fair(60 * S, 0)
    fair.scarce(10**12)
    fair.served(b"a", 0)
    fair.turned_away(b"b", 70 * S)
    assert fair.yields(b"a", 70 * S)
    fair.turned_away(b"b", 200 * S)
    assert not fair.yields(b"a", 200 * S)


def test_it_is_bounded() -> None:
    """Whoever comes beyond is one with all the others, and beyond so many nobody more is waited for."""
    fair = short()
    for number in range(MOST_CLIENTS + 10):
        fair.served(b"%d" % number, 0)
    for number in range(MOST_HUNGRY + 10):
        fair.turned_away(b"%d" % number, 0)
    assert fair.yields(b"new", 0)
    assert not fair.yields(b"5", 0)
