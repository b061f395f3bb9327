"""What a client sees of limits: `RateLimit-Policy` and `RateLimit`; `Retry-After` is the problem's own.

Structured-field lists (RFC 9651) of quoted names by draft-ietf-httpapi-ratelimit-headers, tightest first. `t` is the
seconds until there is *more*, never a date; there is no `pk`, which would tell a client what it is counted by.
"""

from __future__ import annotations

from math import ceil, isfinite
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.limits.joint import tightness
from gateway.limits.members import LARGEST, bounded, quoted, seconds
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits.values import Verdict
    from gateway.model import Allowance, Headers

_POLICY: Final = b"RateLimit-Policy"
_LIMIT: Final = b"RateLimit"
_REDIRECTS: Final = range(300, 400)
_LEGACY: Final = (b"X-RateLimit-Limit", b"X-RateLimit-Remaining", b"X-RateLimit-Reset")


class _Shown(NamedTuple):
    """One policy as the fields show it; sorts tightest first. An empty text stands in no list."""

    order: tuple[int, int, int]
    policy: bytes
    limit: bytes


def rate_fields(
    verdicts: Sequence[Verdict], *, status: int, budget: Allowance | None = None, budget_name: str = "upstream"
) -> Headers:
    """Return the fields for an answer with `status`; none when there is nothing to say.

    `budget` is what the upstream still grants us, shown as one more policy under `budget_name`. Nothing is said on a
    redirect when nothing is left: the client would take it for a refusal.
    """
    if status in _REDIRECTS and _nothing_left(verdicts, budget):
        return ()
    if budget is None and len(verdicts) == 1 and not verdicts[0].policy.learned:
        return ((_POLICY, verdicts[0].policy.member), (_LIMIT, _limit(verdicts[0])))
    laxer = _laxer(verdicts)
    shown = [
        _Shown(tightness(verdict), verdict.policy.member, b"" if verdict in laxer else _limit(verdict))
        for verdict in verdicts
    ]
    if budget is not None:
        shown.append(_budget(budget, quoted(budget_name)))
    shown.sort()
    lists = (
        (_POLICY, b", ".join([one.policy for one in shown if one.policy])),
        (_LIMIT, b", ".join([one.limit for one in shown if one.limit])),
    )
    return tuple((name, value) for name, value in lists if value)


def _laxer(verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
    """Return what is told twice: of a budget that is both declared and learned, under one name, the laxer verdict."""
    return [
        max((learned, other), key=tightness)
        for learned in verdicts
        if learned.policy.learned
        for other in verdicts
        if other.policy.budget and not other.policy.learned and other.policy.name == learned.policy.name
    ]


def _nothing_left(verdicts: Sequence[Verdict], budget: Allowance | None) -> bool:
    if budget is not None and budget.remaining is not None and budget.remaining < 1:
        return True
    return any(verdict.remaining == 0 for verdict in verdicts)


def legacy_fields(verdicts: Sequence[Verdict], unix_s: float | None) -> Headers:
    """Return the tightest of `verdicts` as the older `X-RateLimit-*`, which never had a standard.

    `Reset` is when there is more: in seconds from now, or, where `unix_s` tells the Unix time, as such.
    """
    tightest = min(verdicts, key=tightness)
    reset_s = seconds(tightest.reset_us) if unix_s is None else ceil(unix_s + tightest.reset_us / US_IN_S)
    numbers = (tightest.policy.requests, tightest.remaining, reset_s)
    return tuple((name, b"%d" % number) for name, number in zip(_LEGACY, numbers, strict=True))


def _limit(verdict: Verdict) -> bytes:
    """Return a policy's member of RateLimit."""
    return verdict.policy.limit_format % (verdict.remaining, seconds(verdict.reset_us))


def _budget(budget: Allowance, name: str) -> _Shown:
    """Show what an upstream said of itself; a number that it did not say, or that is none, is left out."""
    reset_s = budget.reset_s if budget.reset_s is not None and isfinite(budget.reset_s) else None
    remaining, limit = budget.remaining, budget.limit
    end = "" if reset_s is None else f";t={bounded(ceil(reset_s))}"
    return _Shown(
        (0, LARGEST if remaining is None else remaining, 0),
        b"" if limit is None else f"{name};q={bounded(limit)}".encode("ascii"),
        b"" if remaining is None else f"{name};r={bounded(remaining)}{end}".encode("ascii"),
    )
