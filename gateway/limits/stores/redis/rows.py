"""Asks and charges as the script has them: names of keys, and rows of numbers.

A key is `accord:{principal}:policy`: the braces keep all policies of a principal in one slot of a cluster. Principal
and policy are digests, that of the principal keyed with a secret of those who share the store: who reads Redis cannot
even test guesses of who was counted.
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

_KINDS: Final = {Algorithm.GCRA: 1, Algorithm.SLIDING_LOG: 2, Algorithm.CALENDAR: 3, Algorithm.CONCURRENCY: 4}
_PERIODS: Final = {Period.MINUTE: 1, Period.HOUR: 2, Period.DAY: 3, Period.WEEK: 4, Period.MONTH: 5}


class Rows:
    """Makes names and rows, and remembers what of them depends on the policy alone."""

    __slots__ = ("_known", "_secret")

    def __init__(self, secret: bytes) -> None:
        """Know no policy yet; there are as many as are configured. `secret` has at most 64 bytes."""
        self._secret = secret
        self._known: dict[str, tuple[bytes, int, int, int]] = {}

    def row(self, policy: Policy, key: bytes, cost: int, mark: int) -> tuple[bytes, Row]:
        """Return the name of the key and the row of one ask, or of one charge by its mark."""
        known = self._known.get(policy.id)
        if known is None:
            known = self._known[policy.id] = _of_policy(policy)
        end, kind, a, b = known
        principal = blake2b(key, digest_size=PRINCIPAL_BYTES, key=self._secret).hexdigest().encode("ascii")
        return b"accord:{" + principal + end, (kind, 1 if policy.shadow else 0, cost, a, b, mark)


def _of_policy(policy: Policy) -> tuple[bytes, int, int, int]:
    digest = blake2b(policy.id.encode(), digest_size=POLICY_BYTES).hexdigest()
    return b"}:" + digest.encode("ascii"), _KINDS[policy.algorithm], *_numbers(policy)


def _numbers(policy: Policy) -> tuple[int, int]:
    """Return what the script calls A and B."""
    if policy.algorithm is Algorithm.GCRA:
        return policy.interval_us, policy.tau_us
    return policy.requests, policy.per_us if policy.period is None else _PERIODS[policy.period]
