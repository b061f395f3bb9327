"""A window that an upstream counts in: what is left of it, and until when."""

from __future__ import annotations

from gateway.limits.budget.values import NO_RESERVE, Reserve, Sends
from gateway.limits.budget.window import UNTOLD_US, Window
from gateway.model import Grant

S = 1_000_000


def grant(remaining: int, reset_s: int | None = 60, limit: int | None = 100) -> Grant:
    """Return what a reply says, in whole seconds."""
    return Grant(0, limit, remaining, None if reset_s is None else reset_s * S, S)


def window(first: Grant, *, learns_cost: bool = False) -> tuple[Window, Sends]:
    """Return a window that was first told of at 0, and the requests that it counts."""
    sends = Sends()
    return Window(first, sends, left_us=0, now_us=0, learns_cost=learns_cost), sends


def test_what_is_in_flight_counts_as_spent() -> None:
    """It is not known whether the upstream counted it before it wrote what is left."""
    one, sends = window(grant(50))
    sends.sent = 3
    assert one.left(S) == 47


def test_what_is_left_never_rises_within_a_window() -> None:
    """A reply that was overtaken says more than is true by now."""
    one, _ = window(grant(50))
    one.report(grant(40, 59), left_us=S, now_us=S)
    one.report(grant(45, 59), left_us=S, now_us=S)
    assert one.left(S) == 40


def test_replicas_share_what_is_left() -> None:
    """What the others send is not known here, so each takes its part."""
    one, sends = window(grant(50))
    sends.sent = 3
    assert one.left(S, replicas=3) == 13


def test_above_a_fifth_requests_go_freely() -> None:
    """However many went a moment ago."""
    one, _ = window(grant(21))
    one.sent(S)
    assert one.wait_us(S, 1, NO_RESERVE) == 0


def test_below_a_fifth_requests_are_spread_to_the_end() -> None:
    """What is left, and one more, share the time until the latest reset: 61 seconds."""
    one, _ = window(grant(19))
    assert one.wait_us(0, 1, NO_RESERVE) == 61 * S // 20
    assert one.wait_us(61 * S // 20, 1, NO_RESERVE) == 0


def test_nothing_left_waits_for_the_latest_reset() -> None:
    """Seconds may have been rounded down, and the reply was on its way."""
    one, _ = window(grant(0))
    assert one.wait_us(2 * S, 1, NO_RESERVE) == 59 * S
    assert one.wait_us(61 * S, 1, NO_RESERVE) == 0


def test_a_reset_alone_means_nothing() -> None:
    """It is in every reply: only that nothing remains matters."""
    one, _ = window(grant(100))
    assert one.wait_us(S, 1, NO_RESERVE) == 0


def test_the_reserve_is_kept() -> None:
    """Others stop where it begins, the chosen do not."""
    one, _ = window(grant(10))
    assert one.wait_us(30 * S, 1, Reserve(percent=10)) == 31 * S
    assert one.wait_us(30 * S, 1, NO_RESERVE) == 0


def test_each_reply_sharpens_the_reset() -> None:
    """Of all upper bounds the lowest is true, whatever order they come in."""
    one, _ = window(grant(50))
    one.report(grant(40, 58), left_us=S, now_us=S + S // 2)
    assert one.ends_us == S + S // 2 + 59 * S
    one.report(grant(39, 60), left_us=S, now_us=2 * S)
    assert one.ends_us == S + S // 2 + 59 * S


def test_what_ended_about_the_reset_counts_in_the_next_window() -> None:
    """Between the earliest and the latest reset it is not known which window counted it."""
    one, sends = window(grant(50, 10))
    sends.sent = 2
    sends.ended = 1
    assert one.left(9 * S) == 49  # after the earliest reset, 8 s: one is in flight
    sends.sent, sends.ended = 4, 3
    assert one.left(11 * S) == 100 - 2 - 1


def test_a_new_window_begins_with_the_first_that_tells_of_it() -> None:
    """Its reset is later than the old one can be; what an old reply says then does not count."""
    one, _ = window(grant(5, 10))
    one.report(grant(99, 60), left_us=10 * S, now_us=10 * S)
    assert one.left(10 * S) == 99
    one.report(grant(4, 1), left_us=8 * S, now_us=10 * S)
    assert one.left(10 * S) == 99


def test_after_the_reset_an_old_reply_is_not_taken_for_the_new_window() -> None:
    """It left before the old window was over, and tells of that one's reset."""
    one, _ = window(grant(5, 10))
    assert one.left(11 * S) == 100
    one.report(grant(3, 1), left_us=9 * S, now_us=11 * S)
    assert one.left(11 * S) == 100
    one.report(grant(90, 60), left_us=11 * S, now_us=12 * S)
    assert one.left(12 * S) == 90


def test_a_reply_without_a_reset_is_believed_for_a_second() -> None:
    """Then one request finds out, and no more than one."""
    one, sends = window(grant(0, None))
    assert one.wait_us(0, 3, NO_RESERVE) == UNTOLD_US
    assert one.wait_us(UNTOLD_US, 3, NO_RESERVE) == 0
    sends.sent = 1
    assert one.wait_us(UNTOLD_US, 3, NO_RESERVE) == UNTOLD_US


def test_one_finds_out_where_nothing_can_be_left_of_a_new_window() -> None:
    """More ended about the reset than a window has: nobody would ever ask again."""
    one, sends = window(grant(2, 1, limit=3))
    one.left(0)
    sends.sent = sends.ended = 9
    assert one.wait_us(2 * S, 1, NO_RESERVE) == 0


def test_a_limit_that_is_not_told_is_the_most_that_was_left() -> None:
    """A window without a limit begins anew with that."""
    one, _ = window(grant(40, 10, limit=None))
    one.report(grant(30, 9, limit=None), left_us=S, now_us=S)
    assert one.limit == 40
    assert one.left(20 * S) == 40


def test_what_a_request_costs_is_learned() -> None:
    """Where something else than requests is counted, what is in flight counts at what one cost of late."""
    one, sends = window(grant(1000, limit=1000), learns_cost=True)
    assert one.cost == 1
    for remaining in range(960, 0, -40):
        one.report(grant(remaining, limit=1000), left_us=0, now_us=0)
    assert 30 < one.cost <= 40
    sends.sent = 1
    assert one.left(0) == 40 - one.cost


def test_a_silent_end_may_have_been_counted() -> None:
    """Its reply never came."""
    one, _ = window(grant(50))
    one.silent()
    assert one.left(S) == 49


def test_another_replica_may_know_of_less() -> None:
    """Within the same window only: what is left of another one says nothing."""
    one, _ = window(grant(50))
    one.news(20, 100, one.low_us, one.ends_us + S, S)
    assert one.base == 20
    one.news(10, 100, one.ends_us + 1, one.ends_us + 30 * S, S)
    one.news(10, 90, one.low_us, one.ends_us, S)
    one.news(30, 100, one.low_us, one.ends_us, S)
    assert one.base == 20


def test_another_replica_may_tell_of_the_next_window_first() -> None:
    """Nobody told of it here yet; one that is over by now says nothing."""
    one, _ = window(grant(50))
    ends_us = one.ends_us
    now_us = ends_us + S
    one.news(20, 100, ends_us + 59 * S, ends_us + 61 * S, now_us)
    assert (one.left(now_us), one.ends_us) == (20, ends_us + 61 * S)
    late, _ = window(grant(50))
    late.news(20, 100, ends_us + 1, ends_us + 2, now_us)
    late.news(20, 100, ends_us - 1, ends_us + 59 * S, now_us)
    assert (late.left(now_us), late.ends_us) == (100, 0)


def test_each_replica_begins_a_window_with_its_own_part() -> None:
    """What the others sent in its first moments is told by no reply yet; later what they left is anybody's."""
    one, sends = window(grant(50))
    now_us = one.ends_us
    assert one.left(now_us, 2) == 50
    for _ in range(50):
        sends.sent += 1
        sends.ended += 1
    one.report(grant(50), left_us=now_us, now_us=now_us + S)
    assert one.left(now_us + S, 2) == 0
    assert one.left(now_us + S) == 50
    assert one.left(now_us + 30 * S, 2) == 25


def test_when_all_is_back_is_told_while_it_is_known() -> None:
    """By the later bound; 0 once the window is over and nobody told of the next."""
    one, _ = window(grant(50))
    assert one.reset_us(S) == one.ends_us - S
    one.left(one.ends_us)
    assert one.reset_us(90 * S) == 0


def test_an_end_that_is_absurdly_far_is_asked_about_every_quarter_of_an_hour() -> None:
    """By one request, and not while another is under way; what its reply says of an earlier end counts."""
    one, sends = window(grant(0, 300 * 86_400))
    quarter_us = 900 * S
    assert one.wait_us(quarter_us - 1, 1, NO_RESERVE) > quarter_us
    assert one.wait_us(quarter_us, 1, NO_RESERVE) == 0
    one.sent(quarter_us)
    sends.sent += 1
    assert one.wait_us(2 * quarter_us, 1, NO_RESERVE) > quarter_us
    sends.ended += 1
    assert one.wait_us(quarter_us + S, 1, NO_RESERVE) > quarter_us
    one.report(grant(80), left_us=-1, now_us=quarter_us + S)
    assert one.left(quarter_us + S) == 0
    one.report(grant(80), left_us=quarter_us + S, now_us=quarter_us + S)
    assert one.left(quarter_us + S) == 80


def test_a_day_s_window_that_ends_soon_is_not_tried() -> None:
    """Its end is near enough to wait for it."""
    one, _ = window(grant(0, 1_700))
    assert one.wait_us(901 * S, 1, NO_RESERVE) > 0
