"""All policies of a request together."""

from __future__ import annotations

from dataclasses import replace

from gateway.limits import Charge, Decision, Policy
from gateway.limits.joint import Judged, decision, judge
from gateway.limits.policy import PERIOD_US, Period
from tests.policies import calendar_window, places

NOW_US, UNIX_US = 10**12, 1_700_000_000_000_000
PLACES = places("places", 2)
DAY = calendar_window("day", 5, key=("client",))
TODAY_US = UNIX_US - UNIX_US % PERIOD_US[Period.DAY]
SHADOW = replace(PLACES, name="shadow", shadow=True)


def judged(*asks: tuple[Policy, int, tuple[int, ...]]) -> Judged:
    """Decide a request that asks policies for a cost, of keys that have words."""
    return judge([(policy, b"k", cost) for policy, cost, _ in asks], [words for _, _, words in asks], NOW_US, UNIX_US)


def test_all_are_charged() -> None:
    """When all admit, each is charged, at the time of its own clock."""
    decided, kept = judged((PLACES, 1, ()), (DAY, 2, ()))
    assert decided.admitted
    assert decided.charges == (Charge(PLACES, b"k", 1, 1), Charge(DAY, b"k", 2, TODAY_US))
    assert [verdict.remaining for verdict in decided.verdicts] == [1, 3]
    assert kept == ((1,), (TODAY_US, 2))


def test_or_none() -> None:
    """When one refuses, none is charged, and the others say what they have."""
    decided, kept = judged((PLACES, 1, ()), (DAY, 2, (TODAY_US, 4)))
    assert not decided.admitted
    assert decided.charges == ()
    assert [(verdict.admitted, verdict.remaining) for verdict in decided.verdicts] == [(True, 2), (False, 1)]
    assert decided.tightest == decided.verdicts[1]
    assert kept == (None, None)


def test_what_costs_nothing_is_no_charge() -> None:
    """A policy that does not count a request is shown, and neither charged nor asked."""
    decided, kept = judged((PLACES, 0, (2,)), (DAY, 1, ()))
    assert decided.admitted
    assert [verdict.remaining for verdict in decided.verdicts] == [0, 4]
    assert [charge.policy for charge in decided.charges] == [DAY]
    assert kept == (None, (TODAY_US, 1))


def test_shadow_that_would_refuse() -> None:
    """It refuses nobody, is not charged, and says so apart."""
    decided, kept = judged((SHADOW, 1, (2,)), (DAY, 1, ()))
    assert decided.admitted
    assert [verdict.policy for verdict in decided.verdicts] == [DAY]
    assert decided.tightest == decided.verdicts[0]
    assert [verdict.admitted for verdict in decided.shadowed] == [False]
    assert [charge.policy for charge in decided.charges] == [DAY]
    assert kept == (None, (TODAY_US, 1))


def test_shadow_that_admits() -> None:
    """It is charged for itself, and can be given back."""
    decided, kept = judged((SHADOW, 1, (1,)), (DAY, 1, ()))
    assert [(verdict.admitted, verdict.remaining) for verdict in decided.shadowed] == [(True, 0)]
    assert [charge.policy for charge in decided.charges] == [SHADOW, DAY]
    assert kept == ((2,), (TODAY_US, 1))


def test_shadow_of_a_refused_request() -> None:
    """It is not charged for what did not happen."""
    decided, kept = judged((SHADOW, 1, (1,)), (DAY, 1, (TODAY_US, 5)))
    assert not decided.admitted
    assert [(verdict.admitted, verdict.remaining) for verdict in decided.shadowed] == [(True, 1)]
    assert (decided.charges, kept) == ((), (None, None))


def test_nothing_but_shadows() -> None:
    """Then there is nothing to tell the client."""
    decided, _ = judged((SHADOW, 1, (2,)))
    assert (decided.admitted, decided.verdicts, decided.tightest) == (True, (), None)


def test_no_policy() -> None:
    """A request that no policy is for is admitted."""
    assert decision([], admitted=True) == Decision(admitted=True, verdicts=(), tightest=None)
