"""The running gateway: it owns the two ports, the order of starting and stopping, and the switch to a configuration.

Clocks, ids, the environment and the place where lines go are arguments.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from prometheus_client import GCCollector, PlatformCollector, ProcessCollector

from gateway.app.apart import Apart
from gateway.app.lasting import Lasting
from gateway.app.ports import listening, port_of
from gateway.app.serving import Serving
from gateway.config.policies import all_of
from gateway.edge.admin import Admin
from gateway.edge.clock import SystemClock, UuidsV7
from gateway.edge.connection import Terms
from gateway.edge.lifecycle import State
from gateway.edge.limiting.budget_metrics import BudgetMetrics
from gateway.edge.limiting.limit_metrics import WaitMetrics
from gateway.edge.log_writer import Descriptor
from gateway.edge.server import ClientServer
from gateway.edge.upstream_metrics import UpstreamMetrics

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from prometheus_client import CollectorRegistry
    from structlog.typing import FilteringBoundLogger

    from gateway.config.load import Configuration
    from gateway.config.models import GatewayFile
    from gateway.edge.admin_port import Page
    from gateway.edge.admission import Admission
    from gateway.edge.clock import Clock, Ids
    from gateway.edge.config_record import ConfigRecord
    from gateway.edge.connection import Refuse, Serve
    from gateway.edge.lifecycle import Lifecycle
    from gateway.edge.limiting.stores import Room
    from gateway.edge.log_writer import ByteStream
    from gateway.edge.member import Member
    from gateway.edge.observers import Observer
    from gateway.limits.budget.board import BudgetBoard
    from gateway.limits.stores import Store
    from gateway.limits.stores.shared.handle import Handle
    from gateway.upstream import Pool, Stats

_STDOUT: Final = 1


class Prepared(NamedTuple):
    """What could serve by another configuration, the room for its limits, and the ids of all its policies."""

    serving: Serving
    room: Room
    policies: frozenset[str]


class Application:
    """A gateway, made and not yet started."""

    def __init__(self, config: Configuration, environ: Mapping[str, str], lasting: Lasting) -> None:
        """Put the parts together. Must be called in a running loop."""
        self._environ = environ
        self._lasting = lasting
        self._loop = asyncio.get_running_loop()
        self._serving = Serving(config, environ, lasting, self._loop)
        self._policies = frozenset(policy.id for policy in all_of(config))
        self._retired: list[Pool] = []
        self.apart = Apart()
        self.port = 0
        self.admin_port = 0
        self._collect()
        proxy, admin = self._serving.proxy, self._admin()
        self._server = ClientServer(self._terms(proxy.serve, proxy.refuse))
        self._admin_server = ClientServer(self._terms(admin.port.serve, admin.port.refuse))
        self._admin_port = admin.port
        self._listening: list[asyncio.Server] = []
        self._admin_listening: list[asyncio.Server] = []
        self._follow()

    # ---- what is told of it --------------------------------------------------------------------------------------

    @property
    def settings(self) -> GatewayFile:
        """The gateway's own file, of the configuration that is served."""
        return self._serving.config.gateway

    @property
    def config(self) -> Configuration:
        """The configuration that is served."""
        return self._serving.config

    @property
    def admission(self) -> Admission:
        """Who decides on new requests."""
        return self._serving.admission

    @property
    def lifecycle(self) -> Lifecycle:
        """Where the process is in its life."""
        return self._lasting.lifecycle

    @property
    def registry(self) -> CollectorRegistry:
        """Where all metrics are."""
        return self._lasting.registry

    @property
    def record(self) -> ConfigRecord:
        """What is told of configurations."""
        return self._lasting.record

    def now_s(self) -> float:
        """Return Unix time, by the clock of everything here."""
        return self._lasting.clock.now_s()

    @property
    def log(self) -> FilteringBoundLogger:
        """Where the gateway tells of itself."""
        return self._lasting.log

    def _collect(self) -> None:
        """Register what is told of the configuration that is served, whichever it is then."""
        UpstreamMetrics(self.registry, self._stats)
        BudgetMetrics(self.registry, lambda: self._serving.budgets.watched, self._lasting.clock)
        WaitMetrics(self.registry, lambda: self._serving.admission.rooms.waits, lambda: self._serving.budgets.watched)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

    def _admin(self) -> Admin:
        lasting = self._lasting
        return Admin(
            registry=lasting.registry,
            board=lasting.board,
            lifecycle=lasting.lifecycle,
            clock=lasting.clock,
            unknown=lasting.unknown,
            standing=self._stands,
            describe=self._described,
            configuration=lasting.record.described,
        )

    def _stats(self) -> Mapping[str, Stats]:
        return self._serving.ways.stats()

    async def _stands(self, query: str) -> Page:
        return await self._serving.standing.page(query)

    def _described(self) -> Mapping[str, Mapping[str, Any]]:
        return self._serving.ways.describe()

    def _terms(self, serve: Serve, refuse: Refuse) -> Terms:
        return Terms(bounds=self.settings.bounds, timeouts=self.settings.client_timeouts, serve=serve, refuse=refuse)

    def share_budgets(self, board: BudgetBoard) -> None:
        """Tell other replicas of budgets on `board`, and hear of them, from `start` on."""
        self._lasting.share_budgets(board, self._serving.budgets.held)

    # ---- another configuration -----------------------------------------------------------------------------------

    def prepare(self, config: Configuration, handle: Handle | None = None) -> Prepared:
        """Make what serves by another configuration, and change nothing yet; may be called in another thread.

        `handle` is of a table for its limits that others made; it is taken over. Raises ValueError for a configuration
        that cannot work, ConfigError for files that cannot be used, OSError where the system has no room.
        """
        policies = all_of(config)
        room = self._lasting.store.make_room(policies, handle)
        try:
            serving = Serving(config, self._environ, self._lasting, self._loop, self._serving)
        except BaseException:
            self._lasting.store.give_up(room)
            raise
        return Prepared(serving, room, frozenset(policy.id for policy in policies))

    def discard(self, prepared: Prepared) -> None:
        """Let go of what was prepared and will not serve."""
        self._lasting.store.give_up(prepared.room)

    async def take(self, config: Configuration) -> None:
        """Serve by another configuration. Raises what `prepare` does, and serves as before then."""
        self.switch(await self.apart.do(self.prepare, config))

    def switch(self, prepared: Prepared) -> None:
        """Serve new requests by what was prepared. Those under way, and those that wait, end by what they began with.

        What was prepared must have been since the last switch.
        """
        serving = prepared.serving
        self._lasting.store.take_room(prepared.room)
        before, self._serving = self._serving, serving
        bounds, timeouts = self.settings.bounds, self.settings.client_timeouts
        self._server.follow(bounds, timeouts, serving.proxy.serve, serving.proxy.refuse)
        self._admin_server.follow(bounds, timeouts, self._admin_port.serve, self._admin_port.refuse)
        self._follow()
        retired = before.ways.retired(serving.ways)
        for pool in retired:
            pool.retire()
        self._lasting.store.keep_room(self._policies | prepared.policies)
        self._policies = prepared.policies
        self._retired = [pool for pool in (*self._retired, *retired) if not pool.deserted]

    def _follow(self) -> None:
        serving = self._serving
        names = [upstream.settings.name for upstream in serving.config.upstreams]
        self._lasting.follow(names, serving.ways.unknown, serving.budgets)

    # ---- its life ------------------------------------------------------------------------------------------------

    async def start(self, *, tries: int = 1) -> None:
        """Listen on both ports, each the next free one of `tries`, and be ready.

        One of several processes listens on the port that all of them share, and on none for operators: see `attend`.
        Raises OSError when a port cannot be had.
        """
        listen, admin, member = self.settings.listen, self.settings.admin, self._lasting.member
        await self._lasting.start()
        if member is None:
            listener = await listening("admin", self._admin_server, admin, tries=tries)
            self._admin_listening.append(listener)
            self.admin_port = port_of(listener)
        else:
            listen = listen.model_copy(update={"port": member.port})
        listener = await listening("listen", self._server, listen, tries=tries, shared=member is not None)
        self._listening.append(listener)
        self.port = port_of(listener)
        self.lifecycle.state = State.READY

    async def attend(self, connection: socket.socket) -> None:
        """Answer what an operator asks by a connection that was handed to us; it is closed with its last answer."""
        await self._loop.connect_accepted_socket(self._admin_server, connection)

    async def stop(self, *, delay: bool = True) -> None:
        """Stop as a load balancer wishes: not ready, a delay, the requests under way, then the connections.

        From the first moment each answer is its connection's last, so that after the delay hardly any is left on which
        a request may be on its way. Without `delay` the port is given up at once. The operator's port answers until
        the end.
        """
        clock, shutdown = self._lasting.clock, self.settings.shutdown
        self.lifecycle.state = State.DRAINING
        self._server.wind_down()
        await asyncio.sleep(shutdown.delay_s if delay else 0)
        ends_s = clock.monotonic_s() + shutdown.grace_s
        await self._server.caught_up()
        for listener in self._listening:
            listener.close()
        await self._server.caught_up()
        await self._server.drain(shutdown.grace_s)
        await self.lifecycle.quiet(max(0.0, ends_s - clock.monotonic_s()))
        self.lifecycle.state = State.ENDING
        await self._server.end()
        for pool in (*self._serving.ways.pools.values(), *self._retired):
            await pool.aclose()
        await self._lasting.aclose()
        for listener in (*self._listening, *self._admin_listening):
            listener.close()
        await self._admin_server.end()
        self._lasting.end_log()
        self.lifecycle.state = State.STOPPED

    def flush_log(self) -> None:
        """Write the log lines that still wait for company, and wait for it a moment. For tests: it blocks."""
        self._lasting.flush_log()


def build(
    config: Configuration,
    *,
    environ: Mapping[str, str],
    clock: Clock | None = None,
    ids: Ids | None = None,
    stream: ByteStream | None = None,
    observers: tuple[Observer, ...] = (),
    store: Store | None = None,
    member: Member | None = None,
) -> Application:
    """Make a gateway. Must be called in a running loop.

    `environ` gives the secrets that the configuration names; log lines go to `stream` (standard output); `observers`
    are told of every request besides the metrics, the log and the status page; `store` keeps the counts of limits in
    place of the configured one; `member` is given to one of several processes, and brings the secret of them all.
    Raises ValueError for a limit that cannot work, RuntimeError when aiohttp is not fit to face clients.
    """
    clock = clock or SystemClock()
    lasting = Lasting(
        config,
        environ,
        clock=clock,
        ids=ids or UuidsV7(clock),
        stream=stream or Descriptor(_STDOUT),
        observers=observers,
        store=store,
        member=member,
    )
    return Application(config, environ, lasting)
