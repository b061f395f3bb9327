"""Starting and stopping: what load balancers see, and what becomes of requests that are under way."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gateway import __version__, app
from gateway.cli import demonstration, main
from gateway.config.load import load
from gateway.demo import servers
from gateway.edge.server import require_c_parser
from tests.integration.harness import gateway, get, on_uvloop, upstream
from tests.integration.loops import in_virtual_time
from tests.integration.origin import head, send, serve, wait
from tests.integration.wire import PATIENCE_S, ask, connect

if TYPE_CHECKING:
    from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@in_virtual_time
async def test_the_gateway_says_that_it_is_going_before_it_goes(tmp_path: Path) -> None:
    """Not ready for `delay`, and serving all the while."""
    shutdown = {"delay": "5s", "grace": "10s"}
    async with gateway(tmp_path, upstream(1), shutdown=shutdown) as accord, await connect(accord.port) as wire:
        stopping = asyncio.create_task(accord.application.stop())
        await wire.send(get("/-/ready") + get("/-/health"))
        ready, health = await wire.reply(), await wire.reply()
        assert (ready.status, ready.json()["code"]) == (503, "shutting_down")
        assert health.status == 200
        assert await wire.at_end() == b""
        assert asyncio.get_running_loop().time() >= 5
        await stopping


@on_uvloop
async def test_requests_under_way_are_answered(tmp_path: Path) -> None:
    """And their connections are closed behind the answer; idle ones at once; new ones are not taken."""
    over = asyncio.Event()
    async with (
        serve((head(), wait(over), send(OK))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as busy,
        await connect(accord.port) as idle,
    ):
        await busy.send(get("/api/a"))
        await origin.conversation(0)
        stopping = asyncio.create_task(accord.application.stop())
        assert await idle.at_end() == b""
        with pytest.raises(ConnectionError):
            await connect(accord.port)
        over.set()
        answer = await busy.reply()
        assert (answer.body, answer.header("Connection")) == (b"ok", b"close")
        assert await busy.at_end() == b""
        await stopping


@in_virtual_time
async def test_requests_that_outlast_the_grace_are_told_so(tmp_path: Path) -> None:
    """503, and the gateway goes."""
    async with (
        serve((head(),)) as origin,
        gateway(tmp_path, upstream(origin), shutdown={"grace": "3s"}) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a"))
        await origin.conversation(0)
        await accord.application.stop()
        answer = await wire.reply()
        assert (answer.status, answer.json()["code"]) == (503, "shutting_down")
        assert answer.header("Proxy-Status") == b"accord; error=destination_unavailable"
        assert await wire.at_end() == b""
        assert (await accord.outcomes.next()).outcome == "gateway_error"


@in_virtual_time
async def test_the_operators_port_answers_until_the_end(tmp_path: Path) -> None:
    """Whoever watches the gateway go can see what it waits for."""
    async with (
        serve((head(),)) as origin,
        gateway(tmp_path, upstream(origin), shutdown={"grace": "3s"}) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a"))
        await origin.conversation(0)
        stopping = asyncio.create_task(accord.application.stop())
        await asyncio.sleep(1)  # of virtual time
        status = (await ask(accord.application.admin_port, get("/status"))).json()
        assert (status["state"], status["in_flight"]) == ("draining", 1)
        await stopping


@on_uvloop
async def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """And when asked to, the next free one is used."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with gateway(tmp_path, upstream(1)):
            pass
        (tmp_path / "gateway.yaml").write_text(
            json.dumps({"version": 1, "listen": f"127.0.0.1:{port}", "admin": "127.0.0.1:0"})
        )
        config = load(tmp_path / "gateway.yaml")
        application = app.build(config, environ={})
        with pytest.raises(OSError, match=r"in use"):
            await application.start()
        await application.stop()
        application = app.build(config, environ={})
        await application.start(tries=50)
        assert application.port > port
        await application.stop()


@on_uvloop
async def test_the_demo_answers_every_call_that_it_prints(tmp_path: Path) -> None:
    """Before and after."""
    upstreams = await servers.start()
    application = await demonstration.start(upstreams.urls, 0)
    text = demonstration.welcome(upstreams.urls, application, 0)
    calls = re.findall(r"-d '(.*?)' .*?http://127\.0\.0\.1:(\d+)(\S+)", text)
    assert len(calls) == 6
    for body, port, path in calls:
        head_lines = ("Accept: application/json", "Content-Type: application/json", f"Content-Length: {len(body)}")
        answer = await ask(int(port), get(path, *head_lines, method="POST") + body.encode())
        assert 400 <= answer.status < 500
        if int(port) == application.port:
            assert answer.json()["code"] == "validation_failed"
            assert answer.json()["errors"]
    await application.stop()
    await upstreams.stop()


def accord(*arguments: str, **environ: str) -> subprocess.Popen[str]:
    """Start `accord` in a process of its own."""
    command = [sys.executable, "-m", "gateway", *arguments]
    surroundings = os.environ | environ  # noqa: TID251 - a process needs its parent's
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surroundings)


def configure(folder: Path, **settings: object) -> Path:
    """Write a configuration with one upstream, and return its path."""
    (folder / "upstreams").mkdir()
    base = {"version": 1, "listen": "127.0.0.1:0", "admin": "127.0.0.1:0"}
    (folder / "gateway.yaml").write_text(json.dumps(base | settings))
    (folder / "upstreams" / "api.yaml").write_text(json.dumps(upstream(1)))
    return folder / "gateway.yaml"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_cleanly_when_told_to(tmp_path: Path, number: signal.Signals) -> None:
    """It says where it listens, logs on standard output, and exits with 0."""
    with accord("serve", "--config", str(configure(tmp_path))) as process:
        assert process.stderr is not None
        assert re.match(r"accord: serving on http://127\.0\.0\.1:\d+, metrics", process.stderr.readline())
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (0, "", "")


def test_serve_tells_what_is_wrong_with_its_configuration(tmp_path: Path) -> None:
    """And exits with 1."""
    path = configure(tmp_path, lissen="x")
    with accord("serve", "--config", str(path)) as process:
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert f"{path}:1:" in err
    assert "lissen" in err
    assert "Traceback" not in err


def test_serve_tells_when_its_port_is_taken(tmp_path: Path) -> None:
    """And exits with 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        path = configure(tmp_path, listen=f"127.0.0.1:{taken.getsockname()[1]}")
        with accord("serve", "--config", str(path)) as process:
            _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "in use" in err
    assert "Traceback" not in err


def test_demo_takes_the_next_free_port_and_says_so() -> None:
    """Until Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with accord("demo", "--port", str(port)) as process:
            assert process.stdout is not None
            said = process.stdout.readline() + process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert f"Port {port} was taken." in said


@pytest.mark.parametrize("command", ["", "serve", "demo", "check", "try"])
def test_help_teaches_by_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command's."""
    with pytest.raises(SystemExit) as ended:
        main.main([*([command] if command else []), "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert "examples:" in out
    assert f"accord {command}".rstrip() in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`accord --version`."""
    with pytest.raises(SystemExit) as ended:
        main.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"accord {__version__}\n"


def test_aiohttp_is_fit_to_face_clients() -> None:
    """The parser in C is there; a start without it is refused."""
    require_c_parser()
    code = (
        "import os; os.environ['AIOHTTP_NO_EXTENSIONS'] = '1'\n"
        "from gateway.edge.server import require_c_parser; require_c_parser()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "no C extensions" in ended.stderr
