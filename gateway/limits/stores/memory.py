"""The counts of all limits in the memory of one process: exact, bounded, without timers.

Each policy has two generations of a plain dict. A key that is charged lives in the young one. When everything that the
young one held at the turn before must have lapsed by now, it becomes the old one and what was old is dropped whole: so
nothing is forgotten that still counts. At the end of a calendar's window all its keys go at once; a place that is held
never lapses, and its key goes when the last one is given back. A live key is never evicted, for that would hand a
blocked client its quota back; when a policy holds `max_keys` of them, further ones share a single *overflow* key under
the policy's own limit.

A state of one word is kept as the bare number: of a million keys that saves 50 MB. Requests under GCRA alone, as most
are, are decided by such numbers here; all others by `joint`, which means the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gateway.limits.algorithms import STEPS
from gateway.limits.gcra import take as take_gcra
from gateway.limits.joint import decision, judge, take
from gateway.limits.policy import Algorithm
from gateway.limits.values import Charge, Decision

if TYPE_CHECKING:
    from gateway.limits.policy import Policy
    from gateway.limits.values import Ask, Verdict, Words

OVERFLOW: Final = b""
"""The key that all principals beyond `max_keys` share; `key_of` never returns it."""
_GCRA: Final = Algorithm.GCRA
_CONCURRENCY: Final = Algorithm.CONCURRENCY

State = int | Sequence[int]
"""The words of a key, a single one as it is."""


class _Table:
    """What is known of one policy's keys. Times are of the policy's clock, which never goes back here."""

    __slots__ = ("_lapsed_us", "_max_keys", "_old", "_policy", "_turn_us", "_young", "wall")

    def __init__(self, policy: Policy, max_keys: int, at_us: int) -> None:
        """Start empty."""
        self._policy = policy
        self._max_keys = max_keys
        self._young: dict[bytes, State] = {}
        self._old: dict[bytes, State] = {}
        self._turn_us = 0
        self._lapsed_us = 0
        self.wall = STEPS[policy.algorithm].wall
        self._turn(at_us)

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def look(self, key: bytes, at_us: int) -> State | None:
        """Return what is known of a key."""
        if at_us >= self._turn_us:
            self._turn(at_us)
        state = self._young.get(key)
        return self._old.get(key) if state is None else state

    def find(self, key: bytes, at_us: int) -> tuple[bytes, State | None]:
        """Return the key to charge (the overflow key when there is no room) and what is known of it."""
        state = self.look(key, at_us)
        if state is None and len(self) >= self._max_keys:
            return OVERFLOW, self.look(OVERFLOW, at_us)
        return key, state

    def put(self, key: bytes, state: State) -> None:
        """Keep what is known of a key that was charged."""
        self._young[key] = state
        if self._old:
            self._old.pop(key, None)

    def drop(self, key: bytes) -> None:
        """Forget a key of which nothing counts any more."""
        self._young.pop(key, None)
        self._old.pop(key, None)

    def _turn(self, at_us: int) -> None:
        """Drop the old generation, and the young one too when all of it has lapsed."""
        until_us = STEPS[self._policy.algorithm].until_us
        self._old = self._young if at_us < self._lapsed_us else {}
        self._young = {}
        self._turn_us = until_us(at_us, self._policy)
        self._lapsed_us = until_us(self._turn_us - 1, self._policy)


class MemoryStore:
    """Decides requests and keeps the counts, at most `max_keys` keys a policy.

    A key takes up about 150 bytes; under a sliding log 8 more for each request that counts.
    """

    def __init__(self, max_keys: int = 100_000) -> None:
        """Start empty."""
        self._max_keys = max_keys
        self._tables: dict[str, _Table] = {}
        self._now_us = 0
        self._unix_us = 0

    def __len__(self) -> int:
        """Count the keys that are held, over all policies."""
        return sum(len(table) for table in self._tables.values())

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:
        """Charge every policy of one request, or none of them when one refuses.

        Both clocks are in microseconds. Where one goes back, its time stands still until it has caught up.
        """
        self._advance(now_us, unix_us)
        if len(asks) == 1:
            policy, key, cost = asks[0]
            if not policy.shadow:
                decide = self._decide_one if policy.algorithm is _GCRA else self._decide_other
                return decide(policy, key, cost)
        else:
            decided = self._decide_gcra(asks)
            if decided is not None:
                return decided
        return self._judge(asks, keep=True)

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:
        """Return what the policies would say to a request, without charging any."""
        self._advance(now_us, unix_us)
        return self._judge(asks, keep=False)

    def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:
        """Give back what a request was charged and return what its policies say then, those in shadow mode nothing.

        To be called once a request, and not for one whose places are released.
        """
        self._advance(now_us, unix_us)
        for charge in charges:
            self._give_back(charge)
        return tuple([self._say(charge) for charge in charges if not charge.policy.shadow])

    def release(self, charges: Sequence[Charge], now_us: int) -> None:
        """Note that a request ended which held places under policies of concurrency; of other charges, do nothing."""
        self._advance(now_us, 0)
        for charge in charges:
            if charge.policy.algorithm is _CONCURRENCY:
                self._give_back(charge)

    def sweep(self, now_us: int, unix_us: int) -> None:
        """Forget policies of which nothing counts any more; one that comes again begins anew, as it would have."""
        self._advance(now_us, unix_us)
        for name, table in list(self._tables.items()):
            table.look(OVERFLOW, self._at(table))
            if not len(table):
                del self._tables[name]

    def _advance(self, now_us: int, unix_us: int) -> None:
        """Set the clocks, which never go back."""
        if now_us > self._now_us:  # noqa: PLR1730 - max() takes three times as long
            self._now_us = now_us
        if unix_us > self._unix_us:  # noqa: PLR1730 - as above
            self._unix_us = unix_us

    def _decide_one(self, policy: Policy, key: bytes, cost: int) -> Decision:
        """Charge the only policy of a request, as most have: one of GCRA."""
        now_us = self._now_us
        table = self._table(policy)
        key, state = table.find(key, now_us)
        tat_us, verdict = take_gcra(state if isinstance(state, int) else now_us, now_us, cost, policy)
        if not verdict.admitted or not cost:
            return Decision(verdict.admitted, (verdict,), verdict)
        table.put(key, tat_us)
        charge = Charge(policy, key, cost, tat_us)
        return Decision(True, (verdict,), verdict, (charge,))  # noqa: FBT003 - by name takes longer

    def _decide_other(self, policy: Policy, key: bytes, cost: int) -> Decision:
        """Charge the only policy of a request, one that does not count by GCRA."""
        table, steps = self._table(policy), STEPS[policy.algorithm]
        at_us = self._at(table)
        key, state = table.find(key, at_us)
        words, verdict = steps.take(_words(state), at_us, cost, policy)
        if not verdict.admitted or not cost:
            return Decision(verdict.admitted, (verdict,), verdict)
        table.put(key, _state(words))
        charge = Charge(policy, key, cost, steps.mark(words))
        return Decision(True, (verdict,), verdict, (charge,))  # noqa: FBT003 - by name takes longer

    def _decide_gcra(self, asks: Sequence[Ask]) -> Decision | None:
        """Charge policies that all count by GCRA, and all admit; None when it is not that simple."""
        now_us = self._now_us
        taken: list[tuple[_Table, int]] = []
        verdicts: list[Verdict] = []
        charges: list[Charge] = []
        for policy, asked, cost in asks:
            if policy.algorithm is not _GCRA or not cost:
                return None
            table = self._table(policy)
            key, state = table.find(asked, now_us)
            tat_us, verdict = take_gcra(state if isinstance(state, int) else now_us, now_us, cost, policy)
            if not verdict.admitted:
                return None
            taken.append((table, tat_us))
            verdicts.append(verdict)
            charges.append(Charge(policy, key, cost, tat_us))
        for (table, tat_us), charge in zip(taken, charges, strict=True):
            table.put(charge.key, tat_us)
        return decision(verdicts, tuple(charges), admitted=True)

    def _judge(self, asks: Sequence[Ask], *, keep: bool) -> Decision:
        """Decide by policies of any kind."""
        tables = [self._table(policy) for policy, _, _ in asks]
        found = [table.find(key, self._at(table)) for table, (_, key, _) in zip(tables, asks, strict=True)]
        charged = [(policy, key, cost) for (policy, _, cost), (key, _) in zip(asks, found, strict=True)]
        decided, kept = judge(charged, [_words(state) for _, state in found], self._now_us, self._unix_us)
        if not keep:
            return Decision(decided.admitted, decided.verdicts, decided.tightest, (), decided.shadowed)
        for table, (key, _), words in zip(tables, found, kept, strict=True):
            if words is not None:
                table.put(key, _state(words))
        return decided

    def _give_back(self, charge: Charge) -> None:
        """Give one charge back, as far as it counts still."""
        table, steps = self._table(charge.policy), STEPS[charge.policy.algorithm]
        at_us = self._at(table)
        state = table.look(charge.key, at_us)
        if state is None:
            return
        words = steps.refund(_words(state), at_us, charge)
        if steps.ends_us(words, charge.policy) > at_us:
            table.put(charge.key, _state(words))
        else:
            table.drop(charge.key)

    def _say(self, charge: Charge) -> Verdict:
        """Return what a policy says of a key, without charging it."""
        table = self._table(charge.policy)
        known = _words(table.look(charge.key, self._at(table)))
        return take((charge.policy, charge.key, 0), known, self._now_us, self._unix_us)[1]

    def _table(self, policy: Policy) -> _Table:
        """Return a policy's table."""
        table = self._tables.get(policy.id)
        if table is None:
            at_us = self._unix_us if STEPS[policy.algorithm].wall else self._now_us
            table = self._tables[policy.id] = _Table(policy, self._max_keys, at_us)
        return table

    def _at(self, table: _Table) -> int:
        """Return the time on a table's clock."""
        return self._unix_us if table.wall else self._now_us


def _words(state: State | None) -> Words:
    if state is None:
        return ()
    return (state,) if isinstance(state, int) else state


def _state(words: Words) -> State:
    return words[0] if len(words) == 1 else words
