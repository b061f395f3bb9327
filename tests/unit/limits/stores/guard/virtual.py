"""A loop without sockets in a time of its own, a store that does as it is told, and a guard over it."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol, cast

from gateway.errors import StoreFailure, StoreReason
from gateway.limits.stores import MemoryStore
from gateway.limits.stores.guard.store import GuardedStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.limits import Ask, Charge, Decision
    from gateway.limits.stores.guard.breaker import State

EPOCH_US = 1_700_000_000_000_000
"""Unix time when virtual time is 0."""
START_US = 10**12
"""How far the store's monotonic clock is ahead of ours."""
BOUNDS_S = (0.001, 0.01, 0.05)
TURNS = 10_000


class Timer:
    """Something that is to happen, unless it is cancelled."""

    def __init__(self, callback: Callable[[], object]) -> None:
        """Promise it."""
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Let it not happen."""
        self.cancelled = True


class VirtualLoop:
    """As much of a loop as futures and timers need, and a clock. Nothing happens but in `settle` and `advance`."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.now_us = 0
        self._ready: deque[Callable[[], object]] = deque()
        self._timers: list[tuple[int, int, Timer]] = []
        self._order = count()

    def get_debug(self) -> bool:
        """Return what futures ask."""
        return False

    def monotonic_s(self) -> float:
        """Return seconds: a quarter of a microsecond more, so that who cuts them off has whole ones."""
        return (self.now_us + 0.25) / 1_000_000

    def call_soon(self, callback: Callable[..., object], *args: object, context: object = None) -> None:
        """Call in the next turn."""
        self._ready.append(partial(callback, *args))

    def call_later(self, delay_s: float, callback: Callable[..., object], *args: object) -> Timer:
        """Call when the time has come."""
        timer = Timer(partial(callback, *args))
        heapq.heappush(self._timers, (self.now_us + round(delay_s * 1_000_000), next(self._order), timer))
        return timer

    def create_future(self) -> asyncio.Future[Any]:
        """Return one of ours."""
        return asyncio.Future(loop=cast("asyncio.AbstractEventLoop", self))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Let no failure go unseen."""
        raise AssertionError(context)

    @property
    def timers(self) -> int:
        """How many timers run."""
        return sum(not timer.cancelled for _, _, timer in self._timers)

    def settle(self) -> None:
        """Do what can be done now."""
        for _ in range(TURNS):
            if not self._ready:
                return
            self._ready.popleft()()
        raise AssertionError("it never ends")

    def advance(self, us: int) -> None:
        """Let time pass, from one timer to the next."""
        end_us = self.now_us + us
        self.settle()
        while self._timers and self._timers[0][0] <= end_us:
            self.now_us, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                timer.callback()
            self.settle()
        self.now_us = end_us


class Later(Protocol):
    """What the store needs of a loop, virtual or real."""

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of it."""

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: Any) -> object:  # noqa: ANN401
        """Call when the time has come."""


class ScriptedRemote:
    """A store on clocks of its own. It decides `there_us` after it is asked, and answers `back_us` later.

    `failing`: it answers so. `stalled`: it takes what it is asked and does it when it is `resumed`, in order.
    `unrefunded` are the charges that it made and was not given back.
    """

    def __init__(self, loop: VirtualLoop, *, there_us: int = 0, back_us: int = 0) -> None:
        """Answer at once, unless told otherwise."""
        self.loop: Later = loop
        self.clock = loop
        self.there_us = there_us
        self.back_us = back_us
        self.failing: BaseException | None = None
        self.stalled = False
        self.store = MemoryStore()
        self.calls: list[list[Ask]] = []
        self.peeks = 0
        self.unrefunded: list[Charge] = []
        self.released: list[Charge] = []
        self.beats: list[bytes] = []
        self.replicas: int | StoreReason = 1
        self.closed = False
        self._backlog: list[Callable[[], None]] = []

    @property
    def time_us(self) -> tuple[int, int]:
        """The store's own clocks."""
        return START_US + self.clock.now_us, EPOCH_US + self.clock.now_us

    def decide(self, asks: Sequence[Ask]) -> asyncio.Future[Decision]:
        """Decide later."""
        self.calls.append(list(asks))

        def judged() -> Decision:
            decided = self.store.decide(asks, *self.time_us)
            self.unrefunded += decided.charges
            return decided

        return self._later(judged)

    def peek(self, asks: Sequence[Ask]) -> asyncio.Future[Decision]:
        """Look later."""
        self.peeks += 1
        return self._later(lambda: self.store.peek(asks, *self.time_us))

    def refund(self, charges: Sequence[Charge]) -> None:
        """Take charges back, on the same way as the calls."""

        def taken_back() -> None:
            self.store.refund(charges, *self.time_us)

        for charge in charges:
            self.unrefunded.remove(charge)
        self._arrive(taken_back)

    def release(self, charges: Sequence[Charge]) -> None:
        """Take places back."""
        self.released += charges

    async def beat(self, replica: bytes) -> int:
        """Count replicas, as told."""
        self.beats.append(replica)
        if isinstance(self.replicas, StoreReason):
            raise StoreFailure(self.replicas)
        return self.replicas

    async def aclose(self) -> None:
        """Note it."""
        self.closed = True

    def resume(self) -> None:
        """Do all that was left undone."""
        self.stalled = False
        backlog, self._backlog = self._backlog, []
        for step in backlog:
            step()

    def _arrive(self, step: Callable[[], None]) -> None:
        """Do a step when it has got here, or when the stall is over."""

        def arrived() -> None:
            if self.stalled:
                self._backlog.append(step)
            else:
                step()

        if self.there_us:
            self.loop.call_later(self.there_us / 1_000_000, arrived)
        else:
            arrived()

    def _later(self, judge: Callable[[], Decision]) -> asyncio.Future[Decision]:
        future = self.loop.create_future()
        back_us, failing = self.back_us, self.failing

        def step() -> None:
            if isinstance(failing, asyncio.CancelledError):
                future.cancel()
            elif failing is not None:
                self._answer(back_us, future.set_exception, failing)
            else:
                self._answer(back_us, future.set_result, judge())

        self._arrive(step)
        return future

    def _answer(self, back_us: int, tell: Callable[[Any], None], said: Any) -> None:  # noqa: ANN401
        if back_us:
            self.loop.call_later(back_us / 1_000_000, tell, said)
        else:
            tell(said)


class Guarded:
    """A guard over a scripted store."""

    def __init__(self, loop: VirtualLoop, remote: ScriptedRemote, *, replicas: int = 1) -> None:
        """Make it, in working order."""
        self.loop = loop
        self.remote = remote
        self.changes: list[tuple[State, StoreReason | None]] = []
        self.store = GuardedStore(
            remote,
            MemoryStore(),
            loop,
            replica=b"one",
            replicas=replicas,
            bounds_s=BOUNDS_S,
            call_later=loop.call_later,
            on_change=lambda state, reason: self.changes.append((state, reason)),
        )

    @property
    def unix_us(self) -> int:
        """Unix time."""
        return EPOCH_US + self.loop.now_us

    def ask(self, *asks: Ask) -> Decision | asyncio.Future[Decision]:
        """Ask, and let whatever comes of it be for later."""
        return self.store.decide(asks, self.loop.now_us, self.unix_us)

    def now(self, *asks: Ask) -> Decision:
        """Ask, and expect the decision in this moment."""
        return self.decided(self.ask(*asks))

    def decided(self, deciding: Decision | asyncio.Future[Decision]) -> Decision:
        """Return what was decided by now."""
        self.loop.settle()
        return deciding.result() if isinstance(deciding, asyncio.Future) else deciding


def guarded(*, there_us: int = 0, back_us: int = 0, replicas: int = 1) -> Guarded:
    """Make all three."""
    loop = VirtualLoop()
    return Guarded(loop, ScriptedRemote(loop, there_us=there_us, back_us=back_us), replicas=replicas)
