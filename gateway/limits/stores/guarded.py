"""A store on another machine, made safe to ask: every request has an answer within the deadline, whatever the store does.

A decision goes through, in this order: leases (units that are here already), what was denied before, the breaker, the
store itself with one deadline for all of it, and where that gives none, the stand-in. Where nothing has to be waited
for, the decision is returned as it is. Nothing here raises on account of the store.

Invariants: a request is charged in one place, and only if it is told so. What the store charges for a request that was
answered without it, or that has left, is given back as soon as it is heard of. When the breaker opens, all that wait are
answered at once. Charges bear where they were made: those under shares are `local`, those of leases have marks below 0.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from gateway.errors import StoreFailure, StoreReason
from gateway.limits.gcra import tightness
from gateway.limits.stores.breaker import Breaker, State
from gateway.limits.stores.denied import Denied
from gateway.limits.stores.heartbeat import Heartbeat
from gateway.limits.stores.leases import Leases
from gateway.limits.stores.standin import StandIn
from gateway.limits.stores.tally import Tally, Where
from gateway.limits.stores.waiting import Queue, Waiting
from gateway.limits.values import Charge, Decision

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.limits.stores.leases import Spent
    from gateway.limits.stores.memory import MemoryStore
    from gateway.limits.stores.port import Deciding
    from gateway.limits.stores.remote import Remote
    from gateway.limits.stores.tally import StoreStats
    from gateway.limits.stores.waiting import CallLater, Timer
    from gateway.limits.values import Ask, Verdict

DEADLINE_US: Final = 50_000
"""How long a request waits for its store, whatever happens."""
_US_IN_S: Final = 1_000_000


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

    `on_change` hears `(State.OPEN, why)` when the store is given up and `(State.OK, None)` when it decides again; not of
    each probe in between.
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

        `replica` is this process's name among those that share the store, `replicas` how many there are until the store
        has said. `bounds_s` are the bounds of the histogram of latencies.
        """
        self._remote = remote
        self._clock = clock
        self._stand_in = StandIn(local, replicas)
        self._denied = Denied(grace_us=deadline_us)
        self._leases = Leases()
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
        self._give_up(self._queue.drain())
        await self._remote.aclose()

    def stats(self) -> StoreStats:
        """Return what was counted until now."""
        return self._tally.read(self._breaker.state, self._stand_in.replicas)

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision | Deciding:
        """Decide as the port says. The future that may be returned is resolved by the deadline, and raises nothing.

        Who leaves cancels it. If it is done already then, its charges are the caller's to give back.
        """
        held, rest = self._spend(asks, now_us)
        refusals = self._refusals(rest, now_us)
        if refusals:
            self._put_back(held)
            self._tally.decided(Where.DENIED)
            return _decision(admitted=False, verdicts=refusals)
        if held and not rest:
            self._tally.decided(Where.LEASED)
            return _with_leases(_NOTHING, held, asks)
        return self._ask(Waiting(rest, held, now_us, unix_us))

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision | Deciding:
        """Return what the policies would say, to the store or without it. What is leased counts as spent."""
        return self._ask(Waiting(list(asks), [], now_us, unix_us, looks=True))

    def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:
        """Give back what was charged, where it was charged.

        Returns the verdicts of what is counted here alone: what the store would say then, only the store knows.
        """
        remote = [charge for charge in charges if charge.mark >= 0 and not charge.policy.local]
        if remote:
            self._return(remote, now_us)
        for charge in charges:
            if charge.mark < 0:
                self._leases.give_back(charge)
        local = [charge for charge in charges if charge.policy.local]
        return self._stand_in.refund(local, now_us, unix_us) if local else ()

    def release(self, charges: Sequence[Charge], now_us: int) -> None:
        """Give back places, where they are held."""
        local = [charge for charge in charges if charge.policy.local]
        if local:
            self._stand_in.release(local, now_us)
        remote = [charge for charge in charges if charge.mark >= 0 and not charge.policy.local]
        if remote:
            self._remote.release(remote)

    # What can be said without the store.

    def _spend(self, asks: Sequence[Ask], now_us: int) -> tuple[list[Spent], list[Ask]]:
        """Spend of leases what they have, and return that and what is left to ask for."""
        held: list[Spent] = []
        rest: list[Ask] = []
        for ask in asks:
            policy, key, cost = ask
            spent = self._leases.spend(policy, key, cost, now_us) if policy.lease else None
            if spent is None:
                rest.append(ask)
            else:
                held.append(spent)
        return held, rest

    def _put_back(self, held: Sequence[Spent]) -> None:
        for _, charge in held:
            self._leases.give_back(charge)

    def _refusals(self, asks: Sequence[Ask], now_us: int) -> list[Verdict]:
        """Return the verdicts of policies that are known to refuse."""
        if not len(self._denied):
            return []
        known = [self._denied.look(policy, key, cost, now_us) for policy, key, cost in asks if not policy.shadow]
        return [verdict for verdict in known if verdict is not None]

    # The call.

    def _ask(self, waiting: Waiting) -> Decision | asyncio.Future[Decision]:
        """Begin a request's call, or decide without the store."""
        ticket = self._breaker.enter(waiting.asked_us)
        if not ticket:
            return self._without(waiting, waiting.asked_us)
        if not waiting.looks:
            waiting.sent = self._widened(waiting.asks)
        future = self._call(waiting, ticket, waiting.asked_us)
        answer = waiting.answer = future.get_loop().create_future()
        self._queue.add(waiting)
        return answer

    def _call(self, waiting: Waiting, ticket: int, now_us: int) -> asyncio.Future[Decision]:
        waiting.ticket = ticket
        waiting.sent_us = now_us
        waiting.under_way = True
        call = self._remote.peek if waiting.looks else self._remote.decide
        future = call(waiting.sent)
        future.add_done_callback(partial(self._heard, waiting))
        return future

    def _widened(self, asks: list[Ask]) -> list[Ask]:
        """Ask for leases where there are to be some."""
        sent: list[Ask] = []
        for policy, key, cost in asks:
            units = self._leases.wanted(policy, key, cost) if policy.lease else cost
            if units != cost:
                self._leases.begin(policy, key)
            sent.append((policy, key, units))
        return sent

    def _heard(self, waiting: Waiting, future: asyncio.Future[Decision]) -> None:
        """Take what the store says, in time or late."""
        now_us = self._now_us()
        waiting.under_way = False
        self._tally.took(now_us - waiting.sent_us)
        for (policy, key, cost), (_, _, units) in zip(waiting.asks, waiting.sent, strict=True):
            if units != cost:
                self._leases.end(policy, key)
        reason = _failure(future)
        if reason is not None:
            self._failed(waiting, reason, now_us)
            return
        if self._breaker.succeeded(waiting.ticket):
            self._tell(State.OK, None)
        decision = future.result()
        if not waiting.looks and not decision.admitted:
            self._denied.note(waiting.sent, decision, waiting.sent_us, now_us)
        if _open(waiting):
            self._answered(waiting, decision, now_us)
        else:
            self._put_back(waiting.held)
            self._return(decision.charges, now_us)

    def _answered(self, waiting: Waiting, decision: Decision, now_us: int) -> None:
        """Answer a request by what the store said, in time."""
        if decision.admitted or waiting.looks:
            self._resolve(waiting, self._leased(waiting, decision, now_us), Where.REMOTE)
            return
        verdicts = self._unwidened(waiting, decision, now_us)
        if all(verdict.admitted for verdict in verdicts):
            self._ask_again(waiting, now_us)
            return
        self._put_back(waiting.held)
        shadowed = decision.shadowed
        self._resolve(waiting, _decision(admitted=False, verdicts=verdicts, shadowed=shadowed), Where.REMOTE)

    def _leased(self, waiting: Waiting, decision: Decision, now_us: int) -> Decision:
        """Keep the leases that the store granted, and return the decision for the request alone."""
        spent, verdicts, charges = list(waiting.held), list(decision.verdicts), list(decision.charges)
        for (policy, key, cost), (_, _, units) in zip(waiting.asks, waiting.sent, strict=True):
            if units != cost:
                charge = next(charge for charge in charges if charge.policy is policy and charge.key == key)
                verdict = next(verdict for verdict in verdicts if verdict.policy is policy)
                charges.remove(charge)
                verdicts.remove(verdict)
                spent.append(self._leases.put(charge, verdict, cost, waiting.sent_us, now_us))
        if not spent:
            return decision
        rest = Decision(True, tuple(verdicts), None, tuple(charges), decision.shadowed)
        return _with_leases(rest, spent, waiting.asks)

    def _unwidened(self, waiting: Waiting, decision: Decision, now_us: int) -> list[Verdict]:
        """Return the verdicts of a refusal as if nothing had been asked for but what the request costs.

        Of a policy that refused the lease but may admit the request nothing is known.
        """
        costs = {sent[0].id: (ask, sent[2]) for ask, sent in zip(waiting.asks, waiting.sent, strict=True)}
        verdicts: list[Verdict] = []
        for verdict in decision.verdicts:
            (policy, key, cost), units = costs[verdict.policy.id]
            if units == cost or verdict.admitted:
                verdicts.append(verdict)
            elif (known := self._denied.look(policy, key, cost, now_us)) is not None:
                verdicts.append(known)
        return verdicts

    def _ask_again(self, waiting: Waiting, now_us: int) -> None:
        """Ask for what the request costs: more than that there is not. The deadline stays as it is."""
        ticket = self._breaker.enter(now_us)
        waiting.sent = waiting.asks
        if ticket:
            self._call(waiting, ticket, now_us)
        else:
            self._resolve_without(waiting, now_us)

    # What happens when the store does not decide.

    def _expired(self, waiting: Waiting, now_us: int) -> None:
        """Wait for a call no longer. What it charges late is given back when it is heard of."""
        self._failed(waiting, StoreReason.TIMEOUT, now_us)
        waiting.ticket = 0

    def _failed(self, waiting: Waiting, reason: StoreReason, now_us: int) -> None:
        if not waiting.ticket:
            return  # it ended late, and was counted when its time was over
        self._tally.failed(reason)
        opened = self._breaker.failed(waiting.ticket, now_us)
        self._resolve_without(waiting, now_us)
        if opened:
            self._tell(State.OPEN, reason)
            self._give_up(self._queue.drain())

    def _give_up(self, left: Sequence[Waiting]) -> None:
        """Answer all these without the store."""
        now_us = self._now_us()
        for waiting in left:
            self._resolve_without(waiting, now_us)

    def _resolve_without(self, waiting: Waiting, now_us: int) -> None:
        answer = waiting.answer
        if answer is None or answer.done():
            self._put_back(waiting.held)
            waiting.held = []
        else:
            answer.set_result(self._without(waiting, now_us))

    def _without(self, waiting: Waiting, now_us: int) -> Decision:
        """Decide without the store; what was leased was charged by it before, and holds."""
        unix_us = waiting.unix_us + now_us - waiting.asked_us
        if waiting.looks:
            return self._stand_in.peek(waiting.asks, now_us, unix_us)
        decision, where = self._stand_in.decide(waiting.asks, now_us, unix_us)
        self._tally.decided(where)
        held, waiting.held = waiting.held, []
        if decision.admitted and held:
            return _with_leases(decision, held, waiting.asks)
        self._put_back(held)
        return decision

    # The rest.

    def _resolve(self, waiting: Waiting, decision: Decision, where: Where) -> None:
        waiting.held = []
        if not waiting.looks:
            self._tally.decided(where)
        if waiting.answer is not None:
            waiting.answer.set_result(decision)

    def _return(self, charges: Sequence[Charge], now_us: int) -> None:
        """Give charges back to the store; what it refused before may be admitted then."""
        if charges:
            self._denied.forget(charges, now_us)
            self._remote.refund(charges)

    def _tell(self, state: State, reason: StoreReason | None) -> None:
        if state is not self._told:
            self._told = state
            self._on_change(state, reason)

    def _counted(self, replicas: int) -> None:
        self._stand_in.replicas = replicas

    def _now_us(self) -> int:
        return int(self._clock.monotonic_s() * _US_IN_S)


_NOTHING: Final = Decision(admitted=True, verdicts=(), tightest=None)


def _open(waiting: Waiting) -> bool:
    """Tell whether a request still waits for its answer."""
    return waiting.answer is not None and not waiting.answer.done()


def _failure(future: asyncio.Future[Decision]) -> StoreReason | None:
    """Return why a call failed; None when it did not."""
    if future.cancelled():
        return StoreReason.OTHER
    failure = future.exception()
    if failure is None:
        return None
    return failure.reason if isinstance(failure, StoreFailure) else StoreReason.OTHER


def _with_leases(decision: Decision, spent: Sequence[Spent], asks: Sequence[Ask]) -> Decision:
    """Put what was decided and what was spent of leases together, in the order of the request's policies."""
    order = {policy.id: place for place, (policy, _, _) in enumerate(asks)}
    verdicts = sorted((*decision.verdicts, *[one for one, _ in spent]), key=lambda verdict: order[verdict.policy.id])
    charges = sorted((*decision.charges, *[one for _, one in spent]), key=lambda charge: order[charge.policy.id])
    return _decision(admitted=True, verdicts=verdicts, charges=charges, shadowed=decision.shadowed)


def _decision(
    *,
    admitted: bool,
    verdicts: Sequence[Verdict],
    charges: Sequence[Charge] = (),
    shadowed: tuple[Verdict, ...] = (),
) -> Decision:
    return Decision(admitted, tuple(verdicts), min(verdicts, key=tightness, default=None), tuple(charges), shadowed)
