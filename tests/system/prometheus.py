"""A real Prometheus on loopback, for tests: it scrapes what a test names, takes rule files, and answers queries.

    async with prometheus(folder, {"accord": [served.admin_port]}) as watching:
        await watching.scraped()  # all that was counted before this line is known
        assert await watching.value("sum(accord_requests_total)") == 3

It keeps its series in the test's folder and is ended with the test. Its own clock is the only one asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
from math import nan
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

from tests.components import require_component
from tests.integration.harness import get, post
from tests.integration.wire import ask
from tests.system.ports import free_port

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

PATIENCE_S: Final = 30.0
"""How long it may take to start, and to scrape what it is told to."""
_TOOL_S: Final = 120.0
"""How long one run of promtool may take."""
_LOOK_S: Final = 0.02
_ALIGNED_S: Final = 0.005
"""A sample's time may be this far from the scrape's own: Prometheus aligns them."""
_LOG: Final = "prometheus.log"
_FORM: Final = "Content-Type: application/x-www-form-urlencoded"


class QueryFailed(Exception):  # noqa: N818 - what a query that cannot be answered says
    """Prometheus did not take a query; its own words."""


class Series(NamedTuple):
    """One row of an answer: its labels, and (Unix time, value) of each of its points, the last one last."""

    labels: dict[str, str]
    points: list[tuple[float, float]]

    @property
    def value(self) -> float:
        """Return the last value."""
        return self.points[-1][1]


class Prometheus:
    """A server that runs."""

    def __init__(self, port: int, targets: int) -> None:
        """Know it by its port, and how many targets it has."""
        self.port = port
        self._targets = targets

    async def api(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        """Return the `data` of an answer of its API: `await watching.api("rules")`."""
        reply = await ask(self.port, get(f"/api/v1/{path}?{urlencode(parameters)}"))
        return _data(reply.body)

    async def query(self, promql: str, at_s: float | None = None) -> list[Series]:
        """Ask for one moment: now, or a Unix time. A scalar is one row without labels."""
        moment = {} if at_s is None else {"time": f"{at_s:.3f}"}
        return _rows(await self._ask("query", query=promql, **moment))

    async def range(self, promql: str, start_s: float, end_s: float, step_s: float) -> list[Series]:
        """Ask for a stretch of time, as a graph does."""
        stretch = {"start": f"{start_s:.3f}", "end": f"{end_s:.3f}", "step": f"{step_s:.3f}"}
        return _rows(await self._ask("query_range", query=promql, **stretch))

    async def value(self, promql: str, at_s: float | None = None) -> float:
        """Return the value of a query with one row; NaN where it has none."""
        rows = await self.query(promql, at_s)
        assert len(rows) < 2, rows
        return rows[0].value if rows else nan

    async def now_s(self) -> float:
        """Return its own Unix time."""
        return await self.value("time()")

    async def scraped(self) -> None:
        """Wait until every target was scraped in a scrape that began after this call."""
        asked_s = await self.now_s() + _ALIGNED_S
        await self.until(f"count(timestamp(up) > {asked_s:.3f} and up == 1)", lambda rows: _only(rows) == self._targets)

    async def until(self, promql: str, holds: Callable[[list[Series]], bool]) -> list[Series]:
        """Ask again and again until it holds what is answered, and return that."""
        rows: list[Series] = []
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not holds(rows := await self.query(promql)):  # noqa: ASYNC110 - it is in another process
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise AssertionError(f"{promql} stayed {rows}") from None
        return rows

    async def _ask(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        reply = await ask(self.port, post(f"/api/v1/{path}", urlencode(parameters).encode(), _FORM))
        return _data(reply.body)


@contextlib.asynccontextmanager
async def prometheus(
    folder: Path,
    jobs: Mapping[str, Sequence[int]],
    *,
    rules: Sequence[Path] = (),
    every: str = "250ms",
) -> AsyncIterator[Prometheus]:
    """Run a server until the context ends. `jobs` names the ports of 127.0.0.1 that it scrapes by job; `every` is how
    often it scrapes, and evaluates `rules`.

    It is ready when all its targets were scraped once: after five seconds, which is how often it looks for targets.
    """
    _write(folder, _configuration(jobs, rules, every))
    port = free_port()
    process = await _start(folder, port)
    try:
        watching = Prometheus(port, sum(map(len, jobs.values())))
        if not await _ready(process, watching):
            raise AssertionError((folder / _LOG).read_text())
        await watching.scraped()
        yield watching
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _write(folder: Path, configuration: dict[str, Any]) -> None:
    """Make its folder, with its file in it; JSON is YAML too."""
    folder.mkdir()
    (folder / "prometheus.yml").write_text(json.dumps(configuration))


def promtool(*arguments: str | Path) -> str:
    """Run a command of Prometheus' own tool that must succeed, and return what it prints."""
    program = require_component("promtool", package="prometheus")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=_TOOL_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _configuration(jobs: Mapping[str, Sequence[int]], rules: Sequence[Path], every: str) -> dict[str, Any]:
    """Return what its file says."""
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}
            for job, ports in jobs.items()
        ],
    }


async def _start(folder: Path, port: int) -> Process:
    """Start it; what it says goes to a file."""
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "series",
        "web.listen-address": f"127.0.0.1:{port}",
        "scrape.discovery-reload-interval": "50ms",  # else five seconds, as its discovery has in any case
    }
    program = require_component("prometheus")
    with (folder / _LOG).open("wb") as said:
        return await asyncio.create_subprocess_exec(
            program, *[f"--{name}={value}" for name, value in options.items()], stdout=said, stderr=said, cwd=folder
        )


async def _ready(process: Process, watching: Prometheus) -> bool:
    """Ask until it says that it is ready; False when it ended instead."""
    async with asyncio.timeout(PATIENCE_S):
        while process.returncode is None:
            with contextlib.suppress(OSError):
                if (await ask(watching.port, get("/-/ready"))).status == 200:
                    return True
            await asyncio.sleep(_LOOK_S)
    return False


def _data(body: bytes) -> Any:  # noqa: ANN401 - JSON
    answer = json.loads(body)
    if answer["status"] != "success":
        raise QueryFailed(f"{answer['errorType']}: {answer['error']}")
    return answer["data"]


def _rows(data: Any) -> list[Series]:  # noqa: ANN401 - JSON
    """Read any of the three kinds of results that numbers come in."""
    match data["resultType"]:
        case "scalar":
            return [Series({}, [_point(data["result"])])]
        case "vector":
            return [Series(row["metric"], [_point(row["value"])]) for row in data["result"]]
        case "matrix":
            return [Series(row["metric"], [*map(_point, row["values"])]) for row in data["result"]]
        case kind:
            raise AssertionError(kind)


def _point(pair: list[Any]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])


def _only(rows: list[Series]) -> float:
    return rows[0].value if rows else 0
