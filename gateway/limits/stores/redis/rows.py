"""Asks and charges as the script has them: names of keys, and rows of numbers.

A key is `accord:{principal}:policy`: the braces keep all policies of a principal in one slot of a cluster. Principal
and policy are digests, so a name tells neither who a client is nor what was configured.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from gateway.limits.policy import Algorithm, Period

if TYPE_CHECKING:
    from gateway.limits.policy import Policy

PRINCIPAL_BYTES: Final = 16
POLICY_BYTES: Final = 8
REPLICAS: Final = b"accord:{replicas}:beats"
"""Where replicas say that they live."""

Row = tuple[int, int, int, int, int | str, int]
"""Kind, shadow, cost, A, B and mark, as `script.lua` says."""

GCRA: Final = 1
SLIDING_LOG: Final = 2
CALENDAR: Final = 3
CONCURRENCY: Final = 4
_PERIODS: Final = {Period.MINUTE: 1, Period.HOUR: 2, Period.DAY: 3, Period.WEEK: 4, Period.MONTH: 5}


class Rows:
    """Makes names and rows, and remembers what of them depends on the policy alone."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        """Know no policy yet; there are as many as are configured."""
        self._known: dict[str, tuple[bytes, int, int, int]] = {}

    def row(self, policy: Policy, key: bytes, cost: int, mark: int) -> tuple[bytes, Row]:
        """Return the name of the key and the row of one ask, or of one charge by its mark."""
        known = self._known.get(policy.id)
        if known is None:
            known = self._known[policy.id] = _of_policy(policy)
        end, kind, a, b = known
        principal = blake2b(key, digest_size=PRINCIPAL_BYTES).hexdigest().encode("ascii")
        return b"accord:{" + principal + end, (kind, 1 if policy.shadow else 0, cost, a, b, mark)


def _of_policy(policy: Policy) -> tuple[bytes, int, int, int]:
    digest = blake2b(policy.id.encode(), digest_size=POLICY_BYTES).hexdigest()
    kind, a, b = _numbers(policy)
    return b"}:" + digest.encode("ascii"), kind, a, b


def _numbers(policy: Policy) -> tuple[int, int, int]:
    if policy.algorithm is Algorithm.GCRA:
        return GCRA, policy.interval_us, policy.tau_us
    if policy.algorithm is Algorithm.SLIDING_LOG:
        return SLIDING_LOG, policy.requests, policy.per_us
    if policy.algorithm is Algorithm.CALENDAR and policy.period is not None:
        return CALENDAR, policy.requests, _PERIODS[policy.period]
    return CONCURRENCY, policy.requests, 0
