"""What lives as long as the process, whatever configurations come and go: counts, logs, and what was seen.

It is made with the first configuration, and told of each that takes its place. What it reads of the first alone
(`config/fixed`) cannot change without a restart.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry

from gateway.edge.access_log import AccessLog, LineBuffer
from gateway.edge.config_record import ConfigRecord
from gateway.edge.diagnostics import diagnostic_logger
from gateway.edge.lifecycle import Lifecycle
from gateway.edge.limiting.budget_metrics import BoardMetrics
from gateway.edge.limiting.exchange import Exchange
from gateway.edge.limiting.limit_metrics import LimitMetrics
from gateway.edge.limiting.store_metrics import KeyMetrics, StoreMetrics
from gateway.edge.limiting.stores import budget_board, limit_store, secret_of
from gateway.edge.log_writer import LogWriter
from gateway.edge.metrics import Metrics
from gateway.edge.runtime_metrics import RuntimeMetrics
from gateway.edge.status import StatusBoard
from gateway.edge.unknown import UnknownShapes
from gateway.limits.stores.guard.breaker import State as StoreState
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from gateway.config.load import Configuration
    from gateway.edge.clock import Clock, Ids
    from gateway.edge.limiting.budgets import Budgets
    from gateway.edge.log_writer import ByteStream
    from gateway.edge.member import Member
    from gateway.edge.observers import Observer
    from gateway.errors import StoreReason
    from gateway.limits import Verdict
    from gateway.limits.budget.board import BudgetBoard
    from gateway.limits.budget.held import Held
    from gateway.limits.stores import Store
    from gateway.pipeline.radar import Sightings

SECRET_BYTES: Final = 32
FLUSH_S: Final = 0.1
"""How long an access log line may wait for company before it is written."""
LOG_END_S: Final = 1.0
"""How long stopping waits for the last log lines to be taken."""


class Lasting:
    """What every configuration of one process shares."""

    def __init__(
        self,
        config: Configuration,
        environ: Mapping[str, str],
        *,
        clock: Clock,
        ids: Ids,
        stream: ByteStream,
        observers: tuple[Observer, ...],
        store: Store | None,
        member: Member | None,
    ) -> None:
        """Make it. Must be called in a running loop."""
        self.clock = clock
        self.ids = ids
        self.member = member
        self.lifecycle = Lifecycle()
        self.registry = CollectorRegistry()
        self._log_to(stream)
        self._observe(config, observers)
        self.store = limit_store(
            config,
            environ,
            clock=clock,
            replica=ids.mint().encode("ascii"),
            member=member,
            on_change=self._store_changed,
        )
        self.counts = self.store.port if store is None else store
        own = os.urandom(SECRET_BYTES) if member is None else member.secret
        self.secret = secret_of(config, environ) or own
        self._budgets: Budgets | None = None
        self.limit_metrics = LimitMetrics(self.registry, self._decided)
        if self.store.memory is not None:
            KeyMetrics(self.registry, self.store.memory.__len__)
        if self.store.guarded is not None:
            StoreMetrics(self.registry, self.store.guarded.stats)
        self.exchange: Exchange | None = None
        self.shared_by = 1 if member is None else member.processes
        if config.gateway.store.redis is not None:
            board = budget_board(config, environ, BoardMetrics(self.registry, self._board_changed).heard)
            if board is not None:
                self.share_budgets(board, ())

    def _log_to(self, stream: ByteStream) -> None:
        loop = asyncio.get_running_loop()
        self.writer = LogWriter(stream)
        self.lines = LineBuffer(self.writer.put, lambda call: loop.call_later(FLUSH_S, call))
        self.log = diagnostic_logger(self.lines, self.clock)

    def _observe(self, config: Configuration, observers: tuple[Observer, ...]) -> None:
        """Begin to tell of requests; one of several processes leaves the configuration to its supervisor."""
        self.record = ConfigRecord(config.digest, self.clock.now_s())
        if self.member is None:
            self.registry.register(self.record)
        self.board = StatusBoard(())
        self.metrics = Metrics(self.registry, lambda: self.lifecycle.in_flight, lambda: self.writer.dropped_lines)
        self._runtime = RuntimeMetrics(self.registry, self.clock)
        self.observers: tuple[Observer, ...] = (self.metrics, AccessLog(self.lines, self.clock), self.board, *observers)
        self._sightings: dict[str, Sightings] = {}
        self.unknown = UnknownShapes(self.registry, self._sightings)

    def follow(self, upstreams: Collection[str], sightings: Mapping[str, Sightings], budgets: Budgets) -> None:
        """Tell of these from now on; what was counted of those that stay goes on."""
        self.board.follow(upstreams)
        self.metrics.serve(upstreams)
        self.limit_metrics.serve(upstreams)
        self._sightings.clear()
        self._sightings.update(sightings)
        if self.exchange is not None:
            self.exchange.follow(budgets.held)
        self._budgets = budgets
        if self.store.memory is not None:
            now_us, unix_us = (round(now_s * US_IN_S) for now_s in (self.clock.monotonic_s(), self.clock.now_s()))
            self.store.memory.sweep(now_us, unix_us)

    def _decided(self, verdict: Verdict) -> None:
        """Take what the policy of a declared budget said."""
        if self._budgets is not None:
            self._budgets.decided(verdict)

    def share_budgets(self, board: BudgetBoard, budgets: Iterable[Held]) -> None:
        """Tell other replicas of budgets on `board`, and hear of them, from `start` on."""
        self.exchange = Exchange(board, budgets, self.clock, self._replicas)

    def _replicas(self) -> int:
        guarded = self.store.guarded
        return 1 if guarded is None else guarded.stats().replicas

    def _store_changed(self, state: StoreState, reason: StoreReason | None) -> None:
        """Tell the operator, once for each change, whether limits are shared or counted without their store."""
        told = self.log.info if reason is None else self.log.warning
        word = "back" if state is StoreState.OK else "away"
        told("limit_store", state=word, reason=None if reason is None else reason.value)

    def _board_changed(self, reason: StoreReason | None) -> None:
        """Tell the operator, once for each change, whether replicas hear of each other's budgets."""
        told, state = (self.log.info, "back") if reason is None else (self.log.warning, "away")
        told("budget_board", state=state, reason=None if reason is None else reason.value)

    async def start(self) -> None:
        """Begin to write, to count, and to tell other replicas."""
        self.writer.start()
        self._runtime.start()
        if not await self.store.start():
            self.log.warning("limit_store", state="absent", reason=None)
        if self.exchange is not None:
            self.exchange.start()

    async def aclose(self) -> None:
        """Let go of what is on the network."""
        if self.exchange is not None:
            await self.exchange.aclose()
        await self.store.aclose()

    def flush_log(self) -> None:
        """Write the log lines that still wait for company, and wait for it a moment: it blocks."""
        self.lines.flush()
        self.writer.written(LOG_END_S)

    def end_log(self) -> None:
        """Write the last log lines. It blocks: the loop has nothing else left to do."""
        self._runtime.stop()
        self.lines.flush()
        self.writer.stop(LOG_END_S)
