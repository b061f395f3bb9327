"""When another configuration is taken: files that change, signals, and what becomes of files that cannot be."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from gateway.app.reloads import Reloads
from tests.components import require_component
from tests.integration.certificates import Authority
from tests.integration.harness import LoopClock, gateway, on_uvloop, running, upstream, written
from tests.integration.origin import MANY, serve
from tests.integration.reloading import OURS, TOKEN, status, statuses
from tests.integration.wire import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path
    from typing import Any

    from tests.integration.harness import Running

WATCH = {"watch": "100ms"}
OFF = {"watch": "off"}

pytestmark = pytest.mark.usefixtures("thawed")


def reloads_of(accord: Running, config: Path, environ: dict[str, str]) -> Reloads:
    """Return what reloads in this environment."""
    application = accord.application
    return Reloads(config, environ, application, record=application.record, log=application.log, clock=LoopClock())


@asynccontextmanager
async def watched(accord: Running, config: Path) -> AsyncIterator[Reloads]:
    """Watch the files while the context lasts."""
    reloads = reloads_of(accord, config, TOKEN)
    reloads.start()
    try:
        yield reloads
    finally:
        await reloads.aclose()


async def until(accord: Running, holds: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - JSON
    """Look until the status page says so, and return what it says of the configuration."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds(seen := (await status(accord))["configuration"]):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    return seen


def events(accord: Running, event: str) -> list[dict[str, Any]]:
    """Return the log's lines of one kind."""
    return [line for line in accord.log() if line["event"] == event]


@on_uvloop
async def test_a_folder_that_is_swapped_is_taken(tmp_path: Path) -> None:
    """As Kubernetes does it: files are links into a folder, which is itself a link that is put in another's place."""
    async with serve(MANY) as origin:
        for name, via in (("one", "first"), ("two", "second")):
            (tmp_path / name).mkdir()
            written(tmp_path / name, upstream(origin), via=via, reload=WATCH)
        mounted = tmp_path / "mounted"
        mounted.mkdir()
        (mounted / "..data").symlink_to(tmp_path / "one")
        for name in ("gateway.yaml", "upstreams"):
            (mounted / name).symlink_to(f"..data/{name}")
        config = mounted / "gateway.yaml"
        async with running(config) as accord, watched(accord, config):
            assert (await accord.get("/api/a")).header("Via") == b"1.1 first"
            before = (await status(accord))["configuration"]["hash"]
            (mounted / "..new").symlink_to(tmp_path / "two")
            (mounted / "..new").rename(mounted / "..data")
            await until(accord, lambda seen: seen["hash"] != before)
            assert (await accord.get("/api/a")).header("Via") == b"1.1 second"


@on_uvloop
async def test_a_broken_file_changes_nothing_until_it_is_mended(tmp_path: Path) -> None:
    """It is told once, in full, with no value that may be a secret; the mended one is taken by itself."""
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), reload=WATCH) as accord:
        config = tmp_path / "gateway.yaml"
        async with watched(accord, config):
            file = tmp_path / "upstreams" / "api.yaml"
            file.write_text(json.dumps(upstream(origin, timeouts={"total": "s3cret"}, nonsense=1)))
            told = await until(accord, lambda seen: not seen["last_reload_successful"])
            assert await statuses(accord, "/api/a", 1) == [200]
            assert "accord_config_last_reload_successful 0.0" in accord.metrics()
            written(tmp_path, upstream(origin), upstream(origin, name="new"), reload=WATCH)
            await until(accord, lambda seen: seen["hash"] != told["hash"])
            assert await statuses(accord, "/new/a", 1) == [200]
            (failed,) = events(accord, "configuration not reloaded")
            (done,) = events(accord, "configuration reloaded")
        samples = accord.metrics()
    assert len(failed["faults"]) == 2
    assert all(f"{file}:1:" in fault for fault in failed["faults"])
    assert "s3cret" not in json.dumps(failed)
    assert (failed["level"], failed["serving"]) == ("error", told["hash"])
    assert (done["upstreams_added"], done["upstreams_removed"], done["upstreams_changed"]) == (["new"], [], [])
    assert 'accord_config_reloads_total{result="failure"} 1.0' in samples
    assert 'accord_config_reloads_total{result="success"} 1.0' in samples
    assert f'accord_config_info{{hash="{done["hash"]}"}} 1.0' in samples


@on_uvloop
async def test_a_key_file_that_changes_is_a_change(tmp_path: Path) -> None:
    """The files that an upstream's file names are looked at too."""
    require_component("openssl")
    (tmp_path / "ca").mkdir()
    authority = Authority(tmp_path / "ca")
    (tmp_path / "upstreams").mkdir()
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(authority.file.read_bytes())
    one = upstream(1, tls={"ca_file": "../ca.pem"}, base_url="https://127.0.0.1:1")
    async with gateway(tmp_path, one, reload=WATCH) as accord, watched(accord, tmp_path / "gateway.yaml"):
        trusted.write_text("nonsense")
        await until(accord, lambda seen: not seen["last_reload_successful"])
        trusted.write_bytes(authority.file.read_bytes())
        await until(accord, lambda seen: seen["last_reload_successful"])


@on_uvloop
async def test_without_watching_only_who_asks_is_heard(tmp_path: Path) -> None:
    """`off`: nobody looks at the files until a signal comes; it is heard even if nothing has changed."""
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), reload=OFF) as accord:  # noqa: SIM117 - as above
        async with watched(accord, written(tmp_path, upstream(origin), via="another", reload=OFF)) as reloads:
            before = (await status(accord))["configuration"]
            await asyncio.sleep(0.01)
            assert (await accord.get("/api/a")).header("Via") == b"1.1 accord"
            reloads.ask()
            await until(accord, lambda seen: seen["hash"] != before["hash"])
            reloads.ask()
            async with asyncio.timeout(PATIENCE_S):
                while len(events(accord, "configuration reloaded")) < 2:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.01)
            assert (await accord.get("/api/a")).header("Via") == b"1.1 another"


class Told(dict[str, str]):
    """An environment that calls somebody whenever a secret is looked up in it."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(TOKEN)
        self.call = call

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - as in `dict`
        """Call, and return the secret."""
        self.call()
        return super().get(key, default)


async def until_events(accord: Running, event: str) -> list[dict[str, Any]]:
    """Wait for a line of the log, and return all of its kind."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := events(accord, event)):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    return found


@on_uvloop
async def test_nobody_looks_for_garbage_in_what_is_loaded(tmp_path: Path) -> None:
    """To look through a thousand upstreams stops everything: not while they are loaded, and never after that."""
    collecting: list[bool] = []
    async with gateway(tmp_path, upstream(1, credentials=OURS), environ=TOKEN, reload=OFF) as accord:
        reloads = reloads_of(accord, tmp_path / "gateway.yaml", Told(lambda: collecting.append(gc.isenabled())))
        reloads.start()
        frozen = gc.get_freeze_count()
        try:
            reloads.ask()
            await until_events(accord, "configuration reloaded")
            assert gc.get_freeze_count() > frozen
            assert gc.isenabled()
        finally:
            await reloads.aclose()
    assert collecting
    assert not any(collecting)


@on_uvloop
async def test_what_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """Closing does not wait for files that cannot be read to their end, and knows that somebody still reads."""
    begun, over = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        over.wait(PATIENCE_S)

    async with gateway(tmp_path, upstream(1, credentials=OURS), environ=TOKEN, reload=OFF) as accord:
        reloads = reloads_of(accord, tmp_path / "gateway.yaml", Told(hang))
        reloads.start()
        reloads.ask()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.to_thread(begun.wait, PATIENCE_S)
        try:
            await reloads.aclose()
            assert reloads.apart.busy
        finally:
            over.set()
        async with asyncio.timeout(PATIENCE_S):
            while reloads.apart.busy:  # noqa: ASYNC110 - it is in a thread
                await asyncio.sleep(0.01)


@on_uvloop
async def test_files_that_never_rest_are_told(tmp_path: Path) -> None:
    """Who asks while files change all the time is told after some tries, and the loop is not kept busy by them."""
    changes = iter(range(1, 100))
    async with gateway(tmp_path, upstream(1, credentials=OURS), environ=TOKEN, reload=OFF) as accord:
        config = tmp_path / "gateway.yaml"
        text = config.read_text()
        reloads = reloads_of(accord, config, Told(lambda: config.write_text(text + "\n" * next(changes))))
        reloads.start()
        reloads.ask()
        (told,) = await until_events(accord, "configuration not reloaded")
        await reloads.aclose()
    assert "changed each of 5 times" in told["faults"][0]
    assert next(changes) == 6


@on_uvloop
async def test_a_file_that_came_while_the_gateway_started_is_seen(tmp_path: Path) -> None:
    """Between loading and the first look: it was not loaded, so it is another configuration."""
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), reload=WATCH) as accord:
        config = written(tmp_path, upstream(origin), upstream(origin, name="late"), reload=WATCH)
        async with watched(accord, config):
            await until_events(accord, "configuration reloaded")
            assert await statuses(accord, "/late/a", 1) == [200]


@pytest.mark.parametrize("name", ["gateway.yaml", "ca.pem", "upstreams/api.yaml"])
@on_uvloop
async def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(tmp_path: Path, name: str) -> None:
    """It would keep its readers waiting for ever: it is told, and once there is a file again that is taken."""
    require_component("openssl")
    (tmp_path / "ca").mkdir()
    authority = Authority(tmp_path / "ca")
    (tmp_path / "upstreams").mkdir()
    (tmp_path / "ca.pem").write_bytes(authority.file.read_bytes())
    one = upstream(1, tls={"ca_file": "../ca.pem"}, base_url="https://127.0.0.1:1")
    async with gateway(tmp_path, one, reload=WATCH) as accord, watched(accord, tmp_path / "gateway.yaml"):
        file = tmp_path / name
        content = file.read_bytes()
        file.unlink()
        os.mkfifo(file)
        await until_events(accord, "configuration not reloaded")
        file.unlink()
        file.write_bytes(content)
        await until(accord, lambda seen: seen["last_reload_successful"])
