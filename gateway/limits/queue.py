"""Who waits for a limit: a queue that is bounded, and fair between clients.

Invariants: never more than the policy's `queue` wait. Clients are served in turn, one request each, and a client's
requests in the order in which they came; whoever leaves takes nobody's turn along. No client can fill the queue: when
it is full, a newcomer takes the place of the newest request of the client that has most in it, as long as the newcomer
has fewer there afterwards even so; the clients' numbers become more even with every such step. Nobody is let in who
could not be served in time, even if all before it were served as early as the policy can. Time is an argument; what
waits (`item`) is the caller's.

Everything takes the same time however many wait, but for two things. The deadlines are in a heap. And the position of
one whose client waits already is counted over the clients.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from gateway.limits.policy import Algorithm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.limits.policy import Policy

W = TypeVar("W")
Client = bytes | str
"""Between whom a queue is fair."""

_SPARE_DEADLINES: Final = 16


class Place(Generic[W]):
    """A place in a queue: `item` waits there on behalf of `client` until `until_us`, for `units` of the policy."""

    __slots__ = ("client", "item", "taken", "units", "until_us")

    def __init__(self, client: Client, units: int, item: W, until_us: int) -> None:
        """Begin."""
        self.client = client
        self.units = units
        self.item = item
        self.until_us = until_us
        self.taken = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Generic[W]):
    """What became of one that wants to wait: it has a `place`, or None and the wait that it would have had.

    `displaced` had to make room for it, and has left the queue.
    """

    place: Place[W] | None
    wait_us: int
    displaced: Place[W] | None = None


class _Line(Generic[W]):
    """The places of one client, oldest first."""

    __slots__ = ("places", "units")

    def __init__(self) -> None:
        """Begin empty."""
        self.places: OrderedDict[Place[W], None] = OrderedDict()  # a plain dict is slow to give its first away
        self.units = 0

    def front(self, number: int) -> int:
        """Return how many units the first `number` places want."""
        if number >= len(self.places):
            return self.units
        return sum([place.units for place in islice(self.places, number)])


class FairQueue(Generic[W]):
    """The queue of one policy and key."""

    __slots__ = ("_arrivals", "_deadlines", "_fronts", "_length", "_levels", "_lines", "policy")

    def __init__(self, policy: Policy) -> None:
        """Begin empty. `policy.queue` bounds it, so that waiting requests cannot take all memory."""
        self.policy = policy
        self._lines: OrderedDict[Client, _Line[W]] = OrderedDict()  # whose turn it is comes first
        self._levels: list[OrderedDict[Client, None]] = []  # the clients with one place, with two, ...
        self._length = 0
        self._fronts = 0  # the units that the first place of each client wants
        self._deadlines: list[tuple[int, int, Place[W]]] = []
        self._arrivals = 0

    def __len__(self) -> int:
        """Count those who wait."""
        return self._length

    # ---- coming ----------------------------------------------------------------------------------------------------

    def offer(
        self, client: Client, units: int, item: W, *, now_us: int, retry_after_us: int, until_us: int
    ) -> Offer[W]:
        """Let one in that wants `units`, unless the queue is full for it or its wait cannot succeed.

        `retry_after_us` is when the policy would admit it if nobody else were waiting.
        """
        least_us = self._least_wait_us(client, units, retry_after_us)
        wait_us = max(retry_after_us, least_us, 0)
        if now_us + least_us > until_us or not self._has_room_for(client):
            return Offer(place=None, wait_us=wait_us)
        displaced = self._displaceable(client) if self._length >= self.policy.queue else None
        if displaced is not None:
            self.leave(displaced)
        place = Place(client, units, item, until_us)
        self._put(place)
        return Offer(place=place, wait_us=wait_us, displaced=displaced)

    def is_hopeless(self, client: Client, units: int, *, now_us: int, retry_after_us: int, until_us: int) -> bool:
        """Tell whether one need not even come in: there is no room for it, or it cannot be served until `until_us`."""
        if not self._has_room_for(client):
            return True
        return now_us + self._least_wait_us(client, units, retry_after_us) > until_us

    def wait_us(self, client: Client, units: int, retry_after_us: int) -> int:
        """Return how long one that came now would wait, if nobody came after it and nobody left."""
        return max(retry_after_us, self._least_wait_us(client, units, retry_after_us), 0)

    def _has_room_for(self, client: Client) -> bool:
        return self._length < self.policy.queue or self._displaceable(client) is not None

    def _least_wait_us(self, client: Client, units: int, retry_after_us: int) -> int:
        """Return how long a newcomer has to wait at the very least; an upstream's budget may come back at any time."""
        policy = self.policy
        if policy.budget:
            return retry_after_us
        return _LEAST_WAITS[policy.algorithm](policy, retry_after_us, self._ahead(client), units)

    def _ahead(self, client: Client) -> int:
        """Return how many units will be asked for before a newcomer's."""
        mine = self._lines.get(client)
        if mine is None:
            return self._fronts
        units, rounds = 0, len(mine.places) + 1
        for line in self._lines.values():
            if line is mine:
                rounds -= 1
            units += line.front(rounds)
        return units

    def _displaceable(self, client: Client) -> Place[W] | None:
        """Return the newest place of the greediest client, if it has two more than `client`."""
        mine = self._lines.get(client)
        if len(self._levels) < (0 if mine is None else len(mine.places)) + 2:
            return None
        return next(reversed(self._lines[next(reversed(self._levels[-1]))].places))

    def _put(self, place: Place[W]) -> None:
        line = self._lines.get(place.client)
        if line is None:
            line = self._lines[place.client] = _Line()
            self._fronts += place.units
        line.places[place] = None
        line.units += place.units
        self._length += 1
        self._count(place.client, len(line.places) - 1, len(line.places))
        self._arrivals += 1
        heappush(self._deadlines, (place.until_us, self._arrivals, place))

    # ---- going -----------------------------------------------------------------------------------------------------

    def head(self) -> Place[W] | None:
        """Return the one whose turn it is."""
        for line in self._lines.values():
            return next(iter(line.places))
        return None

    def serve(self, place: Place[W]) -> None:
        """Let the head go, for it was served: its client's turn comes again after all others'."""
        self.leave(place)
        if place.client in self._lines:
            self._lines.move_to_end(place.client)

    def leave(self, place: Place[W]) -> None:
        """Let one go that was not served. The turn stays with its client, if that has others waiting."""
        if not place.taken:
            return
        place.taken = False
        line = self._lines[place.client]
        self._fronts -= line.front(1)
        del line.places[place]
        line.units -= place.units
        self._fronts += line.front(1)
        self._length -= 1
        self._count(place.client, len(line.places) + 1, len(line.places))
        if not line.places:
            del self._lines[place.client]
        if len(self._deadlines) > 2 * self._length + _SPARE_DEADLINES:
            self._deadlines = [deadline for deadline in self._deadlines if deadline[2].taken]
            heapify(self._deadlines)

    def expired(self, now_us: int) -> list[Place[W]]:
        """Let all go whose time has come, and return them."""
        gone: list[Place[W]] = []
        while (deadline := self._next_deadline()) is not None and deadline[0] <= now_us:
            gone.append(deadline[2])
            self.leave(deadline[2])
        return gone

    def next_expiry_us(self) -> int | None:
        """Return when the next one's time has come; None when nobody waits."""
        deadline = self._next_deadline()
        return None if deadline is None else deadline[0]

    def _next_deadline(self) -> tuple[int, int, Place[W]] | None:
        while self._deadlines and not self._deadlines[0][2].taken:
            heappop(self._deadlines)
        return self._deadlines[0] if self._deadlines else None

    def _count(self, client: Client, before: int, after: int) -> None:
        """Note that a client has one place more, or one less."""
        if after > len(self._levels):
            self._levels.append(OrderedDict())
        if after:
            self._levels[after - 1][client] = None
        if before:
            del self._levels[before - 1][client]
        if not self._levels[-1]:
            self._levels.pop()


def _one_by_one(policy: Policy, retry_after_us: int, ahead: int, _units: int) -> int:
    """Each unit takes its interval; exact."""
    return retry_after_us + ahead * policy.interval_us


def _by_window(policy: Policy, retry_after_us: int, ahead: int, units: int) -> int:
    """All requests of a window may come back at once; what is more than those waits for another one."""
    return retry_after_us + (ahead + units - 1) // policy.requests * policy.per_us


def _at_any_time(_policy: Policy, _retry_after_us: int, _ahead: int, _units: int) -> int:
    """Hope always: all that is under way may end now."""
    return 0


_LEAST_WAITS: Final[Mapping[Algorithm, Callable[[Policy, int, int, int], int]]] = {
    Algorithm.GCRA: _one_by_one,
    Algorithm.SLIDING_LOG: _by_window,
    Algorithm.CALENDAR: _by_window,
    Algorithm.CONCURRENCY: _at_any_time,
}
