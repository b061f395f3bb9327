"""Where requests wait for a limit: one room for each policy and key that somebody waits for.

Invariants: a room asks for one request at a time, for the one whose turn it is, and not before the moment that the last
answer told: however many wait, the store is not asked much more often than it admits. Each request asks for all of its
policies. It waits in one room at a time, that of the policy that refuses it longest; who had the turn in one does not
queue in another that would let it through. Nobody waits longer than its `max_wait`; whoever leaves is out of the queue
at once, and what was charged for it is given back. A room goes with the last that waits there.

While it waits, a request holds no connection to an upstream, and nothing of its body is read.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.edge.limiting.room import Door, Room, Waiting, Waits
from gateway.limits.patience import in_line, obstacle, refusal, verdict_of
from gateway.limits.values import Decision
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.edge.clock import Clock
    from gateway.edge.limiting.room import AskAgain, GiveBack
    from gateway.limits.patience import Obstacle
    from gateway.limits.policy import Policy
    from gateway.limits.queue import Client, Place
    from gateway.limits.values import Ask, Charge

_AT_ONCE: Final = 64
"""So many are asked for in one turn of the loop, then others have theirs."""


class WaitingRooms:
    """All rooms. Bounded: at most `max_rooms`, each with at most its policy's `queue`."""

    def __init__(self, clock: Clock, max_rooms: int = 10_000) -> None:
        """Begin without any."""
        self._clock = clock
        self._max_rooms = max_rooms
        self._rooms: dict[tuple[str, bytes], Room] = {}
        self._waits: dict[str, Waits] = {}

    def __len__(self) -> int:
        """Count the rooms."""
        return len(self._rooms)

    @property
    def waits(self) -> Mapping[str, Waits]:
        """What waited, by the policy's `id`, of those that anybody had to wait for."""
        return self._waits

    def _now_us(self) -> int:
        """Return the time by which all wait."""
        return round(self._clock.monotonic_s() * US_IN_S)

    # ---- what admission calls --------------------------------------------------------------------------------------

    def occupied(self, asks: Iterable[Ask]) -> bool:
        """Tell whether others wait for what a newcomer wants: it must `enter` then, and not ask before them."""
        return bool(self._rooms) and any((one.policy.id, one.key) in self._rooms for one in in_line(asks))

    def enter(
        self,
        ask: AskAgain,
        client: Client,
        asks: Sequence[Ask],
        give_back: GiveBack,
        decision: Decision | None = None,
    ) -> Decision | Waiting:
        """Let a request wait that was refused by `decision`, or that found a room `occupied` and did not ask.

        `asks` are all that `ask` asks for. Returns what to await for the decision in the end; or at once the refusal,
        with the true wait, where one of those that refuse lets nobody wait, or waiting would be in vain. `give_back`
        refunds the request when it was admitted and its client had just left.
        """
        waiting = Waiting(self.wait, ask, client, asks, decision, give_back=give_back, now_us=self._now_us())
        door = self._door(waiting)
        if door is None:
            assert decision is not None  # noqa: S101 - who did not ask has found a room that it may wait in
            return decision
        hopeless = door.room.queue.is_hopeless(
            client, door.units, now_us=self._now_us(), retry_after_us=door.retry_after_us, until_us=waiting.until_us
        )
        return self._turn_away(waiting, door) if hopeless or self._no_more(door.room) else waiting

    def freed(self, charges: Iterable[Charge]) -> None:
        """Note that charges were given back, or that their requests ended: who waits for that may be served now."""
        if not self._rooms:
            return
        for charge in charges:
            room = self._rooms.get((charge.policy.id, charge.key))
            if room is not None:
                room.due.freed(charge, self._now_us())
                self._rest(room)

    # ---- coming ----------------------------------------------------------------------------------------------------

    async def wait(self, waiting: Waiting) -> Decision:
        """Come in and wait: what awaiting a `Waiting` does."""
        self._come_in(waiting)
        try:
            return await waiting.future
        except asyncio.CancelledError:
            self._left(waiting)
            raise

    def _come_in(self, waiting: Waiting) -> None:
        """Give a request its place; or its refusal, where there is none for it."""
        door = self._door(waiting)
        if door is None:
            assert waiting.decision is not None  # noqa: S101 - as in `enter`
            self._resolve(waiting, waiting.decision)
            return
        room, now_us = door.room, self._now_us()
        offer = room.queue.offer(
            waiting.client,
            door.units,
            waiting,
            now_us=now_us,
            retry_after_us=door.retry_after_us,
            until_us=-1 if self._no_more(room) else waiting.until_us,
        )
        if offer.place is None:
            self._resolve(waiting, self._turn_away(waiting, door))
            return
        waiting.room, waiting.place, waiting.entered_us = room, offer.place, now_us
        waits = self._waits_for(room.policy)
        waits.began += 1
        waits.now += 1
        self._rooms[room.id] = room
        if offer.displaced is not None:
            self._give_up(offer.displaced)
        self._rest(room)

    def _door(self, waiting: Waiting) -> Door | None:
        """Find the room that a request has to wait in; None where it may not wait."""
        want = self._want(waiting)
        if want is None:
            return None
        waiting.until_us = min(waiting.until_us, waiting.began_us + want.patience_us)
        room = self._rooms.get((want.policy.id, want.key))
        if room is None:
            room = Room(want.policy, want.key, waiting.decided_us)
            verdict = None if waiting.decision is None else verdict_of(waiting.decision, want.policy)
            if verdict is not None:
                room.due.told(verdict, want.units, waiting.decided_us)
        return Door(room, want.units, room.due.at_us(want.units) - self._now_us())

    def _want(self, waiting: Waiting) -> Obstacle | None:
        """Return what a request waits for: what refused it, or what others wait for already."""
        if waiting.decision is not None:
            return obstacle(waiting.asks, waiting.decision)
        wants = in_line(waiting.asks)
        occupied = [want for want in wants if (want.policy.id, want.key) in self._rooms]
        return (occupied or wants)[0]  # where the others have gone meanwhile it is the first of a new room

    def _no_more(self, room: Room) -> bool:
        """Tell whether a room would be one too many."""
        return room.id not in self._rooms and len(self._rooms) >= self._max_rooms

    def _turn_away(self, waiting: Waiting, door: Door) -> Decision:
        self._waits_for(door.room.policy).turned_away += 1
        return self._refusal(waiting, door.room, door.units)

    def _refusal(self, waiting: Waiting, room: Room, units: int) -> Decision:
        """Tell a request how long it would have had to wait from now."""
        retry_after_us = room.due.at_us(units) - self._now_us()
        return refusal(waiting.decision, room.policy, room.queue.wait_us(waiting.client, units, retry_after_us))

    # ---- a turn ----------------------------------------------------------------------------------------------------

    def _turn(self, room: Room) -> None:
        """Ask for whose turn it is, if it is time, and let those go whose time is over."""
        now_us = self._now_us()
        for _ in range(_AT_ONCE):
            place = room.queue.head()
            if place is None or room.asking is not None or room.due.at_us(place.units) > now_us:
                break
            self._ask(room, place)
        for place in room.queue.expired(now_us):
            self._give_up(place)
        self._rest(room)

    def _rest(self, room: Room) -> None:
        """Set the room's timer to when there is something to do; close the room when it is empty."""
        head = room.queue.head()
        when_us = room.queue.next_expiry_us()
        if head is None or when_us is None:
            room.stop_timer()
            if self._rooms.get(room.id) is room:
                del self._rooms[room.id]
            return
        if room.asking is None:
            when_us = min(when_us, room.due.at_us(head.units))
        room.set_timer(when_us, self._now_us(), self._rung)

    def _rung(self, room: Room) -> None:
        room.timer = None
        self._turn(room)

    def _ask(self, room: Room, place: Place[Waiting]) -> None:
        """Ask for a request."""
        try:
            answer = place.item.ask()
        except Exception as error:  # noqa: BLE001 - it is raised where the request waits
            self._fail(place, error)
            return
        if isinstance(answer, Decision):
            self._answered(room, place, answer)
        else:
            room.asked = place
            room.asking = asyncio.ensure_future(answer)
            room.asking.add_done_callback(partial(self._asked, room, place))

    def _asked(self, room: Room, place: Place[Waiting], asking: asyncio.Future[Decision]) -> None:
        """Take an answer that had to be waited for; perhaps nobody waits for it any more."""
        failure = None if asking.cancelled() else asking.exception()
        if room.asking is not asking:
            if failure is None and not asking.cancelled():
                self._return(place.item, asking.result())
            return
        room.asking = room.asked = None
        if asking.cancelled():
            self._give_up(place)
        elif failure is not None:
            self._fail(place, failure)
        else:
            self._answered(room, place, asking.result())
        self._rest(room)

    def _answered(self, room: Room, place: Place[Waiting], decision: Decision) -> None:
        """Let a request go with its decision, or wait on, or move to another room."""
        waiting, now_us = place.item, self._now_us()
        waiting.decision, waiting.decided_us = decision, now_us
        verdict = verdict_of(decision, room.policy)
        if verdict is not None:
            room.due.told(verdict, place.units, now_us)
        if decision.admitted:
            room.queue.serve(place)
            self._out(place).served += 1
            self._resolve(waiting, decision)
            return
        want = obstacle(waiting.asks, decision)
        if want is None:
            self._out(place).gave_up += 1
            self._resolve(waiting, decision)
        elif (want.policy.id, want.key) != room.id:
            self._out(place).moved += 1
            self._come_in(waiting)
        elif room.due.is_after(place.until_us, place.units):
            self._give_up(place)

    # ---- going -----------------------------------------------------------------------------------------------------

    def _out(self, place: Place[Waiting]) -> Waits:
        """Note that a request is in its room no longer, and return where to count why."""
        waiting, room = place.item, place.item.room
        assert room is not None  # noqa: S101 - for the type: who has a place has a room
        room.queue.leave(place)
        if room.asked is place and room.asking is not None:
            asking, room.asking, room.asked = room.asking, None, None
            asking.cancel()
        waiting.room = waiting.place = None
        waits = self._waits_for(room.policy)
        waits.now -= 1
        waits.waited_us += self._now_us() - waiting.entered_us
        return waits

    def _give_up(self, place: Place[Waiting]) -> None:
        """Refuse a request whose time is over, or that has lost its place."""
        waiting, room = place.item, place.item.room
        assert room is not None  # noqa: S101 - as above
        self._out(place).gave_up += 1
        self._resolve(waiting, self._refusal(waiting, room, place.units))

    def _fail(self, place: Place[Waiting], error: BaseException) -> None:
        """Raise what went wrong where the request waits."""
        self._out(place).gave_up += 1
        if not place.item.future.done():
            place.item.future.set_exception(error)

    def _left(self, waiting: Waiting) -> None:
        """Let a request go whose client has left, and give back what it was charged in that very moment."""
        if not waiting.future.cancelled():
            if waiting.future.done() and waiting.future.exception() is None:
                self._return(waiting, waiting.future.result())
        elif waiting.place is not None and waiting.room is not None:
            room = waiting.room
            self._out(waiting.place).left += 1
            self._rest(room)

    def _resolve(self, waiting: Waiting, decision: Decision) -> None:
        if waiting.future.done():
            self._return(waiting, decision)
        else:
            waiting.future.set_result(decision)

    def _return(self, waiting: Waiting, decision: Decision) -> None:
        """Give back what nobody is there to use."""
        if decision.charges:
            waiting.give_back(decision.charges)
            self.freed(decision.charges)

    def _waits_for(self, policy: Policy) -> Waits:
        waits = self._waits.get(policy.id)
        if waits is None:
            waits = self._waits[policy.id] = Waits(policy)
        return waits
