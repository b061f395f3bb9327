"""Which of two policies is always the tighter: the other one never refuses what the first lets through.

Sure answers only; False where it is not sure. It is about the numbers: that both count the same requests under keys as
coarse as the first's is for the caller to know. Both are charged or none, so that the second counts a part of what the
first does, and refuses nothing as long as the most that the first admits is no more than the second does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.policy import PERIOD_US, Algorithm, Period

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.limits.policy import Policy

_GCRA: Final = Algorithm.GCRA
_LOG: Final = Algorithm.SLIDING_LOG
_CALENDAR: Final = Algorithm.CALENDAR
_CONCURRENCY: Final = Algorithm.CONCURRENCY


def is_tighter(first: Policy, second: Policy) -> bool:
    """Tell whether `second` surely never refuses a request that `first` admits."""
    compare = _COMPARED.get((first.algorithm, second.algorithm))
    return compare is not None and compare(first, second) and _as_dear(first, second)


def _as_dear(first: Policy, second: Policy) -> bool:
    """Tell whether no request costs less under the first."""
    methods = {name for policy in (first, second) for name, _ in policy.costs}
    return first.cost >= second.cost and all(first.cost_of(method) >= second.cost_of(method) for method in methods)


def _rate(first: Policy, second: Policy) -> bool:
    """Compare two of GCRA: what any time admits is the burst and the rate."""
    return first.burst <= second.burst and first.interval_us >= second.interval_us


def _rate_in_window(first: Policy, second: Policy) -> bool:
    """Compare GCRA with a limit on any window: the burst, and what comes back in it."""
    return first.burst + second.per_us // first.interval_us <= second.requests


def _log(first: Policy, second: Policy) -> bool:
    """Compare two logs, or a log with a calendar: so many of the first's windows begin in the second's at most."""
    return first.requests * -(-second.per_us // first.per_us) <= second.requests


def _log_as_rate(first: Policy, second: Policy) -> bool:
    """Compare a log with GCRA, which has to admit all of a window at once and as many again one window later."""
    return first.requests <= second.burst and first.requests * second.interval_us <= first.per_us


def _calendar(first: Policy, second: Policy) -> bool:
    """Compare two calendars, where periods of the first make up those of the second."""
    if first.period is Period.WEEK and second.period is Period.MONTH:
        return False
    assert first.period is not None  # noqa: S101 - it is a calendar
    assert second.period is not None  # noqa: S101
    times = PERIOD_US[second.period] // PERIOD_US[first.period]
    return times >= 1 and first.requests * times <= second.requests


def _concurrency(first: Policy, second: Policy) -> bool:
    return first.requests <= second.requests


_COMPARED: Final[Mapping[tuple[Algorithm, Algorithm], Callable[[Policy, Policy], bool]]] = {
    (_GCRA, _GCRA): _rate,
    (_GCRA, _LOG): _rate_in_window,
    (_GCRA, _CALENDAR): _rate_in_window,
    (_LOG, _GCRA): _log_as_rate,
    (_LOG, _LOG): _log,
    (_LOG, _CALENDAR): _log,
    (_CALENDAR, _CALENDAR): _calendar,
    (_CONCURRENCY, _CONCURRENCY): _concurrency,
}
