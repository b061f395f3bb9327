"""What a limit says: so many requests in a time, with a burst, counted by a key.

Invariants: a policy that could never admit a request, or whose rounding to whole microseconds would change its rate by
more than 1 %, cannot exist. Times are integer microseconds everywhere, so that one model fits every store (a number in
Redis' Lua holds them exactly, and so does a structured field).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gateway.limits.members import LARGEST, quoted, seconds

KEY_PARTS: Final = frozenset({"client", "ip", "upstream", "route", "method"})
HEADER_PART: Final = "header:"
_ROUNDING_DIVISOR: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A limit: `requests` in `per_us` microseconds, `burst` of them at once; each request costs `cost`.

    `key` names what is counted by: `client`, `ip`, `upstream`, `route`, `method`, `header:NAME`, or several of them.
    `scope` says where the policy was written (an upstream's name, say), so that two of one name are not one limit.
    Raises ValueError, with a sentence, for a policy that cannot work.

    Derived: `interval_us` is GCRA's T, the time that one request takes up; `tau_us` is burst × T, the time in which an
    empty policy is full again; `id` names the policy's table of counts. `member` is the policy as `RateLimit-Policy`
    shows it, and `limit_format % (remaining, seconds)` as `RateLimit` does.
    """

    name: str
    requests: int
    per_us: int
    burst: int
    key: tuple[str, ...]
    cost: int = 1
    scope: str = ""
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
        object.__setattr__(self, "tau_us", self.burst * interval_us)
        numbers = f"{self.requests}/{self.per_us}us+{self.burst}"
        object.__setattr__(self, "id", f"{self.scope}/{self.name}:{numbers}:{','.join(self.key)}")
        name = quoted(self.name)
        object.__setattr__(self, "member", f"{name};q={self.requests};w={seconds(self.per_us)}".encode("ascii"))
        object.__setattr__(self, "limit_format", name.replace("%", "%%").encode("ascii") + b";r=%d;t=%d")


def _faults(policy: Policy) -> list[str]:
    """Return what is wrong with a policy, as ends of sentences."""
    if min(policy.requests, policy.per_us, policy.burst, policy.cost) < 1:
        return ["requests, per, burst and cost must all be at least 1"]
    if max(policy.requests, policy.per_us, policy.burst * _interval_us(policy)) > LARGEST:
        return ["its numbers are too large to count with"]
    faults = []
    if policy.cost > policy.burst:
        faults.append(f"a request costs {policy.cost}, more than the burst of {policy.burst}: none could ever pass")
    rounding_us = -policy.per_us % policy.requests
    if rounding_us * _ROUNDING_DIVISOR > policy.per_us:
        faults.append(f"{policy.requests} requests in {policy.per_us} µs is finer than whole microseconds can count")
    if not policy.key or not all(_known(part) for part in policy.key):
        faults.append(f"the key {list(policy.key)} must be of {', '.join(sorted(KEY_PARTS))} or header:NAME")
    return faults


def _interval_us(policy: Policy) -> int:
    """Return how long one request takes up, rounded up: never more requests than were allowed."""
    return -(-policy.per_us // policy.requests)


def _known(part: str) -> bool:
    return part in KEY_PARTS or (part.startswith(HEADER_PART) and len(part) > len(HEADER_PART))
