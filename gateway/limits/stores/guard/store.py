"""A store on another machine, made safe to ask: each request has an answer by the deadline, whatever the store does.

A decision goes through, in this order: leases (units that are here already), what was denied before, the breaker, the
store itself with one deadline for all of it, and where that gives none, the stand-in. Where nothing has to be waited
for, the decision is returned as it is. Nothing here raises on account of the store.

Invariants: a request is charged in one place, and only if it is told so. What the store charges for a request that was
answered without it, or that has left, is given back as soon as it is heard of. When the breaker opens, all that wait
are answered at once. A charge bears where it was made (`charges`), and is given back there.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from gateway.errors import StoreFailure, StoreReason
from gateway.limits.joint import decision
from gateway.limits.policy import Algorithm
from gateway.limits.stores.guard.breaker import Breaker, State
from gateway.limits.stores.guard.charges import LeasedCharge, ShareCharge
from gateway.limits.stores.guard.denied import Denied
from gateway.limits.stores.guard.heartbeat import Heartbeat
from gateway.limits.stores.guard.leasing import Leasing, joined
from gateway.limits.stores.guard.standin import StandIn
from gateway.limits.stores.guard.tally import Tally, Where
from gateway.limits.stores.guard.waiting import Queue, Waiting
from gateway.limits.values import Decision
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.limits.stores.guard.tally import StoreStats
    from gateway.limits.stores.guard.waiting import CallLater, Timer
    from gateway.limits.stores.memory import MemoryStore
    from gateway.limits.stores.remote import Remote
    from gateway.limits.values import Ask, Charge, Verdict

DEADLINE_US: Final = 50_000
"""How long a request waits for its store, whatever happens."""


class Clock(Protocol):
    """Tells the time."""

    def monotonic_s(self) -> float:
        """Return seconds since some fixed moment."""


def _on_running_loop(delay_s: float, callback: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(delay_s, callback)


def _nobody(_state: State, _reason: StoreReason | None) -> None:
    """Hear of a change, and tell nobody."""


class GuardedStore:
    """The `Store` port over a `Remote`; see the module.

    `on_change` hears `(State.OPEN, why)` when the store is given up and `(State.OK, None)` when it decides again; of
    the probes in between it hears nothing.
    """

    def __init__(  # noqa: PLR0913 - its ports, and what an operator may set
        self,
        remote: Remote,
        local: MemoryStore,
        clock: Clock,
        *,
        replica: bytes,
        replicas: int = 1,
        bounds_s: Sequence[float] = (),
        deadline_us: int = DEADLINE_US,
        call_later: CallLater = _on_running_loop,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_change: Callable[[State, StoreReason | None], None] = _nobody,
    ) -> None:
        """Guard `remote`. `local` keeps the counts while it is away.

        `replica` is this process's name among those that share the store, `replicas` how many there are at the least,
        and until the store has said. `bounds_s` are the bounds of the histogram of latencies.
        """
        self._remote = remote
        self._clock = clock
        self._least = replicas
        self._stand_in = StandIn(local, replicas)
        self._denied = Denied(grace_us=deadline_us)
        self._leasing = Leasing()
        self._breaker = Breaker()
        self._tally = Tally(bounds_s)
        self._queue = Queue(deadline_us, self._now_us, call_later, self._expired)
        self._on_change = on_change
        self._told = State.OK
        self._heartbeat = Heartbeat(remote, replica, counted=self._counted, failed=self._tally.failed, sleep=sleep)

    async def start(self) -> None:
        """Begin to beat. The store need not be there."""
        self._heartbeat.start()

    async def aclose(self) -> None:
        """Answer all that wait, and end."""
        await self._heartbeat.aclose()
        self._give_up(self._now_us())
        await self._remote.aclose()

    def stats(self) -> StoreStats:
        """Return what was counted until now."""
        return self._tally.read(self._breaker.state, self._stand_in.replicas)

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision | asyncio.Future[Decision]:
        """Decide as the port says. The future that may be returned is resolved by the deadline, and raises nothing.

        Who leaves cancels it. If it is done already then, its charges are the caller's to give back.
        """
        waiting = Waiting(asks, now_us, unix_us)
        waiting.held, waiting.asks = self._leasing.spend(asks, now_us)
        refusals = self._refusals(waiting.asks, now_us)
        if refusals:
            self._put_back(waiting)
            self._tally.decided(Where.DENIED)
            return decision(refusals, admitted=False)
        if not waiting.asks:
            self._tally.decided(Where.LEASED)
            return joined(asks, _NOTHING, waiting.held)
        waiting.sent = self._leasing.widen(waiting.asks)
        return self._ask(waiting)

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision | asyncio.Future[Decision]:
        """Return what the policies would say, to the store or without it. What is leased counts as spent."""
        return self._ask(Waiting(asks, now_us, unix_us, looks=True))

    def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:
        """Give back what was charged, where it was charged.

        Returns the verdicts of what is counted here alone: what the store would say then, only the store knows.
        """
        self._leasing.give_back(charges)
        self._return(_of_store(charges), now_us)
        return self._stand_in.refund(charges, now_us, unix_us)

    def release(self, charges: Sequence[Charge], now_us: int) -> None:
        """Give back places, where they are held."""
        self._stand_in.release(charges, now_us)
        if any(charge.policy.algorithm is _CONCURRENCY for charge in _of_store(charges)):
            self._remote.release(_of_store(charges))

    def _refusals(self, asks: Sequence[Ask], now_us: int) -> list[Verdict]:
        """Return the verdicts of policies that are known to refuse."""
        if not self._denied:
            return []
        known = [self._denied.look(policy, key, cost, now_us) for policy, key, cost in asks if not policy.shadow]
        return [verdict for verdict in known if verdict is not None]

    # The call.

    def _ask(self, waiting: Waiting) -> Decision | asyncio.Future[Decision]:
        """Begin a request's call, or decide without the store."""
        ticket = self._breaker.enter(waiting.asked_us)
        if not ticket:
            self._leasing.ended(waiting.asks, waiting.sent)
            return self._without(waiting, waiting.asked_us)
        loop = self._call(waiting, ticket, waiting.asked_us)
        answer = waiting.answer = loop.create_future()
        self._queue.add(waiting)
        return answer

    def _call(self, waiting: Waiting, ticket: int, now_us: int) -> asyncio.AbstractEventLoop:
        """Begin a call; return the loop that it runs on."""
        waiting.ticket = ticket
        waiting.sent_us = now_us
        waiting.under_way = True
        future = self._remote.peek(waiting.sent) if waiting.looks else self._remote.decide(waiting.sent)
        future.add_done_callback(partial(self._heard, waiting))
        return future.get_loop()

    def _heard(self, waiting: Waiting, future: asyncio.Future[Decision]) -> None:
        """Take what the store says, in time or late."""
        now_us = self._now_us()
        waiting.under_way = False
        self._tally.took(now_us - waiting.sent_us)
        self._leasing.ended(waiting.asks, waiting.sent)
        reason = _failure(future)
        if reason is not None:
            self._failed(waiting, reason, now_us)
            return
        if self._breaker.succeeded(waiting.ticket):
            self._tell(State.OK, None)
        decided = future.result()
        if not waiting.looks:
            self._denied.note(waiting.sent, decided, waiting.sent_us, now_us)
        if waiting.answer.done():
            self._put_back(waiting)
            self._return(decided.charges, now_us)
        elif decided.admitted or waiting.looks:
            self._admitted(waiting, decided, now_us)
        else:
            self._refused(waiting, decided, now_us)

    def _admitted(self, waiting: Waiting, decided: Decision, now_us: int) -> None:
        """Answer what the store said, and keep the leases that it granted."""
        if not waiting.looks:
            self._tally.decided(Where.REMOTE)
            decided, spent = self._leasing.granted(waiting.asks, waiting.sent, decided, waiting.sent_us, now_us)
            decided = joined(waiting.request, decided, [*waiting.held, *spent])
            waiting.held = []
        waiting.answer.set_result(decided)

    def _refused(self, waiting: Waiting, decided: Decision, now_us: int) -> None:
        """Answer a refusal; ask once more where only a lease was refused, and not what the request costs."""
        verdicts = self._unwidened(waiting, decided, now_us)
        if waiting.sent is not waiting.asks and all(verdict.admitted for verdict in verdicts):
            waiting.sent = waiting.asks
            self._call(waiting, self._breaker.enter(now_us), now_us)
            return
        self._put_back(waiting)
        self._tally.decided(Where.REMOTE)
        waiting.answer.set_result(decision([*verdicts, *decided.shadowed], admitted=False))

    def _unwidened(self, waiting: Waiting, decided: Decision, now_us: int) -> list[Verdict]:
        """Return the verdicts of a refusal as if nothing had been asked for but what the request costs.

        Of a policy that refused the lease but may admit the request nothing is known.
        """
        asked = {ask[0].id: (ask, sent[2]) for ask, sent in zip(waiting.asks, waiting.sent, strict=True)}
        verdicts: list[Verdict] = []
        for verdict in decided.verdicts:
            (policy, key, cost), units = asked[verdict.policy.id]
            if units == cost or verdict.admitted:
                verdicts.append(verdict)
            elif (known := self._denied.look(policy, key, cost, now_us)) is not None:
                verdicts.append(known)
        return verdicts

    # What happens when the store does not decide.

    def _expired(self, waiting: Waiting, now_us: int) -> None:
        """Wait for a call no longer. What it charges late is given back when it is heard of."""
        self._failed(waiting, StoreReason.TIMEOUT, now_us)
        waiting.ticket = 0

    def _failed(self, waiting: Waiting, reason: StoreReason, now_us: int) -> None:
        """Count a failure, once for each call, and answer without the store."""
        opened = False
        if waiting.ticket:
            self._tally.failed(reason)
            opened = self._breaker.failed(waiting.ticket, now_us)
        self._resolve_without(waiting, now_us)
        if opened:
            self._tell(State.OPEN, reason)
            self._give_up(now_us)

    def _give_up(self, now_us: int) -> None:
        """Answer all that wait without the store."""
        for waiting in self._queue.drain():
            self._resolve_without(waiting, now_us)

    def _resolve_without(self, waiting: Waiting, now_us: int) -> None:
        if waiting.answer.done():
            self._put_back(waiting)
        else:
            waiting.answer.set_result(self._without(waiting, now_us))

    def _without(self, waiting: Waiting, now_us: int) -> Decision:
        """Decide without the store. What was spent of leases it had charged before, and that holds."""
        unix_us = waiting.unix_us + now_us - waiting.asked_us
        if waiting.looks:
            return self._stand_in.peek(waiting.asks, now_us, unix_us)
        decided, where = self._stand_in.decide(waiting.asks, now_us, unix_us)
        self._tally.decided(where)
        if decided.admitted:
            decided = joined(waiting.request, decided, waiting.held)
            waiting.held = []
        self._put_back(waiting)
        return decided

    # The rest.

    def _put_back(self, waiting: Waiting) -> None:
        """Give back what was spent of leases, where it was not spent after all."""
        self._leasing.give_back([charge for _, charge in waiting.held])
        waiting.held = []

    def _return(self, charges: Sequence[Charge], now_us: int) -> None:
        """Give charges back to the store; what it refused before may be admitted then."""
        if charges:
            self._denied.forget(charges, now_us)
            self._remote.refund(charges)

    def _tell(self, state: State, reason: StoreReason | None) -> None:
        """Tell of a change, but not that it is as it was."""
        if state is not self._told:
            self._told = state
            self._on_change(state, reason)

    def _counted(self, replicas: int) -> None:
        self._stand_in.replicas = max(replicas, self._least)

    def _now_us(self) -> int:
        return int(self._clock.monotonic_s() * US_IN_S)


_NOTHING: Final = Decision(admitted=True, verdicts=(), tightest=None)
_CONCURRENCY: Final = Algorithm.CONCURRENCY


def _failure(future: asyncio.Future[Decision]) -> StoreReason | None:
    """Return why a call failed; None when it did not."""
    if future.cancelled():
        return StoreReason.OTHER
    failure = future.exception()
    if failure is None:
        return None
    return failure.reason if isinstance(failure, StoreFailure) else StoreReason.OTHER


def _of_store(charges: Sequence[Charge]) -> list[Charge]:
    """Return those of charges that the store made, for the request itself."""
    return [charge for charge in charges if not isinstance(charge, LeasedCharge | ShareCharge)]
