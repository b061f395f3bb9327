"""One of the places that processes have: while it is held, there is a process, or the next one is on its way."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Final

from gateway.errors import AccordError
from gateway.supervisor.backoff import Backoff
from gateway.supervisor.process import Process, ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from structlog.typing import FilteringBoundLogger

    from gateway.edge.clock import Clock
    from gateway.supervisor.channel import Hello
    from gateway.supervisor.ledger import Ledger

_lives: Final = count()


class StartFailed(AccordError):  # noqa: N818 - named for what happened
    """A process ended before it served for the first time; `how` says in which way. It has told the reason itself."""

    def __init__(self, number: int, how: str) -> None:
        """Keep both."""
        super().__init__(number, how)
        self.number = number
        self.how = how

    def __str__(self) -> str:
        return f"accord: process {self.number} {self.how} before it served"


class Seat:
    """Holds a place. `number` counts from 1, as people do."""

    def __init__(
        self,
        number: int,
        hello: Callable[[], Hello],
        *,
        environ: Mapping[str, str],
        clock: Clock,
        log: FilteringBoundLogger,
        ledger: Ledger,
    ) -> None:
        """Begin without a process; `hello` returns what the next one is told."""
        self.number = number
        self.process: Process | None = None
        self.restarts = 0
        self.first_ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._hello = hello
        self._environ = environ
        self._clock = clock
        self._log = log
        self._ledger = ledger
        self._backoff = Backoff()
        self._leaving = asyncio.Event()

    @property
    def state(self) -> ProcessState:
        """What its process is doing."""
        return ProcessState.WAITING if self.process is None else self.process.state

    async def hold(self) -> None:
        """Start a process, and another one whenever it has ended, until told to leave."""
        while not self._leaving.is_set():
            began_s = self._clock.monotonic_s()
            how = await self._live()
            if not self.first_ready.done():
                self.first_ready.set_exception(StartFailed(self.number, how))
                return
            if not self._leaving.is_set():
                await self._rest(how, self._clock.monotonic_s() - began_s)

    def leave(self) -> None:
        """Have the process drain and end, and start no other."""
        self._leaving.set()
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """End the process now, and start no other."""
        self._leaving.set()
        if self.process is not None:
            self.process.kill()

    async def _live(self) -> str:
        """Live through one process, and return how it ended."""
        life = next(_lives)
        hello = self._hello()
        try:
            process = Process(hello, life=life, environ=self._environ, changed=self._changed)
        except OSError as error:
            return f"could not be started: {error.strerror or error}"
        self.process = process
        self._ledger.begin(life, str(self.number))
        if self._leaving.is_set():
            process.terminate()
        await process.greet(hello)
        status = await process.ended()
        self.process = None
        self._ledger.end(life)
        return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"

    def _changed(self) -> None:
        if self.state is not ProcessState.READY or self.process is None:
            return
        if not self.first_ready.done():
            self.first_ready.set_result(None)
        else:
            self._log.info("process restarted", process=self.number, pid=self.process.pid, restarts=self.restarts)

    async def _rest(self, how: str, lived_s: float) -> None:
        """Wait as long as the last life was too short."""
        self._backoff, delay_s = self._backoff.died(lived_s)
        self._log.error(
            "process ended", process=self.number, how=how, lived_s=round(lived_s, 1), restart_in_s=round(delay_s, 1)
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._leaving.wait()
        self.restarts += not self._leaving.is_set()
