"""A real gateway on a free port, for tests, and what it did: its log, its metrics, and the outcome of each request."""

from __future__ import annotations

import asyncio
import functools
import json
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec

import uvloop
from prometheus_client import generate_latest

from gateway import app
from gateway.config.load import load
from tests.integration.loops import run
from tests.integration.wire import PATIENCE_S, ask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
    from pathlib import Path

    from gateway.app import Application
    from gateway.edge.clock import Clock, Ids
    from gateway.limits.budget.board import BudgetBoard
    from gateway.limits.stores import Store
    from gateway.model import Outcome
    from tests.integration.origin import Origin
    from tests.integration.wire import Reply

P = ParamSpec("P")


def on_uvloop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make a test of a coroutine function, on the loop that the gateway is served by."""

    @functools.wraps(test)
    def on_loop(*args: P.args, **kwargs: P.kwargs) -> None:
        run(test(*args, **kwargs), uvloop.new_event_loop)

    return on_loop


class Lines:
    """A place for log lines."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes, /) -> None:
        """Take bytes."""
        self.data += data

    def entries(self) -> list[dict[str, Any]]:
        """Return the lines as JSON."""
        return [json.loads(line) for line in self.data.splitlines()]


class LoopClock:
    """The time of the running loop, which in a test may be virtual."""

    def now_s(self) -> float:
        """Return Unix time, as if the loop had begun in November 2026."""
        return 1_795_000_000 + asyncio.get_running_loop().time()

    def monotonic_s(self) -> float:
        """Return the loop's own time."""
        return asyncio.get_running_loop().time()


class Watcher:
    """An observer that a test can wait for."""

    def __init__(self) -> None:
        self._seen: deque[Outcome] = deque()
        self._more = asyncio.Event()

    def observe(self, outcome: Outcome) -> None:
        """Take note of one request."""
        self._seen.append(outcome)
        self._more.set()

    async def next(self) -> Outcome:
        """Return the next outcome, in the order in which requests ended."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._seen:
                self._more.clear()
                await self._more.wait()
        return self._seen.popleft()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A gateway that runs."""

    application: Application
    lines: Lines = field(default_factory=Lines)
    outcomes: Watcher

    @property
    def port(self) -> int:
        """The client port."""
        return self.application.port

    async def ask(self, request: bytes, *, head: bool = False) -> Reply:
        """Send one request on a connection of its own."""
        return await ask(self.port, request, head=head)

    async def get(self, target: str, *fields: str) -> Reply:
        """Send a GET."""
        return await self.ask(get(target, *fields))

    def metrics(self) -> str:
        """Return all samples as text."""
        return generate_latest(self.application.registry).decode()

    def log(self) -> list[dict[str, Any]]:
        """Return the lines of the log so far."""
        self.application.flush_log()
        return self.lines.entries()


def get(target: str, *fields: str, method: str = "GET") -> bytes:
    """Return a request without a body, as bytes."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: gateway.test", *fields, "", ""]).encode("latin-1")


def post(target: str, body: bytes, *fields: str) -> bytes:
    """Return a request with a body of known length, as bytes."""
    return get(target, f"Content-Length: {len(body)}", *fields, method="POST") + body


def upstream(origin: Origin | int, name: str = "api", dialect: str = "salla", **more: object) -> dict[str, Any]:
    """Return the settings of an upstream at an origin, below the prefix of its name."""
    port = origin if isinstance(origin, int) else origin.port
    base = {"version": 1, "name": name, "base_url": f"http://127.0.0.1:{port}", "dialect": dialect}
    return base | {"match": {"prefix": f"/{name}"}} | more


def written(folder: Path, *upstreams: Mapping[str, object], **settings: object) -> Path:
    """Write a configuration of these upstreams and no others; return the path of the gateway's own file."""
    (folder / "upstreams").mkdir(exist_ok=True)
    for old in (folder / "upstreams").iterdir():
        old.unlink()
    base = {"version": 1, "listen": "127.0.0.1:0", "admin": "127.0.0.1:0"}
    (folder / "gateway.yaml").write_text(json.dumps(base | settings))
    for one in upstreams:
        (folder / "upstreams" / f"{one['name']}.yaml").write_text(json.dumps(one))
    return folder / "gateway.yaml"


@asynccontextmanager
async def gateway(
    folder: Path,
    *upstreams: Mapping[str, object],
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
    counts: Store | None = None,
    board: BudgetBoard | None = None,
    **settings: object,
) -> AsyncIterator[Running]:
    """Run a gateway in front of `upstreams`; `settings` are keys of its own file, the rest is as in `running`."""
    config = written(folder, *upstreams, **settings)
    async with running(config, environ=environ, clock=clock, ids=ids, counts=counts, board=board) as accord:
        yield accord


@asynccontextmanager
async def running(
    config: Path,
    *,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
    counts: Store | None = None,
    board: BudgetBoard | None = None,
) -> AsyncIterator[Running]:
    """Run a gateway by the files that are there; `counts` is a store in place of its own."""
    lines, outcomes = Lines(), Watcher()
    application = app.build(
        load(config),
        environ=environ or {},
        clock=clock or LoopClock(),
        ids=ids,
        stream=lines,
        observers=(outcomes,),
        store=counts,
    )
    if board is not None:
        application.share_budgets(board)
    await application.start()
    try:
        yield Running(application=application, lines=lines, outcomes=outcomes)
    finally:
        await application.stop()
