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
from gateway.edge.budget_metrics import BudgetMetrics
from gateway.edge.budgets import Budgets
from gateway.edge.clock import SystemClock, UuidsV7
from gateway.edge.connection import Terms
from gateway.edge.exchange import Exchange
from gateway.edge.forward import Forwarder
from gateway.edge.intake import Intake
from gateway.edge.lifecycle import Lifecycle, State
from gateway.edge.limit_metrics import LimitMetrics
from gateway.edge.log_writer import Descriptor, LogWriter
from gateway.edge.metrics import Metrics
from gateway.edge.proxy import Proxy
from gateway.edge.replies import Replies
from gateway.edge.server import ClientServer
from gateway.edge.status import StatusBoard
from gateway.edge.unknown import UnknownShapes
from gateway.edge.ways import Ways
from gateway.limits.stores import BudgetedStore, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config.load import Configuration
    from gateway.config.values import Address
    from gateway.edge.clock import Clock, Ids
    from gateway.edge.connection import Refuse, Serve
    from gateway.edge.log_writer import ByteStream
    from gateway.edge.observers import Observer
    from gateway.limits.budget.board import BudgetBoard
    from gateway.limits.stores import Store

SECRET_BYTES: Final = 32
BACKLOG: Final = 1024
FLUSH_S: Final = 0.1
"""How long an access log line may wait for company before it is written."""
LOG_END_S: Final = 1.0
"""How long stopping waits for the last log lines to be taken."""
NEW_S: Final = 1.0
"""How long a connection that was just made may take to begin its first request when the gateway stops."""
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
        secret: bytes,
        observers: tuple[Observer, ...],
        store: Store | None,
    ) -> None:
        """Put the parts together. Must be called in a running loop."""
        loop = asyncio.get_running_loop()
        self.settings = config.gateway
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
        board = StatusBoard(tuple(upstream.settings.name for upstream in config.upstreams))
        metrics = Metrics(self.registry, lambda: self.lifecycle.in_flight, lambda: self._writer.dropped_lines)
        log = AccessLog(self._lines, clock)
        admission = self.admission = Admission(
            config.gateway,
            secret=secret,
            clock=clock,
            store=BudgetedStore(MemoryStore() if store is None else store, self._budgets.held),
            metrics=LimitMetrics(self.registry),
        )
        proxy = self._proxy(ids, admission, (metrics, log, board, *observers))
        admin = self._admin(board)
        self._server = ClientServer(self._terms(proxy.serve, proxy.refuse))
        self._admin_server = ClientServer(self._terms(admin.serve, admin.refuse))
        self._listening: list[asyncio.Server] = []

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
            log=diagnostic_logger(self._lines, self._clock),
        )

    def _admin(self, board: StatusBoard) -> Admin:
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        return Admin(
            registry=self.registry,
            board=board,
            lifecycle=self.lifecycle,
            clock=self._clock,
            unknown=UnknownShapes(self.registry, self._ways.unknown),
            describe=self._ways.describe,
        )

    def _terms(self, serve: Serve, refuse: Refuse) -> Terms:
        return Terms(bounds=self.settings.bounds, timeouts=self.settings.client_timeouts, serve=serve, refuse=refuse)

    def share_budgets(self, board: BudgetBoard) -> None:
        """Tell other replicas of budgets on `board`, and hear of them, from `start` on."""
        self._exchange = Exchange(board, self._budgets.held, self._clock)

    async def start(self, *, tries: int = 1) -> None:
        """Listen on both ports, each the next free one of `tries`, and be ready.

        Raises OSError when a port cannot be had.
        """
        listen, admin = self.settings.listen, self.settings.admin
        self._writer.start()
        if self._exchange is not None:
            self._exchange.start()
        self.admin_port = await self._listen("admin", self._admin_server, admin, tries)
        self.port = await self._listen("listen", self._server, listen, tries)
        self.lifecycle.state = State.READY

    async def stop(self) -> None:
        """Stop as a load balancer wishes: not ready, a delay, the requests under way, then the connections.

        The operator's port answers until the end.
        """
        shutdown = self.settings.shutdown
        self.lifecycle.state = State.DRAINING
        await asyncio.sleep(shutdown.delay_s)
        ends_s = self._clock.monotonic_s() + shutdown.grace_s
        self._server.wind_down()
        await self._server.caught_up()
        for listener in self._listening[1:]:
            listener.close()
        await self._server.caught_up()
        await self._server.drain(min(NEW_S, shutdown.grace_s))
        await self.lifecycle.quiet(max(0.0, ends_s - self._clock.monotonic_s()))
        self.lifecycle.state = State.ENDING
        await self._server.end()
        await self._ways.aclose()
        if self._exchange is not None:
            await self._exchange.aclose()
        for listener in self._listening:
            listener.close()
        await self._admin_server.end()
        self._lines.flush()
        self._writer.stop(LOG_END_S)  # the loop has nothing else left to do
        self.lifecycle.state = State.STOPPED

    def flush_log(self) -> None:
        """Write the log lines that still wait for company, and wait for it a moment. For tests: it blocks."""
        self._lines.flush()
        self._writer.written(LOG_END_S)

    async def _listen(self, key: str, server: ClientServer, address: Address, tries: int) -> int:
        """Listen on the first free one of `tries` ports from the address' own on, and return it.

        Raises OSError that names the address and the `key` of the configuration that it is under.
        """
        loop = asyncio.get_running_loop()
        for candidate in range(address.port, address.port + tries):
            try:
                listening = await loop.create_server(server, address.host, candidate, backlog=BACKLOG)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or candidate == address.port + tries - 1:
                    place = f"[{address.host}]" if ":" in address.host else address.host
                    raise OSError(error.errno, f"{key}: {place}:{candidate}: {_reason(error)}") from error
            else:
                self._listening.append(listening)
                bound: int = listening.sockets[0].getsockname()[1]
                return bound
        raise AssertionError


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
    secret: bytes | None = None,
    observers: tuple[Observer, ...] = (),
    store: Store | None = None,
) -> Application:
    """Make a gateway. Must be called in a running loop.

    `environ` gives the secrets that the configuration names; log lines go to `stream` (standard output); `observers`
    are told of every request besides the metrics, the log and the status page; `store` keeps the counts of limits in
    place of the configured one. Raises ValueError for a limit that
    cannot work, RuntimeError when aiohttp is not fit to face clients.
    """
    clock = clock or SystemClock()
    return Application(
        config,
        environ=environ,
        clock=clock,
        ids=ids or UuidsV7(clock),
        stream=stream or Descriptor(_STDOUT),
        secret=secret or os.urandom(SECRET_BYTES),
        observers=observers,
        store=store,
    )
