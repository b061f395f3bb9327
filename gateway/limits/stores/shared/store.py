"""The counts of all limits in memory that the processes of one machine share: exact over all of them, without a server.

Invariants: all that a request touches is locked before any of it is read, in ascending order (buckets before cells, an
older table before a younger one), and given back together; between the two there is only arithmetic. A process that is
killed holds nothing up and hands no quota back: what it had written of its request stays charged. Clocks never go back,
for this process nor for the keys of a bucket.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from gateway.limits.algorithms import STEPS
from gateway.limits.joint import judge, take
from gateway.limits.policy import Algorithm
from gateway.limits.stores.shared.counts import Counts
from gateway.limits.stores.shared.layout import DIGEST_BYTES
from gateway.limits.stores.shared.memory import Memory, make_table, nameless_file
from gateway.limits.stores.shared.seat import Seat
from gateway.limits.values import Decision

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gateway.limits.policy import Policy
    from gateway.limits.values import Ask, Charge, Verdict

_CONCURRENCY: Final = Algorithm.CONCURRENCY
KEYS: Final = 100_000


class SharedTable:
    """The table, as the one sees it who makes it for others, and lives longer than they do."""

    def __init__(self, fd: int, policies: Sequence[Policy]) -> None:
        """Take over the descriptor of a table; see `SharedStore.create`."""
        self._fd = fd
        self._memory = Memory(fd, policies)
        self.policies = tuple(policies)

    def fileno(self) -> int:
        """Return the descriptor to hand to children. It is not inherited unless that is asked for (`pass_fds`)."""
        return self._fd

    @property
    def size_bytes(self) -> int:
        """How much memory the table takes at most. It takes it page by page, as keys come."""
        return len(self._memory.bytes)

    def clear(self, index: int) -> None:
        """Give back the places that the process `index` held. It must have ended, and its successor not begun."""
        self._memory.clear(index)

    def close(self) -> None:
        """Let go of the table. It lives on in those who hold its descriptor."""
        self._memory.close()
        os.close(self._fd)


class Annex(NamedTuple):
    """Another table, open and not yet counted in; whoever lets go of it closes its `memory`."""

    memory: Memory
    counts: dict[str, Counts]


class SharedStore:
    """Decides requests by the counts that several processes share. Not for several threads of one."""

    def __init__(self, memory: Memory, index: int) -> None:
        """Count in `memory` in the name of the process `index`; see `open`."""
        self._index = index
        self._memories = [memory]
        self._counts: dict[str, Counts] = self._counts_of(memory)
        self._now_us = 0
        self._unix_us = 0

    @staticmethod
    def create(
        policies: Sequence[Policy], *, processes: int, max_keys: int = KEYS, secret: bytes | None = None
    ) -> SharedTable:
        """Make an empty table for `processes`, with room for `max_keys` keys of each policy.

        `secret` (16 bytes) keys the hashes of keys; by default it is the system's. Raises OSError where the system has
        not what it takes, and ValueError for numbers below 1.
        """
        secret = os.urandom(DIGEST_BYTES) if secret is None else secret
        fd = nameless_file()
        try:
            make_table(fd, policies, processes=processes, max_keys=max_keys, secret=secret)
            return SharedTable(fd, policies)
        except (OSError, ValueError):
            os.close(fd)
            raise

    @classmethod
    def open(cls, fd: int, policies: Sequence[Policy], *, index: int) -> Self:
        """Share the table behind `fd`, as the process `index` of those it was made for, counted from 0.

        No two processes may have one index at a time: places that its predecessor held are given back here. `fd` stays
        the caller's, and must be open as long as the store is. Raises ValueError when the table was made for other
        policies or has no such process, OSError when it cannot be mapped.
        """
        memory = Memory(fd, policies)
        memory.enter(index)
        return cls(memory, index)

    def add(self, fd: int, policies: Sequence[Policy]) -> None:
        """Count further policies in another table, as `open` does; all who share it must add it behind the same ones.

        Policies that are in a table already are from now on counted in this one.
        """
        self.join(self.annex(fd, policies))

    def annex(self, fd: int, policies: Sequence[Policy]) -> Annex:
        """Open another table, and change nothing yet: what takes long of `add`, and may be done in another thread."""
        memory = Memory(fd, policies)
        memory.enter(self._index)
        return Annex(memory, self._counts_of(memory))

    def join(self, annex: Annex) -> None:
        """Count in another table from now on: what is left of `add`."""
        self._memories = [*self._memories, annex.memory]
        self._counts.update(annex.counts)

    def keep(self, ids: Collection[str]) -> list[int]:
        """Let go of the tables in which none of these policies is; return their descriptors, which may be closed."""
        left = [memory for memory in self._memories if memory.layout.areas.keys().isdisjoint(ids)]
        self._memories = [memory for memory in self._memories if memory not in left]
        self._counts = {name: one for name, one in self._counts.items() if one.memory not in left}
        for memory in left:
            memory.close()
        return [memory.fd for memory in left]

    def __contains__(self, policy: Policy) -> bool:
        """Tell whether there is room for a policy."""
        return policy.id in self._counts

    def _counts_of(self, memory: Memory) -> dict[str, Counts]:
        return {name: Counts(memory, area, self._index) for name, area in memory.layout.areas.items()}

    def close(self) -> None:
        """Let go of the tables. What is counted stays."""
        for memory in self._memories:
            memory.close()

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:
        """Charge every policy of one request, or none of them when one refuses.

        Both clocks are in microseconds, the monotonic one is that of the machine. Where one goes back, its time stands
        still until it has caught up.
        """
        self._read_clocks(now_us, unix_us)
        return self._judge(asks, keep=True)

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:
        """Return what the policies would say to a request, without charging any."""
        self._read_clocks(now_us, unix_us)
        return self._judge(asks, keep=False)

    def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:
        """Give back what a request was charged and return what its policies say then, those in shadow mode nothing.

        To be called once a request, and not for one whose places are released.
        """
        self._read_clocks(now_us, unix_us)
        verdicts = [self._give_back(charge) for charge in charges if charge.policy.id in self._counts]
        return tuple([verdict for verdict in verdicts if not verdict.policy.shadow])

    def release(self, charges: Sequence[Charge], now_us: int) -> None:
        """Note that a request ended which held places under policies of concurrency; of other charges, do nothing."""
        self._read_clocks(now_us, 0)
        for charge in charges:
            if charge.policy.algorithm is _CONCURRENCY and charge.policy.id in self._counts:
                self._give_back(charge)

    def _read_clocks(self, now_us: int, unix_us: int) -> None:
        self._now_us = max(self._now_us, now_us)
        self._unix_us = max(self._unix_us, unix_us)

    def _judge(self, asks: Sequence[Ask], *, keep: bool) -> Decision:
        """Decide a request with all that it touches locked."""
        seats = self._seats(asks)
        try:
            self._lock(seats)
            now_us, unix_us = self._times_us(seats)
            self._find(seats, now_us, unix_us)
            charged = [(seat.policy, seat.key, seat.cost) for seat in seats]
            decided, kept = judge(charged, [seat.words() for seat in seats], now_us, unix_us)
            if keep:
                for seat, words in zip(seats, kept, strict=True):
                    if words is not None:
                        seat.charge(words)
                return decided
        finally:
            self._unlock()
        return Decision(decided.admitted, decided.verdicts, decided.tightest, (), decided.shadowed)

    def _seats(self, asks: Sequence[Ask]) -> list[Seat]:
        """Return where all keys belong; a policy that no configuration has any more holds up nobody who still asks."""
        counts = self._counts
        try:
            return [Seat(counts[policy.id], policy, key, cost) for policy, key, cost in asks]
        except KeyError:
            return [Seat(counts[policy.id], policy, key, cost) for policy, key, cost in asks if policy.id in counts]

    def _times_us(self, seats: Sequence[Seat]) -> tuple[int, int]:
        """Return both clocks' times, not behind what any of the buckets has seen."""
        now_us, unix_us = self._now_us, self._unix_us
        for seat in seats:
            latest_us = seat.latest_us()
            if seat.wall:
                unix_us = max(unix_us, latest_us)
            else:
                now_us = max(now_us, latest_us)
        return now_us, unix_us

    def _find(self, seats: Sequence[Seat], now_us: int, unix_us: int) -> None:
        """Find all states. Those without room move to the overflow key; its cells stand behind all buckets."""
        taken: list[int] = []
        homeless = [seat for seat in seats if not seat.find(unix_us if seat.wall else now_us, taken)]
        if homeless:
            for seat in homeless:
                seat.move()
            self._lock(homeless)

    def _lock(self, seats: Sequence[Seat]) -> None:
        """Lock the buckets or cells of seats; those of a younger table behind those of an older one."""
        if len(self._memories) == 1:
            self._memories[0].lock([seat.bucket for seat in seats])
            return
        for memory in self._memories:
            memory.lock([seat.bucket for seat in seats if seat.memory is memory])

    def _unlock(self) -> None:
        for memory in self._memories:
            memory.unlock()

    def _give_back(self, charge: Charge) -> Verdict:
        """Give one charge back, as far as it counts still, and return what its policy says then."""
        policy = charge.policy
        seat = Seat(self._counts[policy.id], policy, charge.key, 0)
        memory = seat.memory
        try:
            memory.lock((seat.bucket,))
            now_us, unix_us = self._times_us((seat,))
            at_us = unix_us if seat.wall else now_us
            seat.find(at_us, [])
            words = STEPS[policy.algorithm].refund(seat.words(), at_us, charge)
            seat.refund(words, charge)
            return take((policy, charge.key, 0), words, now_us, unix_us)[1]
        finally:
            memory.unlock()
