"""A simulated world for budgets: origins that count truly, networks that are late, replicas, clients that want more.

Time is simulated, in microseconds, and chance is seeded. Origins are written from the rules of their kind and know
nothing of the code under test.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from math import ceil, floor
from random import Random
from typing import TYPE_CHECKING, Protocol

from gateway.limits.budget.fair import Fair
from gateway.limits.budget.learned import Learned
from gateway.limits.budget.values import NO_RESERVE, WINDOW, Kind, Reserve, Scope
from gateway.limits.stores import MemoryStore
from gateway.model import Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.limits.budget.learned import Ticket
    from gateway.limits.policy import Policy

S = 1_000_000
ROUTE = b"GET /orders"


@dataclass(frozen=True, slots=True)
class Reply:
    """What an origin answers: whether it refused, and what its fields say."""

    refused: bool
    limit: int
    remaining: int
    reset_us: int | None
    retry_after_us: int | None = None


class Origin(Protocol):
    """An API that counts."""

    served: list[int]
    refused: list[int]

    def answer(self, now_us: int) -> Reply:
        """Count a request that arrives now."""


class FixedWindow:
    """An API that grants `limit` in each window of `per_us`, the first of which begins at `first_us`.

    `reset` is written in whole steps of `grain_us`, by `rounding`. `anchored` windows begin with the first
    request after the one before is over.
    """

    def __init__(
        self,
        limit: int,
        per_us: int,
        *,
        first_us: int = 0,
        grain_us: int = S,
        rounding: Callable[[float], int] = ceil,
        anchored: bool = False,
    ) -> None:
        self.limit = limit
        self.per_us = per_us
        self.begins_us = first_us - per_us
        self.grain_us = grain_us
        self.rounding = rounding
        self.anchored = anchored
        self.used = 0
        self.served: list[int] = []
        self.refused: list[int] = []

    def answer(self, now_us: int) -> Reply:
        """Count a request that arrives now."""
        if now_us >= self.begins_us + self.per_us:
            passed = (now_us - self.begins_us) // self.per_us * self.per_us
            self.begins_us = now_us if self.anchored else self.begins_us + passed
            self.used = 0
        refused = self.used >= self.limit
        (self.refused if refused else self.served).append(now_us)
        self.used += not refused
        ends_us = self.begins_us + self.per_us
        grain_us = self.grain_us
        reset_us = (self.rounding(ends_us / grain_us) - floor(now_us / grain_us)) * grain_us
        after_us = ceil((ends_us - now_us) / S) * S if refused else None
        return Reply(refused, self.limit, self.limit - self.used, max(0, reset_us), after_us)


class LeakyBucket:
    """An API whose bucket of `limit` leaks evenly, `limit` in `per_us`. It tells no reset."""

    def __init__(self, limit: int, per_us: int) -> None:
        self.limit = limit
        self.per_us = per_us
        self.level = 0.0
        self.at_us = 0
        self.served: list[int] = []
        self.refused: list[int] = []

    def answer(self, now_us: int) -> Reply:
        """Count a request that arrives now."""
        self.level = max(0.0, self.level - (now_us - self.at_us) * self.limit / self.per_us)
        self.at_us = now_us
        refused = self.level + 1 > self.limit
        (self.refused if refused else self.served).append(now_us)
        self.level += not refused
        return Reply(refused, self.limit, floor(self.limit - self.level), None, S if refused else None)


@dataclass
class World:
    """Replicas before one origin, and clients who ask at random."""

    origin: Origin
    replicas: int = 1
    kind: Kind = WINDOW
    declared: tuple[Policy, ...] = ()
    """What is charged in one store that all replicas share."""
    learns: bool = True
    fair: bool = False
    grain_us: int = S
    latency_us: Callable[[Random], int] = lambda chance: chance.randint(5_000, 400_000)
    seed: int = 1
    reserve: Reserve = NO_RESERVE
    chosen: frozenset[bytes] = frozenset()
    served: Counter[bytes] = field(default_factory=Counter)
    asked: Counter[bytes] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.store = MemoryStore()
        self.states = [Learned([self.kind]) for _ in range(self.replicas)]
        per_us = self.declared[0].per_us if self.declared else 60 * S
        self.shares = [Fair(per_us, 0) for _ in range(self.replicas)]

    def run(self, demand: dict[bytes, float], until_us: int, from_us: int = 0) -> None:
        """Let each client ask so many times a second, at random, each time at another replica."""
        events: list[tuple[int, int, Callable[[int], None]]] = []
        self.events = events
        self.number = 0
        for client, rate in demand.items():
            now_us = float(from_us)
            while (now_us := now_us + self.chance.expovariate(rate) * S) < until_us:
                replica = self.chance.randrange(self.replicas)
                self._at(int(now_us), partial(self.ask, client, replica))
        while events:
            at_us, _, event = heapq.heappop(events)
            event(at_us)

    def ask(self, client: bytes, replica: int, now_us: int) -> None:
        """Ask for one request; what is refused is gone."""
        self.asked[client] += 1
        state, share = self.states[replica], self.shares[replica]
        if self.fair and share.yields(client, now_us):
            share.turned_away(client, now_us)
            return
        chosen = client in self.chosen
        wait_us = 0
        if self.learns:
            kept = NO_RESERVE if chosen else self.reserve
            wait_us = state.wait_us(ROUTE, now_us, replicas=self.replicas, reserve=kept)
        if not wait_us and self.declared:
            policies = self.declared[-1:] if chosen else self.declared
            decision = self.store.decide([(policy, b"budget", 1) for policy in policies], now_us, now_us)
            wait_us = 0 if decision.admitted else 1
            share.noted(decision.verdicts[-1], now_us, self.replicas)
        if wait_us:
            share.turned_away(client, now_us)
            return
        self.served[client] += 1
        share.served(client, now_us)
        ticket = state.sent(ROUTE, now_us)
        self._at(now_us + self.latency_us(self.chance), lambda at_us: self._arrive(replica, ticket, at_us))

    def _arrive(self, replica: int, ticket: Ticket, now_us: int) -> None:
        reply = self.origin.answer(now_us)
        self._at(now_us + self.latency_us(self.chance), lambda at_us: self._return(replica, ticket, reply, at_us))

    def _return(self, replica: int, ticket: Ticket, reply: Reply, now_us: int) -> None:
        state = self.states[replica]
        grant = Grant(0, reply.limit, reply.remaining, reply.reset_us, self.grain_us)
        state.replied(ticket, [grant], now_us, refused=reply.refused)
        if reply.refused:
            state.limited(ticket, Scope.BUCKET, reply.retry_after_us, now_us, self.chance.random())

    def _at(self, at_us: int, event: Callable[[int], None]) -> None:
        self.number += 1
        heapq.heappush(self.events, (at_us, self.number, event))
