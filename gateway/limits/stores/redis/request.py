"""What is asked of the script, and what becomes of its answer.

A request waits until a call takes it along; then it is answered, or it failed: once, and never with an exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from gateway.errors import StoreFailure, StoreReason
from gateway.limits.joint import decision
from gateway.limits.values import Charge, Verdict

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from gateway.limits.stores.redis.rows import Row
    from gateway.limits.values import Ask, Decision

DECIDE: Final = 1
PEEK: Final = 2
REFUND: Final = 3
RENEW: Final = 4
BEAT: Final = 5
_WIDTH: Final = 5
"""How many numbers the script says of one ask."""

Message = tuple[int, *tuple["Row", ...]]


class Request(Protocol):
    """One thing asked of the script. `width`: how many numbers of a reply are its. `slot`: where its keys are."""

    keys: Sequence[bytes]
    message: Message
    width: int
    slot: int
    since_s: float

    def answered(self, said: list[int], at: int) -> None:
        """Take the answer: `width` numbers of `said` from `at` on."""

    def failed(self, reason: StoreReason) -> None:
        """Take note that there is none."""


class Deciding:
    """A decision, or with `charging` off a look."""

    __slots__ = ("asks", "charging", "future", "keys", "message", "settled", "since_s", "slot", "width")

    def __init__(
        self,
        asks: Sequence[Ask],
        named: Sequence[tuple[bytes, Row]],
        future: asyncio.Future[Decision],
        settled: Callable[[asyncio.Future[Decision], Decision], None],
        *,
        charging: bool,
    ) -> None:
        """Ask all of `asks`, by their names and rows; `settled` puts the decision into the future."""
        self.asks = asks
        self.keys: Sequence[bytes] = [name for name, _ in named]
        self.message: Message = (DECIDE if charging else PEEK, *[row for _, row in named])
        self.width = _WIDTH * len(asks)
        self.slot = 0
        self.since_s = 0.0
        self.charging = charging
        self.future = future
        self.settled = settled

    def answered(self, said: list[int], at: int) -> None:
        """Read verdicts and marks, and decide."""
        verdicts, marks = read(self.asks, said, at)
        self.settled(self.future, decide(self.asks, verdicts, marks, charging=self.charging))

    def failed(self, reason: StoreReason) -> None:
        """Fail the decision, if anyone waits for it still."""
        if not self.future.done():
            self.future.set_exception(StoreFailure(reason))


class Counting:
    """A beat, answered with a number."""

    __slots__ = ("future", "keys", "message", "since_s", "slot", "width")

    def __init__(self, name: bytes, row: Row, future: asyncio.Future[int]) -> None:
        """Ask for the number at `name`."""
        self.keys: Sequence[bytes] = (name,)
        self.message: Message = (BEAT, row)
        self.width = 1
        self.slot = 0
        self.since_s = 0.0
        self.future = future

    def answered(self, said: list[int], at: int) -> None:
        """Return it."""
        if not self.future.done():
            self.future.set_result(said[at])

    def failed(self, reason: StoreReason) -> None:
        """Fail it."""
        if not self.future.done():
            self.future.set_exception(StoreFailure(reason))


class Sent:
    """What is sent and not waited for: charges given back, places renewed. `lost` is told when it failed."""

    __slots__ = ("keys", "lost", "message", "since_s", "slot", "width")

    def __init__(self, mode: int, named: Sequence[tuple[bytes, Row]], lost: Callable[[StoreReason], None]) -> None:
        """Do `mode` with all that is named."""
        self.keys: Sequence[bytes] = [name for name, _ in named]
        self.message: Message = (mode, *[row for _, row in named])
        self.width = 0
        self.slot = 0
        self.since_s = 0.0
        self.lost = lost

    def answered(self, said: list[int], at: int) -> None:
        """Nothing follows."""

    def failed(self, reason: StoreReason) -> None:
        """Count it."""
        self.lost(reason)


def read(asks: Sequence[Ask], said: list[int], at: int) -> tuple[list[Verdict], list[int]]:
    """Return the verdicts on `asks` and the marks of what was charged, from what the script said."""
    verdicts, marks = [], []
    for policy, _, _ in asks:
        admitted, remaining, retry_after_us, reset_us, mark = said[at : at + _WIDTH]
        verdicts.append(Verdict(policy, admitted == 1, remaining, retry_after_us, reset_us))
        marks.append(mark)
        at += _WIDTH
    return verdicts, marks


def decide(asks: Sequence[Ask], verdicts: Sequence[Verdict], marks: Sequence[int], *, charging: bool) -> Decision:
    """Put together what the policies of one request say. What cost 0 was not charged."""
    admitted = True
    for verdict in verdicts:
        if not verdict.admitted and not verdict.policy.shadow:
            admitted = False
    charges: tuple[Charge, ...] = ()
    if admitted and charging:
        charges = tuple(
            [
                Charge(policy, key, cost, mark)
                for (policy, key, cost), verdict, mark in zip(asks, verdicts, marks, strict=True)
                if verdict.admitted and cost
            ]
        )
    return decision(verdicts, charges, admitted=admitted)
