"""Many servers as one: a cluster's nodes, each with a line of its own, and decisions whose keys are in several slots.

redis-py knows which node has which slot. What a node no longer has (MOVED, ASK, TRYAGAIN) goes through redis-py once,
which follows it; the map is then fetched anew in the background, as it is when a node cannot be reached.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.crc import key_slot
from redis.exceptions import AskError, ClusterDownError, RedisClusterException, RedisError, TryAgainError

from gateway.errors import StoreReason
from gateway.limits.joint import decision
from gateway.limits.stores.redis.dial import Dialler, no_retry, options, tls
from gateway.limits.stores.redis.failures import reason_of
from gateway.limits.stores.redis.line import Line, fail, hand_out
from gateway.limits.stores.redis.script import TEXT
from gateway.limits.values import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redis.asyncio.connection import AbstractConnection
    from redis.exceptions import ResponseError

    from gateway.limits.stores.redis.line import Pack
    from gateway.limits.stores.redis.request import Request
    from gateway.limits.stores.redis.rows import Row
    from gateway.limits.stores.redis.target import RedisTarget
    from gateway.limits.values import Ask, Charge, Decision

    Arguments = Callable[[Sequence[Request]], tuple[Any, ...]]
    """Returns what follows the script in EVAL: the number of keys, the keys, the message."""

CALLS: Final = 64
"""Calls under way to one node: each is of one slot, so few requests share one."""
_PAUSE_S: Final = 0.25
"""The least time between two looks at the cluster's map."""


class Nodes:
    """The lines to a cluster's primaries."""

    def __init__(self, target: RedisTarget, arguments: Arguments, pack: Pack) -> None:
        """Begin to look for the nodes. Needs the running loop."""
        self._target = target
        self._dialler = Dialler(target)
        self._arguments = arguments
        self._pack = pack
        self._cluster: RedisCluster | None = None
        self._lines: dict[str, Line] = {}
        self._stale = asyncio.Event()
        self._stale.set()
        self._known = asyncio.Event()
        self._redirected: set[asyncio.Task[None]] = set()
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def ready(self) -> None:
        """Return when there is a connection to every primary."""
        await self._known.wait()
        for line in tuple(self._lines.values()):
            await line.ready()

    def ask(self, request: Request) -> None:
        """Send `request` to the node that has its keys."""
        line = self._line(request)
        if line is None:
            self._stale.set()
            request.failed(StoreReason.REFUSED)
        else:
            line.ask(request)

    async def aclose(self) -> None:
        """Close every connection."""
        tasks = [self._keeping, *self._redirected]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*[line.aclose() for line in self._lines.values()])
        if self._cluster is not None:
            await self._cluster.aclose()

    def _line(self, request: Request) -> Line | None:
        if self._cluster is None:
            return None
        try:
            node = self._cluster.get_node_from_key(request.keys[0].decode("ascii"))
        except RedisClusterException:
            return None
        return None if node is None else self._lines.get(node.name)

    async def _keep(self) -> None:
        """Fetch the map whenever it is stale."""
        while True:
            await self._stale.wait()
            with contextlib.suppress(Exception):  # whatever its nodes say, the map is fetched again later
                await self._refresh()
                self._stale.clear()
            await asyncio.sleep(_PAUSE_S)

    async def _refresh(self) -> None:
        """Fetch the map, and have a line to every primary in it and to no other node."""
        cluster = _cluster(self._target)
        try:
            async with asyncio.timeout(self._target.connect_timeout_s * 2 * len(self._target.addresses)):
                known = await cluster.initialize()
        except BaseException:
            await cluster.aclose()
            raise
        before = self._cluster
        self._cluster = known
        names = {node.name: (node.host, int(node.port)) for node in known.get_primaries()}
        for name, address in names.items():
            if name not in self._lines:
                self._lines[name] = self._line_to(*address)
        gone = [self._lines.pop(name) for name in tuple(self._lines) if name not in names]
        self._known.set()
        await asyncio.gather(*[line.aclose() for line in gone])
        if before is not None:
            await before.aclose()

    def _line_to(self, host: str, port: int) -> Line:
        async def dial() -> AbstractConnection:
            try:
                return await self._dialler.to(host, port)
            except (RedisError, OSError):
                self._stale.set()
                raise

        return Line(dial, self._pack, self._target.timeout_s, calls=CALLS, redirect=self._redirect)

    def _redirect(self, requests: Sequence[Request], error: ResponseError) -> bool:
        """Take over what a node would not answer, where another one may."""
        if isinstance(error, ClusterDownError | AskError):  # MOVED is a kind of ASK
            self._stale.set()
        if not isinstance(error, AskError | TryAgainError):
            return False
        task = asyncio.get_running_loop().create_task(self._through(requests))
        self._redirected.add(task)
        task.add_done_callback(self._redirected.discard)
        return True

    async def _through(self, requests: Sequence[Request]) -> None:
        """Ask by redis-py, which follows a slot to where it is."""
        reason = StoreReason.REFUSED
        try:
            if self._cluster is not None:
                async with asyncio.timeout(self._target.timeout_s):
                    said = await self._cluster.execute_command("EVAL", TEXT, *self._arguments(requests))
                hand_out(requests, said)
                return
        except Exception as error:  # noqa: BLE001 - those who wait are told, whatever happened
            reason = reason_of(error)
        fail(requests, reason)


def by_slot(named: Sequence[tuple[bytes, Row]]) -> dict[int, list[int]]:
    """Return the places of what is named, by the slots that the names are in."""
    slots: dict[int, list[int]] = {}
    for place, (name, _) in enumerate(named):
        slots.setdefault(key_slot(name), []).append(place)
    return slots


class Joint:
    """A decision whose parts are asked of several slots at once."""

    def __init__(
        self,
        asks: Sequence[Ask],
        future: asyncio.Future[Decision],
        settled: Callable[[asyncio.Future[Decision], Decision], None],
        refund: Callable[[Sequence[Charge]], None],
    ) -> None:
        """Decide `asks` into `future`, by `settled`."""
        self._asks = asks
        self._future = future
        self._settled = settled
        self._refund = refund
        self._parts: list[tuple[Sequence[int], asyncio.Future[Decision]]] = []
        self._missing = 0

    def add(self, places: Sequence[int], part: asyncio.Future[Decision]) -> None:
        """Wait for the part that decides the asks at `places`."""
        self._parts.append((places, part))
        self._missing += 1
        part.add_done_callback(self._one)

    def _one(self, _: asyncio.Future[Decision]) -> None:
        """Go on after the last part: there are as many calls of this as parts, and several may be done by the first."""
        self._missing -= 1
        if self._missing:
            return
        failures = [error for _, part in self._parts if (error := part.exception()) is not None]
        made = [(places, part.result()) for places, part in self._parts if part.exception() is None]
        if failures:
            self._refund([charge for _, part in made for charge in part.charges])
            if not self._future.done():
                self._future.set_exception(failures[0])
            return
        joint, given_back = combine(self._asks, made)
        self._refund(given_back)
        self._settled(self._future, joint)


def combine(asks: Sequence[Ask], parts: Sequence[tuple[Sequence[int], Decision]]) -> tuple[Decision, Sequence[Charge]]:
    """Join the decisions of several slots, each with the places of its asks; return what is to be given back, too.

    Where one of them refuses none is charged: the others' verdicts are as if they had not been.
    """
    admitted = all(part.admitted for _, part in parts)
    verdicts: dict[int, Verdict] = {}
    charges: dict[int, Charge] = {}
    for places, part in parts:
        heard, shadowed, charged = iter(part.verdicts), iter(part.shadowed), iter(part.charges)
        for place in places:
            policy, _, cost = asks[place]
            verdict = next(shadowed if policy.shadow else heard)
            if part.charges and verdict.admitted and cost:
                charges[place] = next(charged)
                verdict = verdict if admitted else _uncharged(verdict, cost)
            verdicts[place] = verdict
    made = tuple([charges[place] for place in sorted(charges)])
    ordered = [verdicts[place] for place in range(len(asks))]
    return decision(ordered, made if admitted else (), admitted=admitted), () if admitted else made


def _uncharged(verdict: Verdict, cost: int) -> Verdict:
    """Return what a policy says once a charge was given back, for a client that has no time to ask again."""
    policy = verdict.policy
    remaining = min(verdict.remaining + cost, policy.burst)
    return Verdict(policy, True, remaining, 0, verdict.reset_us if remaining < policy.burst else 0)  # noqa: FBT003


def _cluster(target: RedisTarget) -> RedisCluster:
    return RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in target.addresses],
        **{**options(target), "socket_timeout": target.connect_timeout_s, "ssl": target.tls, **tls(target)},
        retry=no_retry(),
        max_connections=CALLS,
    )
