"""What a refused request waits for, when it asks again, and what it is told in the end."""

from __future__ import annotations

import pytest

from gateway.limits import Charge, Decision, Policy, Verdict
from gateway.limits.patience import LOOK_AGAIN_US, Due, Obstacle, in_line, obstacle, refusal, verdict_of
from gateway.limits.policy import Algorithm

SECOND_US = 1_000_000


def policy(name: str = "p", max_wait_us: int = SECOND_US, **more: object) -> Policy:
    """Return a policy that admits one every 100 ms."""
    values: dict[str, object] = {"requests": 10, "per_us": SECOND_US, "key": ("ip",), "burst": 10, "queue": 5}
    return Policy(name=name, max_wait_us=max_wait_us, **(values | more))  # type: ignore[arg-type]


def concurrency() -> Policy:
    """Return a policy of two places."""
    return policy(requests=2, burst=2, per_us=0, algorithm=Algorithm.CONCURRENCY)


def refused(of: Policy, retry_after_us: int) -> Verdict:
    """Return a refusal."""
    return Verdict(of, admitted=False, remaining=0, retry_after_us=retry_after_us, reset_us=30)


def admitted(of: Policy, remaining: int = 3, reset_us: int = 40_000) -> Verdict:
    """Return what a policy says that admits."""
    return Verdict(of, admitted=True, remaining=remaining, retry_after_us=0, reset_us=reset_us)


def decision(*verdicts: Verdict, unavailable: bool = False) -> Decision:
    """Put verdicts together."""
    return Decision(all(one.admitted for one in verdicts), verdicts, verdicts[0], unavailable=unavailable)


SHORT, LONG, NONE = policy("short", 2_000), policy("long", 9_000), policy("none", 0)
ASKS = [(SHORT, b"s", 1), (LONG, b"l", 2), (NONE, b"n", 3)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (decision(refused(SHORT, 50), admitted(LONG), admitted(NONE)), Obstacle(SHORT, b"s", 1, 2_000)),
        (decision(refused(SHORT, 50), refused(LONG, 60), admitted(NONE)), Obstacle(LONG, b"l", 2, 2_000)),
        (decision(refused(SHORT, 50), admitted(LONG), refused(NONE, 1)), None),
        (decision(refused(SHORT, 50), admitted(LONG), unavailable=True), None),
        (decision(admitted(SHORT), admitted(LONG)), None),
        (decision(refused(policy("other"), 50)), None),
        (decision(refused(policy("long", 9_000, requests=5, burst=5), 50)), Obstacle(LONG, b"l", 2, 9_000)),
    ],
)
def test_a_request_waits_for_what_refuses_it_longest(said: Decision, expected: Obstacle | None) -> None:
    """Not longer than the most impatient allows; and not at all where one of them, or the store, lets nobody wait."""
    assert obstacle(ASKS, said) == expected


def test_a_newcomer_waits_for_what_lets_wait_and_counts_it() -> None:
    """A policy that refuses at once, that only watches, or that this request costs nothing holds nobody up."""
    shadow = policy("shadow", shadow=True)
    asks = [*ASKS, (shadow, b"x", 1), (policy("free"), b"x", 0)]
    assert in_line(asks) == [Obstacle(SHORT, b"s", 1, 2_000), Obstacle(LONG, b"l", 2, 9_000)]


def test_a_refusal_tells_the_true_wait() -> None:
    """In place of what the policy said of the request alone; what the others said stays."""
    said = decision(admitted(LONG), refused(SHORT, 50))
    told = refusal(said, SHORT, 700)
    own = Verdict(SHORT, admitted=False, remaining=0, retry_after_us=700, reset_us=30)
    assert told == Decision(admitted=False, verdicts=(admitted(LONG), own), tightest=own)
    sooner = refusal(said, SHORT, 20).tightest
    assert sooner is not None
    assert sooner.reset_us == 20, "there is not more later than it would be admitted"


def test_a_refusal_of_one_that_never_asked() -> None:
    """It bears the verdict of the policy alone that it waited for."""
    own = Verdict(SHORT, admitted=False, remaining=0, retry_after_us=700, reset_us=700)
    assert refusal(None, SHORT, 700) == Decision(admitted=False, verdicts=(own,), tightest=own)
    assert refusal(decision(admitted(LONG)), SHORT, 700) == Decision(admitted=False, verdicts=(own,), tightest=own)


def test_a_refusal_by_places_tells_what_the_store_told() -> None:
    """When a place will be free nobody knows; what the store guesses is not made shorter."""
    places = concurrency()
    told = [refusal(decision(refused(places, 600)), places, wait_us).tightest for wait_us in (0, 700)]
    assert [verdict.retry_after_us for verdict in told if verdict] == [600, 700]


def test_the_verdict_of_a_policy() -> None:
    """It is found under the policy's name, if there is one."""
    said = decision(admitted(LONG), refused(SHORT, 50))
    assert verdict_of(said, SHORT) is said.verdicts[1]
    assert verdict_of(said, policy("short", 2_000, scope="elsewhere")) is None


def test_gcra_is_asked_at_the_exact_moment() -> None:
    """A refusal tells it for one cost, and so for all; an admission, by what is left."""
    due = Due(policy(), 500)
    assert due.at_us(1) == 500, "nothing is known"
    due.told(refused(policy(), 250_000), 2, 1_000)
    assert [due.at_us(units) for units in (1, 2, 3)] == [151_000, 251_000, 351_000]
    due.told(admitted(policy(), remaining=3, reset_us=40_000), 1, 2_000)
    assert due.at_us(3) < 2_000 < due.at_us(4) == 42_000
    due.freed(Charge(policy(), b"", 2, 0), 3_000)
    assert due.at_us(6) == 42_000


def test_what_counts_otherwise_is_asked_when_it_said() -> None:
    """Whatever the cost; and after an admission at once, for there may be more."""
    log = policy(algorithm=Algorithm.SLIDING_LOG)
    due = Due(log, 0)
    due.told(refused(log, 250_000), 2, 1_000)
    assert [due.at_us(units) for units in (1, 2, 3)] == [251_000] * 3
    assert due.is_after(250_999, 1)
    assert not due.is_after(251_000, 1)
    due.freed(Charge(log, b"", 1, 0), 2_000)
    assert due.at_us(1) == 2_000
    due.told(admitted(log), 1, 3_000)
    assert due.at_us(1) == 3_000


def test_a_budget_is_asked_again_after_each_admission() -> None:
    """The upstream may have granted more than the pace that it was asked at."""
    budget = policy(budget=True)
    due = Due(budget, 0)
    due.told(admitted(budget, remaining=0), 1, 3_000)
    assert due.at_us(1) == 3_000


def test_places_are_looked_for_again() -> None:
    """One may be given back elsewhere at any time, so that there is always hope."""
    due = Due(concurrency(), 0)
    due.told(refused(concurrency(), 10**9), 1, 1_000)
    assert due.at_us(1) == 1_000 + LOOK_AGAIN_US
    assert not due.is_after(2_000, 1)


def test_a_refusal_without_a_wait_is_not_asked_again_at_once() -> None:
    """Whatever a store says, time passes between two questions."""
    due = Due(policy(), 0)
    due.told(refused(policy(), 0), 1, 1_000)
    assert due.at_us(1) == 1_001
