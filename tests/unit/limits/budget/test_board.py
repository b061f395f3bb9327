"""What replicas tell each other of a budget."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from gateway.limits.budget.board import NOTHING, Left, News, Teller, merged
from gateway.limits.budget.learned import Learned
from gateway.limits.budget.values import Scope
from gateway.model import Grant
from tests.boards import MemoryBoard

S = 1_000_000
UNIX_US = 1_795_000_000 * S
ROUTE = b""


def told(learned: Learned, remaining: int, reset_s: int = 60, now_us: int = 0) -> None:
    """Send a request and take its reply."""
    learned.replied(learned.sent(ROUTE, now_us), [Grant(0, 100, remaining, reset_s * S, S)], now_us)


def refused(learned: Learned, after_us: int, now_us: int = 0) -> None:
    """Send a request that the upstream refuses."""
    ticket = learned.sent(ROUTE, now_us)
    learned.replied(ticket, (), now_us, refused=True)
    learned.limited(ticket, Scope.BUCKET, after_us, now_us, 0.0)


lefts = st.tuples(st.integers(0, 2), st.integers(0, 100), st.sampled_from([0, 60 * S, 120 * S])).map(
    lambda one: Left(one[0], 100, one[1], one[2] - S, one[2])
)
news = st.builds(News, st.integers(0, 10**9), st.lists(lefts, max_size=3, unique_by=lambda one: one.window).map(tuple))


@given(one=news, two=news, three=news)
def test_the_order_of_telling_does_not_matter(one: News, two: News, three: News) -> None:
    """And telling twice says no more than once."""
    assert merged(merged(one, two), three).paused_until_us == merged(three, merged(two, one)).paused_until_us
    again = merged(merged(one, two), two)
    assert again == merged(one, two)
    ends = {known.window: known.ends_us for known in merged(one, two).left}
    assert ends == {known.window: known.ends_us for known in merged(two, one).left}


def test_a_pause_is_told_once_and_kept_by_all() -> None:
    """Though the other replica's clock counts from another moment."""
    here, there = Learned(), Learned()
    teller, hearer = Teller(here), Teller(there)
    refused(here, 30 * S)
    first = teller.news(0, UNIX_US)
    assert first == News(UNIX_US + 30 * S)
    assert teller.news(S, UNIX_US + S) == NOTHING
    hearer.heard(first, 500 * S, UNIX_US + S)
    assert there.wait_us(ROUTE, 500 * S) == 29 * S
    assert hearer.news(500 * S, UNIX_US + S) == NOTHING
    hearer.heard(first, 600 * S, UNIX_US + 101 * S)
    assert there.wait_us(ROUTE, 600 * S) == 0


def test_what_is_left_is_told_when_a_twentieth_more_is_gone() -> None:
    """Not with each reply; and a new window at once."""
    learned = Learned()
    teller = Teller(learned)
    assert teller.news(0, UNIX_US) == NOTHING
    told(learned, 90)
    assert [one.base for one in teller.news(0, UNIX_US).left] == [90]
    told(learned, 86)
    assert teller.news(0, UNIX_US) == NOTHING
    told(learned, 84)
    assert [one.base for one in teller.news(0, UNIX_US).left] == [84]
    told(learned, 99, now_us=61 * S)
    assert [one.base for one in teller.news(61 * S, UNIX_US + 61 * S).left] == [99]


def test_of_the_last_fifth_each_request_is_told() -> None:
    """A handful that is left is spread over the whole window, and one of it that is gone is a good part."""
    learned = Learned()
    teller = Teller(learned)
    told(learned, 19)
    teller.news(0, UNIX_US)
    told(learned, 18)
    assert [one.base for one in teller.news(0, UNIX_US).left] == [18]
    assert teller.news(0, UNIX_US) == NOTHING


def test_windows_of_a_second_are_told_apart() -> None:
    """What was left of one is nothing to the next; which replica tells first makes no difference."""
    old, new = News(0, (Left(0, 100, 0, 995_000, 1_005_000),)), News(0, (Left(0, 100, 90, 1_995_000, 2_005_000),))
    assert merged(old, new) == merged(new, old) == new
    learned = Learned()
    learned.replied(learned.sent(ROUTE, S), [Grant(0, 100, 95, S, 1_000)], S)
    Teller(learned).heard(old, S, S)
    assert learned.least(S) == (95, 100)
    Teller(learned).heard(new, S, S)
    assert learned.least(S) == (90, 100)


def test_less_that_another_one_knows_counts() -> None:
    """Of the same window, and of one that is known here."""
    here, there = Learned(), Learned()
    told(here, 20)
    told(there, 80)
    news = Teller(here).news(0, UNIX_US)
    Teller(there).heard(news, 0, UNIX_US)
    assert there.least(0) == (20, 100)
    unknowing = Learned()
    Teller(unknowing).heard(news, 0, UNIX_US)
    assert unknowing.least(0) is None


def test_a_board_in_memory_tells_all_what_any_told() -> None:
    """The least, and the longest."""
    board = MemoryBoard()
    board.post("api", News(5, (Left(0, 100, 50, 59 * S, 60 * S),)))
    known = asyncio.run(
        board.exchange("api", News(3, (Left(0, 100, 40, 59 * S, 60 * S), Left(1, 9, 9, 59 * S, 60 * S))))
    )
    assert known == News(5, (Left(0, 100, 40, 59 * S, 60 * S), Left(1, 9, 9, 59 * S, 60 * S)))
    assert board.post("other", NOTHING) == NOTHING
    asyncio.run(board.aclose())
