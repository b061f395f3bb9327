"""A real `accord serve` in processes of its own, for tests: its ports, its log, and what it tells operators."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from gateway.supervisor.samples import COUNTED, parted, read
from tests.integration.harness import get
from tests.integration.wire import ask
from tests.unit.supervisor.scrapes import finish

if TYPE_CHECKING:
    import signal
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from gateway.supervisor.samples import Scrape
    from tests.integration.wire import Reply

START_S = 60.0
"""How long a test waits for processes that start or end: five interpreters, beside all else that runs."""
_LOOK_S = 0.02
"""Between two looks at what must come, so that looking does not hold it up."""
_PORTS = re.compile(r"http://127\.0\.0\.1:(\d+), metrics and status on http://127\.0\.0\.1:(\d+)")


class Served:
    """A gateway that serves."""

    def __init__(self, process: Process, log: Path, said: str) -> None:
        found = _PORTS.search(said)
        assert found is not None, said
        self.process = process
        self.said = said
        self.port, self.admin_port = int(found[1]), int(found[2])
        self._log = log

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process that was started, and to no other."""
        self.process.send_signal(number)

    async def ended(self) -> tuple[int, str]:
        """Wait until it and all that it started are gone; return its status, and what else was said to operators.

        Standard error is inherited: it ends when the last of them has closed it.
        """
        assert self.process.stderr is not None
        async with asyncio.timeout(START_S):
            told = await self.process.stderr.read()
            return await self.process.wait(), told.decode()

    async def get(self, target: str) -> Reply:
        """Ask the client port on a connection of its own."""
        return await ask(self.port, get(target, "Connection: close"))

    async def admin(self, target: str) -> Reply:
        """Ask the operator's port."""
        return await ask(self.admin_port, get(target))

    async def status(self) -> Any:  # noqa: ANN401 - JSON
        """Return the status page."""
        return (await self.admin("/status")).json()

    async def scrape(self) -> Scrape:
        """Return all samples."""
        page = (await self.admin("/metrics")).body.decode()
        headings = re.findall(r"^# HELP (\S+)", page, re.MULTILINE)
        assert len(set(headings)) == len(headings)
        return finish(read(page))

    async def until(self, holds: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - JSON
        """Look at the status page until what it says holds, and return it."""
        return await until(self.status, holds)

    def log(self) -> list[dict[str, Any]]:
        """Return the lines of the log so far; each must be whole."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]


async def until(look: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool], *, every_s: float = _LOOK_S) -> Any:  # noqa: ANN401 - what `look` says
    """Look again and again until it holds what is seen, and return it."""
    async with asyncio.timeout(START_S):
        while not holds(seen := await look()):  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(every_s)
    return seen


def summed(scrape: Scrape, name: str, **labels: str) -> float:
    """Add up a family's samples that have these labels; of histograms those that count."""
    family = scrape[name]
    wanted = {"counter": f"{name}_total", "histogram": f"{name}_count"}.get(family.kind, name)
    return sum(
        value
        for (sample, has), value in [(parted(key), value) for key, value in family.samples.items()]
        if sample == wanted and labels.items() <= dict(has).items()
    )


def assert_never_back(before: Scrape, after: Scrape) -> None:
    """Hold that nothing that only grows is less than it was, or gone."""
    for name, family in before.items():
        if family.kind in COUNTED:
            assert all(after[name].samples[key] >= value for key, value in family.samples.items()), name


async def start(config: Path, processes: str, log: Path, **environ: str) -> Process:
    """Start `accord serve`, its log going to a file, with further variables in its environment."""
    command = (sys.executable, "-m", "gateway", "serve", "--config", str(config), "--processes", processes)
    with log.open("wb") as output:
        return await asyncio.create_subprocess_exec(
            *command,
            stdout=output,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | environ,  # noqa: TID251 - a process needs its parent's
        )


@contextlib.asynccontextmanager
async def accord(config: Path, processes: int = 4, **environ: str) -> AsyncIterator[Served]:
    """Run a gateway while the context lasts, and leave no process behind."""
    log = config.parent / "log.jsonl"
    process = await start(config, str(processes), log, **environ)
    assert process.stderr is not None
    try:
        async with asyncio.timeout(START_S):
            said = (await process.stderr.readline()).decode()
        yield Served(process, log, said)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        async with asyncio.timeout(START_S):
            await process.stderr.read()
        await process.wait()
