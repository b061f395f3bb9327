"""The operator's port of several processes: each page is asked of all, and told as one gateway's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.registry import Collector

from gateway import __version__
from gateway.edge.admin_port import HEALTH, JSON, METRICS, READY, SAMPLES, STATUS, UNKNOWN_SHAPES, AdminPort
from gateway.edge.exposition import exposition
from gateway.edge.lifecycle import State
from gateway.edge.series import Family, Told
from gateway.supervisor import pages
from gateway.supervisor.process import ProcessState
from gateway.supervisor.questions import ask
from gateway.supervisor.samples import read, write
from gateway.supervisor.steps import in_turns
from gateway.supervisor.sums import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.core import Metric

    from gateway.edge.admin_port import Page
    from gateway.edge.answer import Lines
    from gateway.edge.clock import Clock
    from gateway.edge.config_record import ConfigRecord
    from gateway.edge.lifecycle import Lifecycle
    from gateway.supervisor.ledger import Ledger
    from gateway.supervisor.process import Process
    from gateway.supervisor.seat import Seat

PATIENCE_S: Final = 1.0
"""How long a process may take to answer a question before it is left out."""
RULES_PATIENCE_S: Final = 10.0
"""As long for the unknown shapes: to suggest a rule for each takes a moment, once."""

NAME: Final = "supervisor"
"""What our own samples are labelled by."""

_ANSWERING: Final = frozenset((ProcessState.READY, ProcessState.DRAINING))
CHILDREN: Final = Family(
    "accord_supervisor_children", "gauge", "Places of processes, by what the process there is doing.", ("state",)
)
RESTARTS: Final = Family(
    "accord_supervisor_restarts", "counter", "Processes that were started in the place of one that ended."
)
FAILURES: Final = Family(
    "accord_supervisor_scrape_failures",
    "counter",
    "Questions that a process did not answer in time, so that it was left out.",
)


class Overview(Collector):
    """Tells operators of all processes. `port` answers them."""

    def __init__(
        self, seats: Sequence[Seat], *, ledger: Ledger, lifecycle: Lifecycle, clock: Clock, record: ConfigRecord
    ) -> None:
        """Ask the processes that are in the `seats`, whenever somebody asks us."""
        self._seats = seats
        self._record = record
        self._ledger = ledger
        self._lifecycle = lifecycle
        self._clock = clock
        self._began_s = clock.monotonic_s()
        self._failures = 0
        self._one_by_one = asyncio.Lock()
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._registry.register(record)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self.port = AdminPort(
            clock,
            awaited={METRICS: self._metrics, UNKNOWN_SHAPES: self._unknown_shapes},
            made={STATUS: self._status, HEALTH: lambda _query: (200, {"status": "ok"}), READY: self._ready},
        )

    def collect(self) -> Iterator[Metric]:
        """Return the families of the supervisor's own."""
        states = [seat.state for seat in self._seats]
        yield Told(CHILDREN, lambda: [((state.value,), states.count(state)) for state in ProcessState]).metric()
        yield Told(RESTARTS, lambda: (((), self._restarts()),)).metric()
        yield Told(FAILURES, lambda: (((), self._failures),)).metric()

    def _restarts(self) -> int:
        return sum(seat.restarts for seat in self._seats)

    @property
    def ready(self) -> bool:
        """Whether there is a process that takes requests, and all are to stay."""
        return self._lifecycle.ready and any(seat.state is ProcessState.READY for seat in self._seats)

    def _state(self) -> State:
        """Return the state of the whole: without any process that is ready it is as if none had started yet."""
        return State.STARTING if self._lifecycle.ready and not self.ready else self._lifecycle.state

    # ---- pages ---------------------------------------------------------------------------------------------------

    async def _metrics(self, _query: str) -> tuple[Lines, bytes]:
        async with self._one_by_one:  # what is remembered must be of the latest answers
            answered = []
            for process, page in await self._ask(METRICS, PATIENCE_S):
                self._ledger.note(process.life, await in_turns(read(page.decode())))
                answered.append(process.life)
            own = await exposition(self._registry.collect())
            part = Part(name=NAME, scrape=await in_turns(read(own.decode())))
            scrape = await in_turns(self._ledger.total(answered, part))
        return SAMPLES, await in_turns(write(scrape.values()))

    async def _unknown_shapes(self, _query: str) -> tuple[Lines, bytes]:
        answers = await self._ask(UNKNOWN_SHAPES, RULES_PATIENCE_S)
        return JSON, msgspec.json.encode(pages.unknown_shapes([msgspec.json.decode(page) for _, page in answers]))

    async def _status(self, query: str) -> Page:
        """Let one process answer for one key; without a query, put what is ours to what all of them say."""
        if query:
            return await self._one(f"{STATUS}?{query}")
        answers = await self._ask(STATUS, PATIENCE_S)
        told = {process.life: msgspec.json.decode(page) for process, page in answers}
        ours = {
            "version": __version__,
            "state": self._state().value,
            "uptime_s": round(self._clock.monotonic_s() - self._began_s, 1),
            "configuration": self._record.described(),
            "processes": [self._described(seat, told) for seat in self._seats],
        }
        return 200, {**pages.status(list(told.values())), **ours}

    async def _one(self, target: str) -> Page:
        """Ask the processes, one after the other, until one has answered."""
        for process in self._able():
            told = await ask(process.channel, target, PATIENCE_S)
            if told is not None:
                return told.status, msgspec.Raw(told.body)
            self._failures += 1
        return 503, {"error": "no process answers"}

    def _described(self, seat: Seat, told: dict[int, dict[str, Any]]) -> dict[str, Any]:
        process = seat.process
        page = {} if process is None else told.get(process.life, {})
        return {
            "process": seat.number,
            "pid": None if process is None else process.pid,
            "state": seat.state.value,
            "restarts": seat.restarts,
            "uptime_s": page.get("uptime_s"),
            "in_flight": page.get("in_flight"),
        }

    def _ready(self, _query: str) -> tuple[int, object]:
        return 200 if self.ready else 503, {"status": self._state().value}

    def _able(self) -> list[Process]:
        """Return the processes that can answer."""
        return [seat.process for seat in self._seats if seat.process is not None and seat.state in _ANSWERING]

    async def _ask(self, path: str, patience_s: float) -> list[tuple[Process, bytes]]:
        """Ask all processes at the same time, and return what those told who did answer."""
        asked = self._able()
        answers = await asyncio.gather(*[ask(process.channel, path, patience_s) for process in asked])
        told = [(process, one.body) for process, one in zip(asked, answers, strict=True) if one and one.status == 200]
        self._failures += len(asked) - len(told)
        return told
