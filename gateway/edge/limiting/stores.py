"""The store that a configuration asks for: how it is made, its life, and what it can tell of itself.

`memory` means the memory of this machine: of one process its own, of several that serve one port the table they share.
"""

from __future__ import annotations

import asyncio
import os
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.config.faults import fault_at
from gateway.config.policies import all_of
from gateway.config.stores import MemoryConfig
from gateway.edge.counters import BUCKETS_S
from gateway.edge.limiting.tables import Tables
from gateway.limits.stores import MemoryStore
from gateway.limits.stores.guard.breaker import State
from gateway.limits.stores.guard.store import GuardedStore
from gateway.limits.stores.redis.target import parse
from gateway.limits.stores.shared import SharedStore
from gateway.limits.stores.split import SplitStore
from gateway.units import US_IN_S
from gateway.upstream.tls import unusable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from gateway.config.load import Configuration
    from gateway.config.stores import RedisConfig
    from gateway.edge.clock import Clock
    from gateway.edge.member import Member
    from gateway.errors import Fault, StoreReason
    from gateway.limits import Policy
    from gateway.limits.stores import Store
    from gateway.limits.stores.redis.board import RedisBoard
    from gateway.limits.stores.redis.target import RedisTarget
    from gateway.limits.stores.shared.handle import Handle
    from gateway.limits.stores.shared.store import Annex

    OnChange = Callable[[State, StoreReason | None], None]

READY_S: Final = 0.5
"""How long a start waits for a store on the network."""
_SECRET_BYTES: Final = 32
_PERSON: Final = b"accord limits"


class Room(NamedTuple):
    """Room for limits that are to come: the table that was made for them, if one was needed, and it open."""

    handle: Handle | None
    annex: Annex | None


class LimitStore:
    """A store with its life. `port` decides; `guarded` is the one on the network, `memory` the one here, if any."""

    def __init__(
        self,
        port: Store,
        *,
        memory: MemoryStore | None = None,
        guarded: GuardedStore | None = None,
        shared: SharedStore | None = None,
        tables: Tables | None = None,
        ready: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Keep the parts; `tables` end with this process, `ready` returns when there is a connection."""
        self._ready = ready
        self.port = port
        self.memory = memory
        self.guarded = guarded
        self._shared = shared
        self._tables = tables

    async def start(self) -> bool:
        """Begin, and return whether the store is there.

        What is on the network need not be, and is waited for a moment: else limits begin without it.
        """
        if self.guarded is None:
            return True
        there = await self._is_ready()
        await self.guarded.start()
        return there

    async def _is_ready(self) -> bool:
        if self._ready is not None:
            try:
                async with asyncio.timeout(READY_S):
                    await self._ready()
            except TimeoutError:
                return False
        return True

    def make_room(self, policies: Sequence[Policy], handle: Handle | None = None) -> Room:
        """Make room for the policies that are to come; `handle` is of the room that others made, and is taken over.

        Nothing that serves is changed, so this may be done in another thread; then the room is taken, or given up.
        Raises OSError where the system has none, ValueError where nobody made any.
        """
        if self._shared is None:
            return Room(None, None)
        if self._tables is not None:
            handle = self._tables.widen(policies)
        try:
            annex = None if handle is None else self._shared.annex(handle.fd, handle.policies)
        except (OSError, ValueError):
            self.give_up(Room(handle, None))
            raise
        new = {} if annex is None else annex.counts
        if not all(policy.local or policy.id in new or policy in self._shared for policy in policies):
            self.give_up(Room(handle, annex))
            raise ValueError("the memory that processes share has no room for a limit")
        return Room(handle, annex)

    def take_room(self, room: Room) -> None:
        """Count in a room that was made, from now on."""
        if self._shared is not None and room.annex is not None:
            self._shared.join(room.annex)

    def give_up(self, room: Room) -> None:
        """Let go of a room that nothing will be counted in."""
        if room.annex is not None:
            room.annex.memory.close()
        if room.handle is None:
            return
        if self._tables is not None:
            self._tables.narrow(room.handle)
        else:
            os.close(room.handle.fd)

    def keep_room(self, ids: Collection[str]) -> None:
        """Let go of the room that none of the policies with these `ids` needs."""
        if self._shared is None:
            return
        left = self._shared.keep(ids)
        if self._tables is not None:
            self._tables.keep(ids)
            return
        for fd in left:
            os.close(fd)

    def where(self) -> str:
        """Say where limits are counted now: `process`, `shared`, `redis`, or by `share` while that one is away."""
        if self.guarded is not None:
            return "redis" if self.guarded.stats().state is State.OK else "share"
        return "process" if self.port is self.memory else "shared"

    async def aclose(self) -> None:
        """End."""
        if self.guarded is not None:
            await self.guarded.aclose()
        if self._tables is not None:
            self._tables.close()


def limit_store(
    configuration: Configuration,
    environ: Mapping[str, str],
    *,
    clock: Clock,
    replica: bytes,
    member: Member | None,
    on_change: OnChange,
) -> LimitStore:
    """Return the store that a configuration asks for. Must be called in a running loop.

    `replica` is this process's name among those that share it, `member` its place among those of one port. Raises
    ValueError for an address that is none, OSError where the system cannot share memory.
    """
    config = configuration.gateway.store
    if config.redis is not None:
        target = redis_target(configuration, config.redis, environ)
        secret = secret_of(configuration, environ) or b""
        processes = 1 if member is None else member.processes
        return _redis(target, secret, clock=clock, replica=replica, replicas=processes, on_change=on_change)
    if member is not None and member.tables:
        return _with_local(_opened(member.tables, member.index), None)
    if config.shared is not None:
        tables = shared_tables(configuration, 1)
        return _with_local(_opened(tables.handles, 0), tables)
    memory = MemoryStore(max_keys(configuration))
    return LimitStore(memory, memory=memory)


def shared_tables(configuration: Configuration, processes: int) -> Tables:
    """Make the memory in which several processes of one port count together. Raises OSError where there is none."""
    return Tables(all_of(configuration), processes=processes, max_keys=max_keys(configuration))


def _opened(handles: Sequence[Handle], index: int) -> SharedStore:
    first, *more = handles
    store = SharedStore.open(first.fd, first.policies, index=index)
    for handle in more:
        store.add(handle.fd, handle.policies)
    return store


def max_keys(configuration: Configuration) -> int:
    """Return how many keys each policy counts apart."""
    config = configuration.gateway.store
    settings = config.memory or config.shared
    return MemoryConfig().max_keys if settings is None else settings.max_keys


def budget_board(
    configuration: Configuration, environ: Mapping[str, str], heard: Callable[[StoreReason | None], None]
) -> RedisBoard | None:
    """Return where replicas tell each other of budgets; None where they share no store on the network.

    `heard` is told of each call of it: why it failed, or None.
    """
    config = configuration.gateway.store.redis
    if config is None:
        return None
    from gateway.limits.stores.redis.board import RedisBoard  # noqa: PLC0415 - as in `_redis`
    from gateway.limits.stores.redis.dial import Dialler  # noqa: PLC0415 - as above

    target = redis_target(configuration, config, environ)
    return RedisBoard(Dialler(target), secret=secret_of(configuration, environ) or b"", heard=heard)


def secret_of(configuration: Configuration, environ: Mapping[str, str]) -> bytes | None:
    """Return the secret of all who share the store on the network; None where there is none to share.

    Left out of the configuration it is derived from the address, which whoever shares the store must know anyway.
    """
    config = configuration.gateway.store.redis
    if config is None:
        return None
    text = environ[config.url_env if config.secret_env is None else config.secret_env]
    return blake2b(text.encode(), digest_size=_SECRET_BYTES, person=_PERSON).digest()


def store_faults(configuration: Configuration, environ: Mapping[str, str]) -> list[Fault]:
    """Return what is wrong with the address of a store; a variable that is not set is told elsewhere."""
    config = configuration.gateway.store.redis
    if config is None or not environ.get(config.url_env):
        return []
    at = ("store", "redis", "url_env")
    try:
        redis_target(configuration, config, environ)
    except ValueError as error:
        return [fault_at(configuration.document, at, f"the environment variable {config.url_env}: {error}")]
    except KeyError:
        return []  # as above
    if config.ca_file is not None:
        files = {"ca_file": configuration.document.beside(config.ca_file)}
        return [fault_at(configuration.document, (*at[:2], key), told) for key, told in unusable(files)]
    return []


def _with_local(store: SharedStore, tables: Tables | None) -> LimitStore:
    memory = MemoryStore()
    return LimitStore(SplitStore(memory, store), memory=memory, shared=store, tables=tables)


def _redis(
    target: RedisTarget, secret: bytes, *, clock: Clock, replica: bytes, replicas: int, on_change: OnChange
) -> LimitStore:
    """Return a guarded store; what it counts while Redis is away is beside what is always counted here.

    `replicas` are known to be there, even if Redis never was.
    """
    from gateway.limits.stores.redis.remote import RedisRemote  # noqa: PLC0415 - it takes half a second to load

    memory = MemoryStore()
    remote = RedisRemote(target, replica, secret=secret)
    guarded = GuardedStore(
        remote,
        memory,
        clock,
        replica=replica,
        replicas=replicas,
        bounds_s=BUCKETS_S,
        deadline_us=round(target.timeout_s * US_IN_S),
        on_change=on_change,
    )
    return LimitStore(SplitStore(memory, guarded), memory=memory, guarded=guarded, ready=remote.ready)


def redis_target(configuration: Configuration, config: RedisConfig, environ: Mapping[str, str]) -> RedisTarget:
    """Return where Redis is. Raises ValueError with a sentence that quotes nothing of the address."""
    sentinel = config.sentinel
    secret = None if sentinel is None else sentinel.password_env
    return parse(
        environ[config.url_env],
        cluster=config.cluster,
        service="" if sentinel is None else sentinel.service,
        sentinels=() if sentinel is None else sentinel.nodes,
        sentinel_password="" if secret is None else environ[secret],
        ca_file="" if config.ca_file is None else str(configuration.document.beside(config.ca_file)),
        timeout_s=config.deadline_s,
    )
