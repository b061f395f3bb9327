"""What one credential may still send to one upstream, learned from the replies.

Invariants: bounded, whatever an upstream says: so many buckets, routes and counts are told apart, and what is beyond
shares one. A request is asked for, then `sent`; and then it ends in one of three ways: `replied`, `lost` (it went
upstream, and no reply came) or `unsent` (nothing of it went).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.budget.bucket import Bucket
from gateway.limits.budget.pause import Pause
from gateway.limits.budget.values import NO_RESERVE, WINDOW, Scope, Sends
from gateway.limits.budget.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gateway.limits.budget.values import Kind, Reserve
    from gateway.model import Grant

MOST_BUCKETS: Final = 256
MOST_COUNTS: Final = 16
MOST_ROUTES: Final = 4_096
_SHARED: Final = b""
"""The bucket of requests of which the upstream has named none, or too many."""


class Account:
    """One bucket of a credential: its counts, its pause, and what is in flight."""

    __slots__ = ("_kinds", "counts", "last_end_us", "pause", "sends")

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = kinds
        self.counts: dict[int, Window | Bucket] = {}
        self.pause = Pause()
        self.sends = Sends()
        self.last_end_us = 0

    def wait_us(self, now_us: int, replicas: int, reserve: Reserve) -> int:
        """Return how long a request has to wait for the strictest count."""
        wait_us = self.pause.wait_us(now_us)
        for count in self.counts.values():
            wait_us = max(wait_us, count.wait_us(now_us, replicas, reserve))
        return wait_us

    def report(self, grants: Iterable[Grant], left_us: int, now_us: int) -> None:
        """Take what a reply says; its request is over already."""
        for grant in grants:
            count = self.counts.get(grant.window)
            if isinstance(count, Window):
                count.report(grant, left_us=left_us, now_us=now_us)
            elif count is not None:
                count.report(grant, alone=self.last_end_us <= left_us, now_us=now_us)
            elif len(self.counts) < MOST_COUNTS:
                self.counts[grant.window] = self._count(grant, left_us, now_us)

    def _count(self, grant: Grant, left_us: int, now_us: int) -> Window | Bucket:
        kind = self._kinds[grant.window] if grant.window < len(self._kinds) else WINDOW
        if kind.refill_us or kind.until_reset:
            return Bucket(grant, self.sends, kind, now_us=now_us)
        return Window(grant, self.sends, left_us=left_us, now_us=now_us, learns_cost=not kind.requests)

    def silent(self, told: frozenset[int]) -> None:
        """Note that a request ended of which some counts were not told."""
        for window, count in self.counts.items():
            if window not in told:
                count.silent()

    def idle(self, now_us: int) -> bool:
        """Tell whether nothing is known that still matters."""
        if self.sends.in_flight or self.pause.wait_us(now_us):
            return False
        return all(count.left(now_us) >= count.limit for count in self.counts.values())


class Ticket:
    """A request under way: when it left, what it counts against, and the pauses that it tries the end of."""

    __slots__ = ("account", "left_us", "paused", "probes", "route")

    def __init__(self, account: Account, route: bytes, left_us: int, probes: tuple[Pause, ...]) -> None:
        self.account = account
        self.route = route
        self.left_us = left_us
        self.probes = probes
        self.paused: Pause | None = None


_NOTHING: Final[frozenset[int]] = frozenset()


class Learned:
    """The budgets of one credential. `kinds` are those of the dialect's windows, by their place."""

    def __init__(self, kinds: Sequence[Kind] = ()) -> None:
        """Begin by knowing nothing: the first requests go freely."""
        self._kinds = tuple(kinds)
        self._pause = Pause()
        self._shared = Account(self._kinds)
        self._buckets: dict[bytes, Account] = {_SHARED: self._shared}
        self._routes: dict[bytes, bytes] = {}
        self._route_pauses: dict[bytes, Pause] = {}
        self.refusals = 0

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Return those of the dialect's windows."""
        return self._kinds

    # ---- before a request ----------------------------------------------------------------------------------------

    def wait_us(self, route: bytes, now_us: int, *, replicas: int = 1, reserve: Reserve = NO_RESERVE) -> int:
        """Return how long a request on `route` has to wait; 0 when it may go.

        `reserve` is what is kept from it for others; `replicas` spend the same budget.
        """
        wait_us = self._account(route).wait_us(now_us, replicas, reserve)
        pauses = (self._pause, self._route_pauses.get(route)) if self._route_pauses else (self._pause,)
        for pause in pauses:
            if pause is not None:
                wait_us = max(wait_us, pause.wait_us(now_us))
        return wait_us

    def sent(self, route: bytes, now_us: int) -> Ticket:
        """Note that a request leaves now."""
        account = self._account(route)
        account.sends.sent += 1
        for count in account.counts.values():
            count.sent(now_us)
        pauses = (self._pause, account.pause, self._route_pauses.get(route))
        probes = tuple([pause for pause in pauses if pause is not None and pause.sent(now_us)])
        return Ticket(account, route, now_us, probes)

    # ---- after it ------------------------------------------------------------------------------------------------

    def replied(
        self, ticket: Ticket, grants: Sequence[Grant], now_us: int, *, bucket: bytes = _SHARED, refused: bool = False
    ) -> None:
        """Take what a reply's head says. `bucket` is what the upstream calls the one that the request counted in.

        `refused`: the upstream will be told to have refused it, by `limited`.
        """
        account = ticket.account
        account.sends.ended += 1
        if bucket != _SHARED:
            account = self._named(ticket.route, bucket, now_us)
        account.report(grants, ticket.left_us, now_us)
        if account is ticket.account and len(grants) < len(account.counts):
            account.silent(frozenset([grant.window for grant in grants]))
        ticket.account.last_end_us = account.last_end_us = now_us
        if not refused:
            self._through(ticket)

    def limited(self, ticket: Ticket, scope: Scope, after_us: int | None, now_us: int, jitter: float) -> None:
        """Pause as far as `scope` reaches: the upstream refused a request, for `after_us` if it said so."""
        self.refusals += 1
        pause = _PAUSES[scope](self, ticket, now_us)
        probe = pause in ticket.probes
        ticket.paused = pause
        pause.refused(after_us, now_us, jitter, probe=probe)
        ticket.probes = tuple([one for one in ticket.probes if one is not pause])
        self._through(ticket)

    def longer(self, ticket: Ticket, after_us: int, now_us: int) -> None:
        """Pause longer: more was read of a refusal, and it asks for `after_us`. Only what it paused is meant."""
        if ticket.paused is not None:
            ticket.paused.lengthen(now_us + after_us, now_us)

    def lost(self, ticket: Ticket, now_us: int) -> None:
        """Note that no reply came to a request of which something went upstream: it may have been counted."""
        ticket.account.sends.ended += 1
        ticket.account.last_end_us = now_us
        ticket.account.silent(_NOTHING)
        self._missed(ticket)

    def unsent(self, ticket: Ticket) -> None:
        """Note that nothing of a request went upstream after all."""
        ticket.account.sends.ended += 1
        self._missed(ticket)

    # ---- for operators and other replicas ------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """How many requests wait for their replies."""
        return sum(account.sends.in_flight for account in self._buckets.values())

    def paused_until_us(self) -> int:
        """Return until when all or most is paused; 0 when it never was."""
        return max(self._pause.until_us, self._shared.pause.until_us)

    def lengthen(self, until_us: int, now_us: int) -> None:
        """Take another replica's pause."""
        self._shared.pause.lengthen(until_us, now_us)

    def windows(self) -> dict[int, Window]:
        """Return the windows of what the upstream counts together."""
        return {name: count for name, count in self._shared.counts.items() if isinstance(count, Window)}

    def least(self, now_us: int) -> tuple[int, int] | None:
        """Return what is left of the strictest count, and its limit; None while nothing is known."""
        found = self._strictest(now_us)
        return None if found is None else (found.left(now_us), found.limit)

    def reset_us(self, now_us: int) -> int:
        """Return how long it takes until all of the strictest count is back; 0 when that is not known."""
        found = self._strictest(now_us)
        return 0 if found is None else found.reset_us(now_us)

    def _strictest(self, now_us: int) -> Window | Bucket | None:
        known = [count for one in self._buckets.values() for count in one.counts.values()]
        return min(known, key=lambda one: one.left(now_us) / max(1, one.limit), default=None)

    # ---- inside --------------------------------------------------------------------------------------------------

    def _account(self, route: bytes) -> Account:
        return self._buckets.get(self._routes.get(route, _SHARED), self._shared) if self._routes else self._shared

    def _named(self, route: bytes, bucket: bytes, now_us: int) -> Account:
        """Return the account of a bucket that the upstream named, and remember that the route is of it."""
        account = self._buckets.get(bucket)
        if account is None:
            if len(self._buckets) >= MOST_BUCKETS:
                self._forget(now_us)
            if len(self._buckets) >= MOST_BUCKETS:
                return self._shared
            account = self._buckets[bucket] = Account(self._kinds)
        if len(self._routes) >= MOST_ROUTES:
            self._routes.clear()  # the next reply of each tells again
        self._routes[route] = bucket
        return account

    def _forget(self, now_us: int) -> None:
        """Drop the buckets of which nothing is known that still matters."""
        for name in [name for name, account in self._buckets.items() if name and account.idle(now_us)]:
            del self._buckets[name]

    def _bucket_pause(self, ticket: Ticket, _now_us: int) -> Pause:
        return self._account(ticket.route).pause

    def _credential_pause(self, _ticket: Ticket, _now_us: int) -> Pause:
        return self._pause

    def _route_pause(self, ticket: Ticket, now_us: int) -> Pause:
        pauses = self._route_pauses
        if ticket.route not in pauses and len(pauses) >= MOST_ROUTES:
            for name in [name for name, pause in pauses.items() if pause.until_us <= now_us]:
                del pauses[name]
            if len(pauses) >= MOST_ROUTES:
                return self._shared.pause
        return pauses.setdefault(ticket.route, Pause())

    def _through(self, ticket: Ticket) -> None:
        for pause in ticket.probes:
            pause.over(answered=True)
        ticket.probes = ()
        if ticket.route in self._route_pauses and not self._route_pauses[ticket.route].until_us:
            del self._route_pauses[ticket.route]

    def _missed(self, ticket: Ticket) -> None:
        for pause in ticket.probes:
            pause.over(answered=False)
        ticket.probes = ()


_PAUSES: Final[dict[Scope, Callable[[Learned, Ticket, int], Pause]]] = {
    Scope.CREDENTIAL: Learned._credential_pause,  # noqa: SLF001 - a table of its methods
    Scope.BUCKET: Learned._bucket_pause,  # noqa: SLF001
    Scope.ROUTE: Learned._route_pause,  # noqa: SLF001
}
