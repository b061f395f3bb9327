"""Reloads of a real `accord serve`, by real signals: by one process and by several, under load, with each store."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.harness import get, on_uvloop, upstream, written
from tests.integration.origin import MANY, OK, head, send, serve, tell, wait
from tests.integration.wire import connect
from tests.system.accord import START_S, accord, start, summed, until
from tests.system.flood import flood
from tests.system.redis_server import redis_server

if TYPE_CHECKING:
    from typing import Any

    from tests.system.accord import Served

LIMIT = {"name": "few", "key": "ip", "requests": 3, "per": "1h"}
NO_WATCH = {"reload": {"watch": "off"}}
LASTS = MANY * 200


async def reloaded(served: Served, before: str | None = None) -> Any:  # noqa: ANN401 - JSON
    """Wait until another configuration than the one with this hash is served, and return what is told of it."""
    old = before if before is not None else (await served.status())["configuration"]["hash"]
    status = await served.until(lambda status: status["configuration"]["hash"] != old)
    return status["configuration"]


async def codes(served: Served, target: str, number: int) -> list[int]:
    """Ask so often, each time on a connection of its own, which any process may get."""
    return [(await served.get(target)).status for _ in range(number)]


def events(served: Served, event: str) -> list[dict[str, Any]]:
    """Return the log's lines of one kind."""
    return [line for line in served.log() if line["event"] == event]


async def until_told(served: Served, event: str, number: int = 1) -> list[dict[str, Any]]:
    """Wait for so many lines of one kind."""

    async def told() -> list[dict[str, Any]]:
        return events(served, event)

    found: list[dict[str, Any]] = await until(told, lambda lines: len(lines) >= number)
    return found


@pytest.mark.parametrize("processes", [1, 2])
@on_uvloop
async def test_reloads_under_load_fail_no_request(tmp_path: Path, processes: int) -> None:
    """Signals while 32 connections ask as fast as they can: each request is answered, and the last word counts."""
    async with serve(LASTS) as origin, AsyncExitStack() as stack:
        config = written(tmp_path, upstream(origin), **NO_WATCH)
        served = await stack.enter_async_context(accord(config, processes))
        asking = asyncio.ensure_future(flood([served.port], seconds=1.5))
        for number in range(4):
            before = (await served.status())["configuration"]["hash"]
            written(tmp_path, upstream(origin, timeouts={"total": f"{60 + number}s"}), via=f"v{number}", **NO_WATCH)
            served.signal(signal.SIGHUP)
            await reloaded(served, before)
        answers = (await asking).statuses()
        assert set(answers) == {200}
        assert (await served.get("/api/a")).header("Via") == b"1.1 v3"
        scrape = await served.scrape()
        assert summed(scrape, "accord_config_reloads", result="success") == 4
        assert summed(scrape, "accord_config_info") == 1
        served.signal(signal.SIGTERM)
        assert (await served.ended())[0] == 0


@pytest.mark.parametrize(("processes", "store"), [(2, "memory"), (1, "redis")])
@on_uvloop
async def test_counts_outlive_a_reload(tmp_path: Path, processes: int, store: str) -> None:
    """Who is at a limit stays there, in the table of all processes and in Redis; a limit that is new counts for all."""
    with redis_server(tmp_path) as redis:
        where: object = store if store == "memory" else {"redis": {"url_env": "STORE_URL", "deadline": "5s"}}
        async with serve(LASTS) as origin, AsyncExitStack() as stack:
            config = written(tmp_path, upstream(origin), limits=[LIMIT], store=where, **NO_WATCH)
            served = await stack.enter_async_context(accord(config, processes, STORE_URL=redis.url))
            assert sorted(await codes(served, "/api/a", 5)) == [200, 200, 200, 429, 429]
            more = upstream(origin, name="more", limits=[LIMIT | {"name": "own", "requests": 2}])
            before = (await served.status())["configuration"]["hash"]
            written(tmp_path, upstream(origin), more, limits=[LIMIT], store=where, **NO_WATCH)
            served.signal(signal.SIGHUP)
            await reloaded(served, before)
            assert await codes(served, "/api/a", 3) == [429] * 3
            before = (await served.status())["configuration"]["hash"]
            written(tmp_path, more, store=where, **NO_WATCH)
            served.signal(signal.SIGHUP)
            await reloaded(served, before)
            assert sorted(await codes(served, "/more/a", 5)) == [200, 200, 429, 429, 429]


@on_uvloop
async def test_all_processes_serve_the_last_good_configuration(tmp_path: Path) -> None:
    """A broken file is told with its places and changes nothing; a process that is started then serves what all do."""
    async with serve(LASTS) as origin, AsyncExitStack() as stack:
        config = written(tmp_path, upstream(origin), limits=[LIMIT], reload={"watch": "100ms"})
        served = await stack.enter_async_context(accord(config, 2))
        before = (await served.status())["configuration"]["hash"]
        own = upstream(origin, limits=[LIMIT | {"name": "own", "requests": 2}])
        written(tmp_path, own, via="second", limits=[LIMIT], reload={"watch": "100ms"})
        told = await reloaded(served, before)
        (done,) = await until_told(served, "configuration reloaded")
        assert (done["hash"], done["gateway_changed"], done["upstreams_changed"]) == (told["hash"], True, ["api"])
        assert sorted(await codes(served, "/api/a", 3)) == [200, 200, 429]
        config.write_text(json.dumps({"version": 1, "listen": "127.0.0.1:1", "admin": "127.0.0.1:0", "nonsense": 1}))
        (failed,) = await until_told(served, "configuration not reloaded")
        (fault,) = failed["faults"]
        assert fault.startswith(f"{config}:1:65 nonsense: ")
        for process in (await served.status())["processes"]:
            os.kill(process["pid"], signal.SIGKILL)
        await served.until(lambda status: sum(one["restarts"] for one in status["processes"]) == 2)
        await served.until(lambda status: [one["state"] for one in status["processes"]] == ["ready"] * 2)
        answer = await served.get("/api/a")
        assert (answer.status, answer.header("Via")) == (429, b"1.1 second")
        scrape = await served.scrape()
        assert summed(scrape, "accord_config_last_reload_successful") == 0
        assert summed(scrape, "accord_config_reloads", result="failure") == 1
        assert (await served.status())["configuration"]["hash"] == told["hash"]


@on_uvloop
async def test_the_end_comes_in_order_in_the_middle_of_reloads(tmp_path: Path) -> None:
    """A request that began before a reload is finished behind SIGTERM; signals that come then change nothing."""
    begun, over = asyncio.Event(), asyncio.Event()
    async with serve((head(), tell(begun), wait(over), send(OK))) as old:  # noqa: SIM117 - what is served, then who asks
        async with serve(LASTS) as new, AsyncExitStack() as stack:
            config = written(tmp_path, upstream(old), **NO_WATCH)
            served = await stack.enter_async_context(accord(config, 1))
            async with await connect(served.port) as wire:
                await wire.send(get("/api/a"))
                await begun.wait()
                before = (await served.status())["configuration"]["hash"]
                written(tmp_path, upstream(new), **NO_WATCH)
                served.signal(signal.SIGHUP)
                await reloaded(served, before)
                served.signal(signal.SIGHUP)
                served.signal(signal.SIGTERM)
                served.signal(signal.SIGHUP)
                await served.until(lambda status: status["state"] == "draining")
                over.set()
                assert (await wire.reply()).body == b"ok"
            assert (await served.ended())[0] == 0


HANGS = """
import asyncio, os, pathlib, signal, sys, threading
from gateway.app.loading import load_all
from gateway.cli.running import serve, serve_by

class Hangs(dict):
    hang = False
    def get(self, key, default=None):
        if self.hang and key == "TOKEN":
            print("loading", flush=True)
            threading.Event().wait()
        return super().get(key, default)

path = pathlib.Path(sys.argv[1])
environ = Hangs(os.environ, TOKEN="0123456789")
config = load_all(path, environ)
environ.hang = True
asyncio.run(serve(path, config, environ) if sys.argv[2] == "1" else serve_by(2, path, config, environ))
"""


@pytest.mark.parametrize("processes", ["1", "2"])
@on_uvloop
async def test_files_that_hang_do_not_hold_up_the_end(tmp_path: Path, processes: str) -> None:
    """SIGTERM ends a gateway in its time, with a clean status, while a file system does not answer its loading."""
    one = upstream(1, credentials={"inject": [{"header": "Authorization", "value_env": "TOKEN"}]})
    config = written(tmp_path, one, shutdown={"delay": "0s", "grace": "1s"}, **NO_WATCH)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HANGS, str(config), processes, stdout=PIPE, stderr=PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(START_S):
            while b"serving on" not in (said := await process.stderr.readline()):
                assert said
            process.send_signal(signal.SIGHUP)
            while b"loading" not in (said := await process.stdout.readline()):
                assert said
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@on_uvloop
async def test_a_signal_to_a_gateway_that_is_about_to_start_is_heard(tmp_path: Path) -> None:
    """SIGHUP before there is anything to reload does not end it, and has it reload once it serves."""
    async with serve(LASTS) as origin:
        config = written(tmp_path, *[upstream(origin, name=f"n{number}") for number in range(300)], **NO_WATCH)
        log = tmp_path / "log.jsonl"
        process = await start(config, "1", log)
        assert process.stderr is not None
        try:
            async with asyncio.timeout(START_S):
                await hears_no(process.pid, signal.SIGHUP)
                process.send_signal(signal.SIGHUP)
                while b"serving on" not in (said := await process.stderr.readline()):
                    assert said
                while "configuration reloaded" not in log.read_text():  # noqa: ASYNC110 - it is in another process
                    await asyncio.sleep(0.02)
        finally:
            process.kill()
            await process.wait()


async def hears_no(pid: int, number: signal.Signals) -> None:
    """Wait until a process puts a signal off, or handles it: Python itself takes a moment before it runs anything."""
    status = Path(f"/proc/{pid}/status")
    bit = 1 << (number - 1)
    while not any(  # noqa: ASYNC110 - the kernel tells nobody
        int(line.split()[1], 16) & bit
        for line in (await asyncio.to_thread(status.read_text)).splitlines()
        if line.startswith(("SigBlk", "SigCgt"))
    ):
        await asyncio.sleep(0)
