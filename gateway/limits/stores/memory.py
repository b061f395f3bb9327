"""The counts of all limits in the memory of one process: exact, bounded, without timers.

Each policy has two generations of a plain dict. A key that is charged lives in the young one; after a full refill time
the young one becomes the old one, and what was old is dropped whole: by then every key in it is full again, so nothing
is forgotten that still counts. A live key is never evicted, for that would hand a blocked client its quota back; when a
policy holds `max_keys` of them, further ones share a single *overflow* key under the policy's own limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.gcra import refund, take, tightness
from gateway.limits.values import Charge, Decision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits.policy import Policy
    from gateway.limits.values import Ask, Verdict

OVERFLOW: Final = b""
"""The key that all principals beyond `max_keys` share; `key_of` never returns it."""


class _Table:
    """The theoretical arrival times of one policy's keys, in microseconds."""

    __slots__ = ("_lifetime_us", "_max_keys", "_old", "_turn_us", "_young")

    def __init__(self, lifetime_us: int, max_keys: int, now_us: int) -> None:
        """Keep a key for at least `lifetime_us` after it was last charged."""
        self._lifetime_us = lifetime_us
        self._max_keys = max_keys
        self._turn_us = now_us + lifetime_us
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def find(self, key: bytes, now_us: int) -> tuple[bytes, int]:
        """Return the key to charge (the overflow key when there is no room) and its TAT."""
        if now_us >= self._turn_us:
            self._turn(now_us)
        tat_us = self._young.get(key)
        if tat_us is None:
            tat_us = self._old.get(key)
        if tat_us is not None:
            return key, tat_us
        if key != OVERFLOW and len(self) >= self._max_keys:
            return self.find(OVERFLOW, now_us)
        return key, now_us

    def put(self, key: bytes, tat_us: int) -> None:
        """Keep the TAT of a key that was charged."""
        self._young[key] = tat_us
        if self._old:
            self._old.pop(key, None)

    def _turn(self, now_us: int) -> None:
        """Drop the old generation, and the young one too when nobody asked for so long that it is as old."""
        self._old = self._young if now_us < self._turn_us + self._lifetime_us else {}
        self._young = {}
        self._turn_us = now_us + self._lifetime_us


class MemoryStore:
    """Decides requests and keeps the counts. Bounded: at most `max_keys` keys (about 200 bytes each) a policy."""

    def __init__(self, max_keys: int = 100_000) -> None:
        """Start empty."""
        self._max_keys = max_keys
        self._tables: dict[str, _Table] = {}
        self._now_us = 0

    def __len__(self) -> int:
        """Count the keys that are held, over all policies."""
        return sum(len(table) for table in self._tables.values())

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:  # noqa: ARG002 - as the port has it
        """Charge every policy of one request, or none of them when one refuses.

        `now_us` is a monotonic clock in microseconds. Where it goes back, time stands still until it has caught up.
        """
        now_us = self._at(now_us)
        if len(asks) == 1:
            return self._decide_one(*asks[0], now_us)
        taken = [self._take(policy, key, cost, now_us) for policy, key, cost in asks]
        for one in taken:
            if not one[3].admitted:
                return self._refusal(asks, tuple([one[3] for one in taken]), now_us)
        for table, key, tat_us, _ in taken:
            table.put(key, tat_us)
        charges_made = tuple(
            [Charge(policy, one[1], cost, one[2]) for (policy, _, cost), one in zip(asks, taken, strict=True)]
        )
        return _decision(tuple([one[3] for one in taken]), admitted=True, charges=charges_made)

    def _decide_one(self, policy: Policy, key: bytes, cost: int, now_us: int) -> Decision:
        """Charge the only policy of a request, as most have."""
        table, key, tat_us, verdict = self._take(policy, key, cost, now_us)
        if not verdict.admitted:
            return Decision(False, (verdict,), verdict)  # noqa: FBT003 - by name takes longer
        table.put(key, tat_us)
        return Decision(True, (verdict,), verdict, (Charge(policy, key, cost, tat_us),))  # noqa: FBT003 - as above

    def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:  # noqa: ARG002
        """Give back what a request was charged and return what its policies say then. To be called once a request."""
        now_us = self._at(now_us)
        for charge in charges:
            if charge.mark > now_us:  # else it has lapsed, and its key may be forgotten
                table = self._tables[charge.policy.id]
                key, tat_us = table.find(charge.key, now_us)
                table.put(key, refund(tat_us, now_us, charge))
        return tuple([self._take(charge.policy, charge.key, 0, now_us)[3] for charge in charges])

    def release(self, charges: Sequence[Charge], now_us: int) -> None:
        """Do nothing: no charge here is a place."""

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:  # noqa: ARG002 - as the port has it
        """Return what the policies would say to a request, without charging any."""
        now_us = self._at(now_us)
        verdicts = tuple([self._take(policy, key, cost, now_us)[3] for policy, key, cost in asks])
        return _decision(verdicts, admitted=all(verdict.admitted for verdict in verdicts))

    def _at(self, now_us: int) -> int:
        """Return the time, which stands still while the clock goes back."""
        if now_us > self._now_us:  # noqa: PLR1730 - max() takes three times as long
            self._now_us = now_us
        return self._now_us

    def _refusal(self, asks: Sequence[Ask], verdicts: tuple[Verdict, ...], now_us: int) -> Decision:
        """Answer a request that a policy refuses: the others, which would have admitted it, were not charged either."""
        uncharged = (
            self._take(policy, key, 0, now_us)[3] if verdict.admitted else verdict
            for (policy, key, _), verdict in zip(asks, verdicts, strict=True)
        )
        return _decision(tuple(uncharged), admitted=False)

    def _take(self, policy: Policy, key: bytes, cost: int, now_us: int) -> tuple[_Table, bytes, int, Verdict]:
        """Ask one policy, without keeping what it says."""
        table = self._tables.get(policy.id)
        if table is None:
            table = self._tables[policy.id] = _Table(policy.tau_us, self._max_keys, now_us)
        key, tat_us = table.find(key, now_us)
        tat_us, verdict = take(tat_us, now_us, cost, policy)
        return table, key, tat_us, verdict


def _decision(verdicts: tuple[Verdict, ...], *, admitted: bool, charges: tuple[Charge, ...] = ()) -> Decision:
    """Put verdicts together and find the tightest."""
    return Decision(admitted, verdicts, min(verdicts, key=tightness, default=None), charges)
