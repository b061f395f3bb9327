"""What a client sees of limits: `RateLimit-Policy` and `RateLimit`; `Retry-After` is the problem's own.

Structured-field lists (RFC 9651) of quoted names by draft-ietf-httpapi-ratelimit-headers, tightest first. `t` is the
seconds until there is *more*, never a date; there is no `pk`, which would tell a client what it is counted by.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, isfinite
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.limits.gcra import tightness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits.gcra import Verdict
    from gateway.model import Allowance, Headers

_US_IN_S: Final = 1_000_000
_LARGEST: Final = 999_999_999_999_999
"""The largest integer of a structured field (RFC 9651 section 3.3.1)."""
_REDIRECTS: Final = range(300, 400)
_POLICIES_REMEMBERED: Final = 1_024


class _Shown(NamedTuple):
    """One policy as the fields show it; sorts tightest first. An empty text stands in no list."""

    order: tuple[int, int, int]
    policy: str
    limit: str


def rate_fields(
    verdicts: Sequence[Verdict], *, status: int, budget: Allowance | None = None, budget_name: str = "upstream"
) -> Headers:
    """Return the fields for an answer with `status`; none when there is nothing to say.

    `budget` is what the upstream still grants us, shown as one more policy under `budget_name`. Nothing is said on a
    redirect when nothing is left: the client would take it for a refusal.
    """
    if status in _REDIRECTS and any(verdict.remaining == 0 for verdict in verdicts):
        return ()
    shown = [_verdict(verdict) for verdict in verdicts]
    if budget is not None:
        shown.append(_budget(budget, _quoted(budget_name)))
    if len(shown) > 1:
        shown.sort()
    lists = (
        (b"RateLimit-Policy", ", ".join([one.policy for one in shown if one.policy])),
        (b"RateLimit", ", ".join([one.limit for one in shown if one.limit])),
    )
    return tuple((name, value.encode("ascii")) for name, value in lists if value)


def _verdict(verdict: Verdict) -> _Shown:
    policy = verdict.policy
    name, described = _described(policy.name, policy.requests, policy.per_us)
    return _Shown(tightness(verdict), described, f"{name};r={verdict.remaining};t={_seconds(verdict.reset_us)}")


@lru_cache(maxsize=_POLICIES_REMEMBERED)
def _described(name: str, requests: int, per_us: int) -> tuple[str, str]:
    """Return a policy's name, quoted, and its member of RateLimit-Policy."""
    quoted = _quoted(name)
    return quoted, f"{quoted};q={requests};w={_seconds(per_us)}"


def _budget(budget: Allowance, name: str) -> _Shown:
    """Show what an upstream said of itself; a number that it did not say, or that is none, is left out."""
    reset_s = budget.reset_s if budget.reset_s is not None and isfinite(budget.reset_s) else None
    remaining, limit = budget.remaining, budget.limit
    end = "" if reset_s is None else f";t={_bounded(ceil(reset_s))}"
    return _Shown(
        (0, _LARGEST if remaining is None else remaining, 0),
        "" if limit is None else f"{name};q={_bounded(limit)}",
        "" if remaining is None else f"{name};r={_bounded(remaining)}{end}",
    )


def _seconds(us: int) -> int:
    """Return microseconds in whole seconds, rounded up: never earlier than the truth."""
    return -(-us // _US_IN_S)


def _bounded(number: int) -> int:
    return min(max(number, 0), _LARGEST)


def _quoted(name: str) -> str:
    """Return a name as a string of structured fields (RFC 9651 section 3.3.3)."""
    text = "".join(character if " " <= character <= "~" else "?" for character in name)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
