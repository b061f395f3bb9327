"""The supervisor: it owns the port for operators, keeps the clients' port for its processes, and ends when they have.

It starts no process before it knows that the configuration can be served, and hands each the configuration as it was
read then, as text. Another one is made ready by all of them before any serves by it, and is what a process is handed
that starts later: so all processes always serve the same, whatever the files say by then.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.app.lasting import FLUSH_S, LOG_END_S, SECRET_BYTES
from gateway.app.ports import listening, port_of
from gateway.config.policies import all_of
from gateway.edge.access_log import LineBuffer
from gateway.edge.clock import SystemClock
from gateway.edge.config_record import ConfigRecord
from gateway.edge.connection import Terms
from gateway.edge.diagnostics import diagnostic_logger
from gateway.edge.lifecycle import Lifecycle, State
from gateway.edge.log_writer import LogWriter
from gateway.edge.member import Member
from gateway.edge.server import ClientServer
from gateway.errors import AccordError
from gateway.limits.stores.shared.memory import nameless_file
from gateway.supervisor.admin import Overview
from gateway.supervisor.channel import Change, Hello
from gateway.supervisor.ledger import Ledger
from gateway.supervisor.port import ReservedPort
from gateway.supervisor.seat import Seat
from gateway.supervisor.shared_log import SharedLog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gateway.config.load import Configuration
    from gateway.config.models import GatewayFile
    from gateway.edge.clock import Clock
    from gateway.edge.limiting.tables import Tables
    from gateway.limits.stores.shared.handle import Handle
    from gateway.supervisor.process import Process

END_MARGIN_S: Final = 5.0
"""How much longer than its own `delay` and `grace` a process may take to end before it is killed."""

PREPARE_S: Final = 300.0
"""How long a process may take to make another configuration ready before it is ended."""


class NotPrepared(AccordError):  # noqa: N818 - named for what happened
    """Processes that could not make a configuration ready, by their numbers; they have told the reasons themselves."""

    def __init__(self, numbers: Sequence[int]) -> None:
        """Keep them."""
        super().__init__(numbers)
        self.numbers = tuple(numbers)

    def __str__(self) -> str:
        return f"not ready to serve it: process {', '.join(map(str, self.numbers))}"


class Supervisor:
    """Serves a configuration by several processes."""

    def __init__(
        self,
        config: Configuration,
        path: Path,
        *,
        processes: int,
        environ: Mapping[str, str],
        clock: Clock | None = None,
        secret: bytes | None = None,
        tables: Tables | None = None,
    ) -> None:
        """Keep what the processes are made of; `path` is the gateway's file. Must be called in a running loop.

        `secret` keys the hashes of credentials in all of them, by default one that nobody else has; `tables` are
        of memory that they share, and stay the caller's.
        """
        loop = asyncio.get_running_loop()
        self.port = 0
        self.admin_port = 0
        self._config = config
        self._path = path
        self._processes = processes
        self._environ = environ
        self._clock = clock or SystemClock()
        self._secret = secret or os.urandom(SECRET_BYTES)
        self._tables = tables
        self._lifecycle = Lifecycle()
        self._lock_fd = nameless_file()
        self._writer = LogWriter(SharedLog(self._lock_fd))
        self._lines = LineBuffer(self._writer.put, lambda call: loop.call_later(FLUSH_S, call))
        self.log = diagnostic_logger(self._lines, self._clock)
        self.record = ConfigRecord(config.digest, self._clock.now_s())
        self._seats: list[Seat] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen for operators, and start all processes; return once each of them serves.

        Raises OSError when a port cannot be had, StartFailed when a process ended before it served; nothing is
        left running then.
        """
        self._reserved = ReservedPort(self.settings.listen)
        self.port = self._reserved.number
        ledger = Ledger()
        self._seats = self._places(ledger)
        overview = Overview(
            self._seats, ledger=ledger, lifecycle=self._lifecycle, clock=self._clock, record=self.record
        )
        terms = Terms(
            bounds=self.settings.bounds,
            timeouts=self.settings.client_timeouts,
            serve=overview.port.serve,
            refuse=overview.port.refuse,
        )
        self._admin_server = ClientServer(terms)
        try:
            self._listening = await listening("admin", self._admin_server, self.settings.admin)
        except OSError:
            self._reserved.close()
            raise
        self.admin_port = port_of(self._listening)
        self._writer.start()
        await self._start_all()
        self._lifecycle.state = State.READY

    async def stop(self) -> None:
        """Have all processes drain, each as a single one does, and end when the last has. Operators see it happen."""
        shutdown = self.settings.shutdown
        self._lifecycle.state = State.DRAINING
        for seat in self._seats:
            seat.leave()
        await self._gone(shutdown.delay_s + shutdown.grace_s + END_MARGIN_S)
        self.kill()
        await self._gone(None)
        self._lifecycle.state = State.ENDING
        self._listening.close()
        await self._admin_server.end()
        self._lines.flush()
        self._writer.stop(LOG_END_S)
        self._reserved.close()
        os.close(self._lock_fd)
        self._lifecycle.state = State.STOPPED

    @property
    def config(self) -> Configuration:
        """The configuration that is served."""
        return self._config

    @property
    def settings(self) -> GatewayFile:
        """The gateway's own file, of the configuration that is served."""
        return self._config.gateway

    async def take(self, config: Configuration) -> None:
        """Have all processes serve by another configuration, or none: raises NotPrepared, or OSError, then.

        One that starts meanwhile is told with the rest, as soon as it can hear; one that cannot is replaced.
        """
        policies = await asyncio.to_thread(all_of, config)
        handle = None if self._tables is None else self._tables.widen(policies)
        try:
            lives = await self._prepared(config, handle)
        except BaseException:
            if self._tables is not None and handle is not None:
                self._tables.narrow(handle)
            raise
        before, self._config = self._config, config
        for process in lives:
            process.switch()
        for seat in self._seats:
            if seat.process is not None and seat.process not in lives:
                seat.process.kill()  # it began while the others made ready, by what was served then
        if self._tables is not None:
            self._tables.keep({policy.id for policy in (*policies, *all_of(before))})

    async def _prepared(self, config: Configuration, handle: Handle | None) -> list[Process]:
        """Have all processes make ready; return those that did, and that are to be told to switch."""
        change = Change(texts=config.texts, policies=() if handle is None else handle.policies)
        fd = None if handle is None else handle.fd
        told = [seat for seat in self._seats if seat.process is not None]
        lives = [seat.process for seat in told if seat.process is not None]
        able = await asyncio.gather(*[process.prepare(change, fd, PREPARE_S) for process in lives])
        unable = [seat.number for seat, one in zip(told, able, strict=True) if not one]
        if unable:
            raise NotPrepared(unable)
        return lives

    def kill(self) -> None:
        """End all processes now."""
        for seat in self._seats:
            seat.kill()

    def _places(self, ledger: Ledger) -> list[Seat]:
        return [
            Seat(
                index + 1,
                partial(self._hello, index),
                environ=self._environ,
                clock=self._clock,
                log=self.log,
                ledger=ledger,
            )
            for index in range(self._processes)
        ]

    def _hello(self, index: int) -> Hello:
        tables = () if self._tables is None else self._tables.handles
        member = Member(index=index, processes=self._processes, port=self.port, secret=self._secret, tables=tables)
        texts = self._config.texts
        return Hello(config=str(self._path), texts=texts, member=member, lock_fd=self._lock_fd)

    async def _start_all(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = {loop.create_task(seat.hold()) for seat in self._seats}
        try:
            await asyncio.gather(*[seat.first_ready for seat in self._seats])
        except BaseException:
            self.kill()
            await self.stop()
            raise

    async def _gone(self, timeout_s: float | None) -> None:
        """Wait until no place is held any more, or for so long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)
