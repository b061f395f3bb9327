"""From a configuration to a running gateway: everything is made here, once, and handed to whoever needs it.

Owns the two ports and the order of starting and stopping. Clocks, ids, the environment and the place where lines go are
arguments.
"""

from __future__ import annotations

import asyncio
import errno
import os
import random
import socket
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from gateway.edge.access_log import AccessLog, LineBuffer, diagnostic_logger
from gateway.edge.admin import Admin
from gateway.edge.admission import Admission, Clients
from gateway.edge.clock import SystemClock, UuidsV7
from gateway.edge.connection import Terms
from gateway.edge.forward import Forwarder
from gateway.edge.intake import Intake
from gateway.edge.lifecycle import Lifecycle, State
from gateway.edge.limiting.budget_metrics import BoardMetrics, BudgetMetrics
from gateway.edge.limiting.budgets import Budgets
from gateway.edge.limiting.exchange import Exchange
from gateway.edge.limiting.limit_metrics import LimitMetrics, WaitMetrics
from gateway.edge.limiting.store_metrics import KeyMetrics, StoreMetrics
from gateway.edge.limiting.stores import budget_board, limit_store, secret_of
from gateway.edge.log_writer import Descriptor, LogWriter
from gateway.edge.metrics import Metrics
from gateway.edge.proxy import Proxy
from gateway.edge.replies import Replies
from gateway.edge.runtime_metrics import RuntimeMetrics
from gateway.edge.server import ClientServer
from gateway.edge.standing import Standing
from gateway.edge.status import StatusBoard
from gateway.edge.unknown import UnknownShapes
from gateway.edge.upstream_metrics import UpstreamMetrics
from gateway.edge.ways import Ways
from gateway.limits.stores import BudgetedStore
from gateway.limits.stores.guard.breaker import State as StoreState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config.load import Configuration
    from gateway.config.values import Address
    from gateway.edge.clock import Clock, Ids
    from gateway.edge.connection import Refuse, Serve
    from gateway.edge.log_writer import ByteStream
    from gateway.edge.member import Member
    from gateway.edge.observers import Observer
    from gateway.errors import StoreReason
    from gateway.limits.budget.board import BudgetBoard
    from gateway.limits.stores import Store

SECRET_BYTES: Final = 32
BACKLOG: Final = 1024
FLUSH_S: Final = 0.1
"""How long an access log line may wait for company before it is written."""
LOG_END_S: Final = 1.0
"""How long stopping waits for the last log lines to be taken."""
_STDOUT: Final = 1


class Application:
    """A gateway, made and not yet started."""

    def __init__(
        self,
        config: Configuration,
        *,
        environ: Mapping[str, str],
        clock: Clock,
        ids: Ids,
        stream: ByteStream,
        observers: tuple[Observer, ...],
        store: Store | None,
        member: Member | None,
    ) -> None:
        """Put the parts together. Must be called in a running loop."""
        loop = asyncio.get_running_loop()
        self.settings = config.gateway
        self.member = member
        self.lifecycle = Lifecycle()
        self.registry = CollectorRegistry()
        self.port = 0
        self.admin_port = 0
        self._clock = clock
        self._budgets = Budgets(config, clock, random.random)
        self._exchange: Exchange | None = None
        BudgetMetrics(self.registry, self._budgets, clock)
        self._ways = Ways(config, environ, self._budgets)
        self._writer = LogWriter(stream)
        self._lines = LineBuffer(self._writer.put, lambda call: loop.call_later(FLUSH_S, call))
        self._log = diagnostic_logger(self._lines, clock)
        board = StatusBoard(tuple(upstream.settings.name for upstream in config.upstreams))
        metrics = Metrics(self.registry, lambda: self.lifecycle.in_flight, lambda: self._writer.dropped_lines)
        metrics.serve(upstream.settings.name for upstream in config.upstreams)
        UpstreamMetrics(self.registry, self._ways.stats)
        self._runtime = RuntimeMetrics(self.registry, clock)
        log = AccessLog(self._lines, clock)
        self._store = limit_store(
            config,
            environ,
            clock=clock,
            replica=ids.mint().encode("ascii"),
            member=member,
            on_change=self._store_changed,
        )
        self._share_budgets(config, environ)
        admission = self.admission = self._admission(config, environ, self._store.port if store is None else store)
        self._limit_metrics(admission)
        proxy = self._proxy(ids, admission, (metrics, log, board, *observers))
        admin = self._admin(board, Standing(config, admission, self._store.where, self._budgets, clock))
        self._server = ClientServer(self._terms(proxy.serve, proxy.refuse))
        self._admin_server = ClientServer(self._terms(admin.port.serve, admin.port.refuse))
        self._listening: list[asyncio.Server] = []
        self._admin_listening: list[asyncio.Server] = []

    def _share_budgets(self, config: Configuration, environ: Mapping[str, str]) -> None:
        """Share what upstreams grant with all replicas, or where these share no store, with all processes alike."""
        if config.gateway.store.redis is not None:
            board = budget_board(config, environ, BoardMetrics(self.registry, self._board_changed).heard)
            if board is not None:
                self.share_budgets(board)
        elif self.member is not None:
            self._budgets.share(self.member.processes)

    def _admission(self, config: Configuration, environ: Mapping[str, str], store: Store) -> Admission:
        own = os.urandom(SECRET_BYTES) if self.member is None else self.member.secret
        return Admission(
            config.gateway,
            secret=secret_of(config, environ) or own,
            clock=self._clock,
            store=BudgetedStore(store, self._budgets.held),
            metrics=LimitMetrics(self.registry, self._budgets.decided),
        )

    def _limit_metrics(self, admission: Admission) -> None:
        """Tell of waiting, of the keys held here, and of the store on the network."""
        WaitMetrics(self.registry, lambda: admission.rooms.waits)
        if self._store.memory is not None:
            KeyMetrics(self.registry, self._store.memory.__len__)
        if self._store.guarded is not None:
            StoreMetrics(self.registry, self._store.guarded.stats)

    def _store_changed(self, state: StoreState, reason: StoreReason | None) -> None:
        """Tell the operator, once for each change, whether limits are shared or counted without their store."""
        told = self._log.info if reason is None else self._log.warning
        word = "back" if state is StoreState.OK else "away"
        told("limit_store", state=word, reason=None if reason is None else reason.value)

    def _board_changed(self, reason: StoreReason | None) -> None:
        """Tell the operator, once for each change, whether replicas hear of each other's budgets."""
        told, state = (self._log.info, "back") if reason is None else (self._log.warning, "away")
        told("budget_board", state=state, reason=None if reason is None else reason.value)

    def _proxy(self, ids: Ids, admission: Admission, observers: tuple[Observer, ...]) -> Proxy:
        gateway = self.settings
        replies = Replies(gateway, self._clock)
        intake = Intake(
            gateway=gateway,
            ways=self._ways,
            admission=admission,
            clients=Clients(gateway),
            views=self._ways.views_of(gateway.clients),
            lifecycle=self.lifecycle,
            clock=self._clock,
            ids=ids,
        )
        return Proxy(
            gateway,
            intake=intake,
            forwarder=Forwarder(replies, self._budgets, self._clock),
            replies=replies,
            lifecycle=self.lifecycle,
            clock=self._clock,
            observers=observers,
            log=self._log,
        )

    def _admin(self, board: StatusBoard, standing: Standing) -> Admin:
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        return Admin(
            registry=self.registry,
            board=board,
            lifecycle=self.lifecycle,
            clock=self._clock,
            unknown=UnknownShapes(self.registry, self._ways.unknown),
            standing=standing,
            describe=self._ways.describe,
        )

    def _terms(self, serve: Serve, refuse: Refuse) -> Terms:
        return Terms(bounds=self.settings.bounds, timeouts=self.settings.client_timeouts, serve=serve, refuse=refuse)

    def share_budgets(self, board: BudgetBoard) -> None:
        """Tell other replicas of budgets on `board`, and hear of them, from `start` on."""
        self._exchange = Exchange(board, self._budgets.held, self._clock, self._replicas)

    def _replicas(self) -> int:
        guarded = self._store.guarded
        return 1 if guarded is None else guarded.stats().replicas

    async def start(self, *, tries: int = 1) -> None:
        """Listen on both ports, each the next free one of `tries`, and be ready.

        One of several processes listens on the port that all of them share, and on none for operators: see `attend`.
        Raises OSError when a port cannot be had.
        """
        listen, admin = self.settings.listen, self.settings.admin
        self._writer.start()
        if not await self._store.start():
            self._log.warning("limit_store", state="absent", reason=None)
        if self._exchange is not None:
            self._exchange.start()
        if self.member is None:
            listener = await listening("admin", self._admin_server, admin, tries=tries)
            self._admin_listening.append(listener)
            self.admin_port = port_of(listener)
        else:
            listen = listen.model_copy(update={"port": self.member.port})
        listener = await listening("listen", self._server, listen, tries=tries, shared=self.member is not None)
        self._listening.append(listener)
        self.port = port_of(listener)
        self._runtime.start()
        self.lifecycle.state = State.READY

    async def attend(self, connection: socket.socket) -> None:
        """Answer what an operator asks by a connection that was handed to us; it is closed with its last answer."""
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(self._admin_server, connection)

    async def stop(self, *, delay: bool = True) -> None:
        """Stop as a load balancer wishes: not ready, a delay, the requests under way, then the connections.

        From the first moment each answer is its connection's last, so that after the delay hardly any is left on which
        a request may be on its way. Without `delay` the port is given up at once. The operator's port answers until
        the end.
        """
        shutdown = self.settings.shutdown
        self.lifecycle.state = State.DRAINING
        self._server.wind_down()
        await asyncio.sleep(shutdown.delay_s if delay else 0)
        ends_s = self._clock.monotonic_s() + shutdown.grace_s
        await self._server.caught_up()
        for listener in self._listening:
            listener.close()
        await self._server.caught_up()
        await self._server.drain(shutdown.grace_s)
        await self.lifecycle.quiet(max(0.0, ends_s - self._clock.monotonic_s()))
        self.lifecycle.state = State.ENDING
        await self._server.end()
        await self._ways.aclose()
        if self._exchange is not None:
            await self._exchange.aclose()
        await self._store.aclose()
        for listener in (*self._listening, *self._admin_listening):
            listener.close()
        await self._admin_server.end()
        self._runtime.stop()
        self._lines.flush()
        self._writer.stop(LOG_END_S)  # the loop has nothing else left to do
        self.lifecycle.state = State.STOPPED

    def flush_log(self) -> None:
        """Write the log lines that still wait for company, and wait for it a moment. For tests: it blocks."""
        self._lines.flush()
        self._writer.written(LOG_END_S)


async def listening(
    key: str, server: ClientServer, address: Address, *, tries: int = 1, shared: bool = False
) -> asyncio.Server:
    """Listen on the first free one of `tries` ports from the address' own on; `shared` with others who say so too.

    Raises OSError that names the address and the `key` of the configuration that it is under.
    """
    loop = asyncio.get_running_loop()
    for port in range(address.port, address.port + tries):
        try:
            return await loop.create_server(server, address.host, port, backlog=BACKLOG, reuse_port=shared or None)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or port == address.port + tries - 1:
                raise not_to_be_had(key, address.host, port, error) from error
    raise AssertionError


def port_of(listener: asyncio.Server) -> int:
    """Return the port that a server listens on."""
    port: int = listener.sockets[0].getsockname()[1]
    return port


def not_to_be_had(key: str, host: str, port: int, error: OSError) -> OSError:
    """Return an error that says which address could not be had, under which `key`, and why."""
    place = f"[{host}]" if ":" in host else host
    return OSError(error.errno, f"{key}: {place}:{port}: {_reason(error)}")


def _reason(error: OSError) -> str:
    """Return why an address could not be had; the loops put the address into words of their own."""
    known = error.errno in errno.errorcode and not isinstance(error, socket.gaierror)
    return os.strerror(error.errno or 0) if known else str(error.strerror or error)


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
    return Application(
        config,
        environ=environ,
        clock=clock,
        ids=ids or UuidsV7(clock),
        stream=stream or Descriptor(_STDOUT),
        observers=observers,
        store=store,
        member=member,
    )
