"""A store of limits on Redis or Valkey: the port `Remote`.

The script decides; nothing is computed here but names, rows and what an answer means. Each request costs one round
trip however many policies it has, and shares it with those that are asked for at the same time; on a cluster it is one
for each slot that its keys are in, at once, and what some of them charged is given back when another refuses.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

from hiredis import pack_command
from msgspec.msgpack import Encoder

from gateway.limits.joint import decision
from gateway.limits.policy import Algorithm
from gateway.limits.stores.guard.heartbeat import PERIOD_S
from gateway.limits.stores.redis.cluster import Joint, Nodes, by_slot
from gateway.limits.stores.redis.dial import Dialler
from gateway.limits.stores.redis.line import Line
from gateway.limits.stores.redis.request import REFUND, RENEW, Counting, Deciding, Sent
from gateway.limits.stores.redis.rows import REPLICAS, Rows
from gateway.limits.stores.redis.script import DIGEST, TEXT
from gateway.limits.stores.redis.target import Kind
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.errors import StoreReason
    from gateway.limits.stores.redis.request import Request
    from gateway.limits.stores.redis.rows import Row
    from gateway.limits.stores.redis.target import RedisTarget
    from gateway.limits.values import Ask, Charge, Decision

    Clock = Callable[[], tuple[int, int]]
    """Returns the monotonic and the Unix time in microseconds."""

LEASE_S: Final = 30.0
BEATS: Final = 3
_RENEWED_AT_ONCE: Final = 256
_CONCURRENCY: Final = Algorithm.CONCURRENCY


class RedisRemote:
    """Limits on a Redis or Valkey. Build it in the running loop: it connects in the background from then on."""

    def __init__(
        self,
        target: RedisTarget,
        replica: bytes,
        *,
        secret: bytes = b"",
        beat_s: float = PERIOD_S,
        lease_s: float = LEASE_S,
        clock: Clock | None = None,
    ) -> None:
        """Hold places in the name of `replica`, which is to `beat` every `beat_s`.

        Whom it counts is hashed with `secret`, of at most 64 bytes, which all replicas must have. A replica that missed
        as many beats as `BEATS` lives no more; its places come back `lease_s` after the last. `clock` stands for the
        server's own and is for tests: it returns the monotonic and the Unix time.
        """
        self._loop = asyncio.get_running_loop()
        self._rows = Rows(secret)
        self._encoder = Encoder()
        self._holder = replica.hex()
        self._lease_us = int(lease_s * US_IN_S)
        self._alive_us = int(BEATS * beat_s * US_IN_S)
        self._clock = clock
        self._place = 0
        self._held: dict[tuple[bytes, int], Row] = {}
        self.lost: Counter[StoreReason] = Counter()
        """Refunds, releases and renewals that did not reach the store, by reason."""
        self._dialler = Dialler(target)
        self._nodes = Nodes(target, self._arguments, self._pack) if target.kind is Kind.CLUSTER else None
        self._way: Nodes | Line = self._nodes or Line(self._dialler, self._pack, target.timeout_s)

    async def ready(self) -> None:
        """Return when there is a connection. Nothing needs it but who would rather wait than be refused."""
        await self._way.ready()

    def decide(self, asks: Sequence[Ask]) -> asyncio.Future[Decision]:
        """Charge every policy of one request, or none of them when one refuses."""
        return self._asked(asks, charging=True)

    def peek(self, asks: Sequence[Ask]) -> asyncio.Future[Decision]:
        """Return what the policies would say, without charging any."""
        return self._asked(asks, charging=False)

    def refund(self, charges: Sequence[Charge]) -> None:
        """Give back what a request was charged, places too."""
        named = [self._rows.row(charge.policy, charge.key, charge.cost, charge.mark) for charge in charges]
        for charge, (name, _) in zip(charges, named, strict=True):
            self._held.pop((name, charge.mark), None)
        self._send(REFUND, named)

    def release(self, charges: Sequence[Charge]) -> None:
        """Give back the places that a request held."""
        self.refund([charge for charge in charges if charge.policy.algorithm is _CONCURRENCY])

    async def beat(self, replica: bytes) -> int:
        """Say that `replica` lives, renew the places that are held here, and return how many replicas live."""
        held = [(name, row) for (name, _), row in self._held.items()]
        for first in range(0, len(held), _RENEWED_AT_ONCE):
            self._send(RENEW, held[first : first + _RENEWED_AT_ONCE])
        future: asyncio.Future[int] = self._loop.create_future()
        self._way.ask(Counting(REPLICAS, (0, 0, 0, self._alive_us, replica.hex(), 0), future))
        return await future

    async def aclose(self) -> None:
        """Close every connection. Calls under way fail."""
        await self._way.aclose()
        await self._dialler.aclose()

    def _asked(self, asks: Sequence[Ask], *, charging: bool) -> asyncio.Future[Decision]:
        future: asyncio.Future[Decision] = self._loop.create_future()
        named = [self._named(ask) for ask in asks]
        if not asks:
            future.set_result(decision((), admitted=True))
        elif self._nodes is None:
            self._way.ask(Deciding(asks, named, future, self._settled, charging=charging))
        else:
            self._ask_slots(asks, named, future, charging=charging)
        return future

    def _named(self, ask: Ask) -> tuple[bytes, Row]:
        """Return the name and the row of an ask; a place is given its number here."""
        policy, key, cost = ask
        if policy.algorithm is not _CONCURRENCY:
            return self._rows.row(policy, key, cost, 0)
        self._place += 1
        return self._rows.row(policy, key, cost, self._place)

    def _settled(self, future: asyncio.Future[Decision], made: Decision) -> None:
        """Note the places that are held now. Who has left is given back what it was charged."""
        if future.done():
            self.refund(made.charges)
            return
        for charge in made.charges:
            if charge.policy.algorithm is _CONCURRENCY:
                name, row = self._rows.row(charge.policy, charge.key, charge.cost, charge.mark)
                self._held[name, charge.mark] = row
        future.set_result(made)

    def _send(self, mode: int, named: Sequence[tuple[bytes, Row]]) -> None:
        """Send what is not waited for."""
        if self._nodes is None:
            if named:
                self._way.ask(Sent(mode, named, self._count_lost))
            return
        for slot, places in by_slot(named).items():
            request = Sent(mode, [named[place] for place in places], self._count_lost)
            request.slot = slot
            self._nodes.ask(request)

    def _count_lost(self, reason: StoreReason) -> None:
        self.lost[reason] += 1

    def _ask_slots(
        self,
        asks: Sequence[Ask],
        named: Sequence[tuple[bytes, Row]],
        future: asyncio.Future[Decision],
        *,
        charging: bool,
    ) -> None:
        """Ask every slot for its part, all at once."""
        joint = Joint(asks, future, self._settled, self.refund)
        for slot, places in by_slot(named).items():
            part: asyncio.Future[Decision] = self._loop.create_future()
            joint.add(places, part)
            request = Deciding(
                [asks[place] for place in places], [named[place] for place in places], part, _put, charging=charging
            )
            request.slot = slot
            self._way.ask(request)

    def _arguments(self, requests: Sequence[Request]) -> tuple[int | bytes, ...]:
        """Return what follows the script in a call: the number of keys, the keys, the message."""
        now_us, unix_us = (0, 0) if self._clock is None else self._clock()
        keys = [key for request in requests for key in request.keys]
        messages = [request.message for request in requests]
        return len(keys), *keys, self._encoder.encode((now_us, unix_us, self._lease_us, self._holder, messages))

    def _pack(self, requests: Sequence[Request], with_script: bool) -> bytes:  # noqa: FBT001 - as `Pack` has it
        """Return one call as it is sent."""
        script = (b"EVAL", TEXT) if with_script else (b"EVALSHA", DIGEST)
        command = (*script, *self._arguments(requests))
        packed: bytes = pack_command(command)  # type: ignore[arg-type] # its stub asks for a tuple of one
        return packed


def _put(future: asyncio.Future[Decision], made: Decision) -> None:
    future.set_result(made)
