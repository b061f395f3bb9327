"""The supervisor: it owns the port for operators, keeps the clients' port for its processes, and ends when they have.

It starts no process before it knows that the configuration can be served, and hands each the configuration as it was
read then: a file that is edited meanwhile changes nothing, so all processes always serve the same.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from gateway.app.lasting import FLUSH_S, LOG_END_S, SECRET_BYTES
from gateway.app.ports import listening, port_of
from gateway.edge.access_log import LineBuffer, diagnostic_logger
from gateway.edge.clock import SystemClock
from gateway.edge.connection import Terms
from gateway.edge.lifecycle import Lifecycle, State
from gateway.edge.log_writer import LogWriter
from gateway.edge.member import Member
from gateway.edge.server import ClientServer
from gateway.limits.stores.shared.memory import nameless_file
from gateway.supervisor.admin import Overview
from gateway.supervisor.channel import Hello
from gateway.supervisor.ledger import Ledger
from gateway.supervisor.port import ReservedPort
from gateway.supervisor.seat import Seat
from gateway.supervisor.shared_log import SharedLog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.config.load import Configuration
    from gateway.edge.clock import Clock

END_MARGIN_S: Final = 5.0
"""How much longer than its own `delay` and `grace` a process may take to end before it is killed."""


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
        table_fd: int | None = None,
    ) -> None:
        """Keep what the processes are made of; `path` is the gateway's file. Must be called in a running loop.

        `secret` keys the hashes of credentials in all of them, by default one that nobody else has; `table_fd` is a
        descriptor of memory that they share, which stays open.
        """
        loop = asyncio.get_running_loop()
        self.settings = config.gateway
        self.port = 0
        self.admin_port = 0
        self._config = config
        self._path = path
        self._processes = processes
        self._environ = environ
        self._clock = clock or SystemClock()
        self._secret = secret or os.urandom(SECRET_BYTES)
        self._table_fd = table_fd
        self._lifecycle = Lifecycle()
        self._lock_fd = nameless_file()
        self._writer = LogWriter(SharedLog(self._lock_fd))
        self._lines = LineBuffer(self._writer.put, lambda call: loop.call_later(FLUSH_S, call))
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
        overview = Overview(self._seats, ledger=ledger, lifecycle=self._lifecycle, clock=self._clock)
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

    def kill(self) -> None:
        """End all processes now."""
        for seat in self._seats:
            seat.kill()

    def _places(self, ledger: Ledger) -> list[Seat]:
        log = diagnostic_logger(self._lines, self._clock)
        return [
            Seat(self._hello(index), environ=self._environ, clock=self._clock, log=log, ledger=ledger)
            for index in range(self._processes)
        ]

    def _hello(self, index: int) -> Hello:
        member = Member(
            index=index, processes=self._processes, port=self.port, secret=self._secret, table_fd=self._table_fd
        )
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
