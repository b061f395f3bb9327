"""What a limit says: so many requests in a time, with a burst, counted by a key.

Invariants: a policy that could never admit a request, or whose rounding to whole microseconds would change its rate by
more than 1 %, cannot exist. Times are integer microseconds everywhere, so that one model fits every store (a number in
Redis' Lua holds them exactly, and so does a structured field).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gateway.limits.members import LARGEST, quoted, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEY_PARTS: Final = frozenset({"client", "ip", "upstream", "route", "method", "path"})
HEADER_PART: Final = "header:"
LONGEST_LOG: Final = 1_000
"""The most requests that a sliding log counts: it keeps the time of each, for each key."""
MOST_PLACES: Final = 1_000
"""The most places that one request holds: a store on the network keeps each of them by its name."""
_ROUNDING_DIVISOR: Final = 100


class Algorithm(StrEnum):
    """How a policy counts."""

    GCRA = "gcra"
    """Smoothly: requests come back one by one (ITU-T I.371)."""
    SLIDING_LOG = "sliding_log"
    """Exactly: no window of `per_us`, wherever it begins, has more than `requests`. Costs memory for each of them."""
    CALENDAR = "calendar"
    """By the calendar in UTC: all come back at once when a new minute, hour, day, week or month begins."""
    CONCURRENCY = "concurrency"
    """By what is under way now."""


class Period(StrEnum):
    """A unit of the calendar, in UTC; a week begins on Monday (ISO 8601)."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_MINUTE_US: Final = 60_000_000
PERIOD_US: Final[Mapping[Period, int]] = {
    Period.MINUTE: _MINUTE_US,
    Period.HOUR: 60 * _MINUTE_US,
    Period.DAY: 24 * 60 * _MINUTE_US,
    Period.WEEK: 7 * 24 * 60 * _MINUTE_US,
    Period.MONTH: 31 * 24 * 60 * _MINUTE_US,
}
"""How long a period is, at most."""


class OnStoreError(StrEnum):
    """What a policy does while its store does not answer."""

    LOCAL = "local"
    """Count here, by the policy divided by the number of replicas."""
    REFUSE = "refuse"
    """Refuse with 503."""
    ALLOW = "allow"
    """Let pass, uncounted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A limit: `requests` in `per_us` microseconds, `burst` of them at once; each request costs `cost`.

    `key` names what is counted by: `client`, `ip`, `upstream`, `route`, `method`, `header:NAME`, `path` (with its
    method, as it goes upstream), or several of them.
    `scope` says where the policy was written (an upstream's name, say), so that two of one name are not one limit.
    `costs` are those of methods that cost another number, 0 for one that is not counted. Of a calendar policy `period`
    is the unit and `per_us` its length; of one of concurrency `requests` is how many may be under way and `per_us` is
    0; `burst` equals `requests` for all but GCRA.

    `shadow`: it is counted, and refuses nobody. `max_wait_us`: a request over it waits so long, in a queue of at most
    `queue`, 0 refuses at once. `local`: it is counted in each process by itself, without the store. `lease`: so many
    are taken from a remote store at once, to be spent here; 0 takes them one by one. `budget`: it is what an upstream
    grants us, not what we impose. `learned`: nobody declared it, so that it has no numbers; what an upstream says is
    shown in its place.

    Raises ValueError, with a sentence, for a policy that cannot work.

    Derived: `interval_us` is GCRA's T, the time that one request takes up; `tau_us` is burst × T, the time in which an
    empty policy is full again (of the others: after which a key that nobody used need not be kept); `id` names the
    policy's table of counts. `member` is the policy as `RateLimit-Policy` shows it, and `limit_format % (remaining,
    seconds)` as `RateLimit` does.
    """

    name: str
    requests: int
    per_us: int
    burst: int
    key: tuple[str, ...]
    cost: int = 1
    costs: tuple[tuple[str, int], ...] = ()
    scope: str = ""
    algorithm: Algorithm = Algorithm.GCRA
    period: Period | None = None
    shadow: bool = False
    max_wait_us: int = 0
    queue: int = 0
    on_store_error: OnStoreError = OnStoreError.LOCAL
    local: bool = False
    lease: int = 0
    budget: bool = False
    learned: bool = False
    interval_us: int = field(init=False)
    tau_us: int = field(init=False)
    id: str = field(init=False)
    member: bytes = field(init=False, repr=False, compare=False)
    limit_format: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the numbers and derive the rest."""
        for fault in _faults(self):
            raise ValueError(f"limit {self.name!r}: {fault}")
        interval_us = _interval_us(self)
        object.__setattr__(self, "interval_us", interval_us)
        object.__setattr__(self, "tau_us", self.burst * interval_us if self.algorithm is _GCRA else self.per_us)
        numbers = f"{self.requests}/{self.per_us}us+{self.burst}"
        if self.algorithm is not _GCRA:
            numbers = f"{self.algorithm}:{numbers if self.period is None else f'{self.requests}/{self.period}'}"
        object.__setattr__(self, "id", f"{self.scope}/{self.name}:{numbers}:{','.join(self.key)}")
        name = quoted(self.name)
        window = f";w={seconds(self.per_us)}" if self.per_us else ';qu="concurrent-requests"'
        member = "" if self.learned else f"{name};q={self.requests}{window}"
        object.__setattr__(self, "member", member.encode("ascii"))
        object.__setattr__(self, "limit_format", name.replace("%", "%%").encode("ascii") + b";r=%d;t=%d")

    def cost_of(self, method: str) -> int:
        """Return what a request with `method` costs."""
        for name, cost in self.costs:
            if name == method:
                return cost
        return self.cost


_GCRA: Final = Algorithm.GCRA


def _faults(policy: Policy) -> list[str]:
    """Return what is wrong with a policy, as ends of sentences."""
    timed = policy.algorithm is not Algorithm.CONCURRENCY
    if min(policy.requests, policy.burst, policy.cost, policy.per_us if timed else 1) < 1:
        return ["requests, per, burst and cost must all be at least 1"]
    if max(policy.requests, policy.per_us, policy.burst * _interval_us(policy)) > LARGEST:
        return ["its numbers are too large to count with"]
    faults = _FAULTS[policy.algorithm](policy)
    dearest = max((policy.cost, *(cost for _, cost in policy.costs)))
    if dearest > policy.burst:
        faults.append(f"a request costs {dearest}, more than the burst of {policy.burst}: none could ever pass")
    if not policy.key or not all(_known(part) for part in policy.key):
        faults.append(f"the key {list(policy.key)} must be of {', '.join(sorted(KEY_PARTS))} or header:NAME")
    return faults


def _gcra_faults(policy: Policy) -> list[str]:
    rounding_us = -policy.per_us % policy.requests
    if rounding_us * _ROUNDING_DIVISOR > policy.per_us:
        return [f"{policy.requests} requests in {policy.per_us} µs is finer than whole microseconds can count"]
    return []


def _log_faults(policy: Policy) -> list[str]:
    if policy.requests > LONGEST_LOG:
        return [f"a sliding log keeps the time of each request: it counts {LONGEST_LOG} at most"]
    return _burst_faults(policy)


def _place_faults(policy: Policy) -> list[str]:
    if max((policy.cost, *(cost for _, cost in policy.costs))) > MOST_PLACES:
        return [f"a place under way is kept by its name: a request holds {MOST_PLACES} at most"]
    return _burst_faults(policy)


def _burst_faults(policy: Policy) -> list[str]:
    return [] if policy.burst == policy.requests else [f"{policy.algorithm} knows no burst but all of its requests"]


_FAULTS: Final[Mapping[Algorithm, Callable[[Policy], list[str]]]] = {
    Algorithm.GCRA: _gcra_faults,
    Algorithm.SLIDING_LOG: _log_faults,
    Algorithm.CALENDAR: _burst_faults,
    Algorithm.CONCURRENCY: _place_faults,
}


def _interval_us(policy: Policy) -> int:
    """Return how long one request takes up, rounded up: never more requests than were allowed."""
    return -(-policy.per_us // policy.requests)


def _known(part: str) -> bool:
    return part in KEY_PARTS or (part.startswith(HEADER_PART) and len(part) > len(HEADER_PART))
