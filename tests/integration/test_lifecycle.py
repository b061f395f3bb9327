"""Starting and stopping: what load balancers see, and what becomes of requests that are under way."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING

import pytest

from gateway import __version__, app
from gateway.cli import demonstration, main
from gateway.config.load import load
from gateway.demo import servers
from gateway.edge.server import require_c_parser
from tests.integration.harness import gateway, get, on_uvloop, upstream, written
from tests.integration.loops import in_virtual_time
from tests.integration.origin import OK, head, send, serve, wait
from tests.integration.wire import PATIENCE_S, ask, connect

if TYPE_CHECKING:
    from pathlib import Path

PROCESS_S = 60.0
"""How long a program may take to start and to end: an interpreter, beside all else that runs."""


@in_virtual_time
async def test_the_gateway_says_that_it_is_going_before_it_goes(tmp_path: Path) -> None:
    """Not ready for `delay`, and serving all the while; each answer is the last of its connection."""
    shutdown = {"delay": "5s", "grace": "10s"}
    async with gateway(tmp_path, upstream(1), shutdown=shutdown) as accord:
        now_s = asyncio.get_running_loop().time
        stopping = asyncio.create_task(accord.application.stop())
        while now_s() < 4:
            async with await connect(accord.port) as wire:
                await wire.send(get("/-/ready"))
                ready = await wire.reply()
                assert (ready.status, ready.json()["code"]) == (503, "shutting_down")
                assert ready.header("Connection") == b"close"
                assert await wire.at_end() == b""
            await asyncio.sleep(1)  # of virtual time
        assert now_s() < 5
        await stopping
        assert now_s() >= 5


@in_virtual_time
async def test_what_was_asked_already_is_answered_before_the_gateway_goes(tmp_path: Path) -> None:
    """Requests that came together, and one of which half a head has come behind another that is under way."""
    over = asyncio.Event()
    async with (
        serve((head(), wait(over), send(OK))) as origin,
        gateway(tmp_path, upstream(origin), shutdown={"delay": "5s"}) as accord,
        await connect(accord.port) as wire,
    ):
        stopping = asyncio.create_task(accord.application.stop())
        await wire.send(get("/-/ready") + get("/api/a"))
        assert (await wire.reply()).header("Connection") is None
        await wire.send(get("/-/health")[:20])
        await asyncio.sleep(1)  # of virtual time
        over.set()
        assert (await wire.reply()).header("Connection") is None
        await wire.send(get("/-/health")[20:])
        assert (await wire.reply()).header("Connection") == b"close"
        assert await wire.at_end() == b""
        await stopping


@in_virtual_time
async def test_who_was_told_that_the_connection_stays_may_ask_once_more(tmp_path: Path) -> None:
    """Its request may be on its way already. A second later it is not, and the connection is closed."""
    async with (
        gateway(tmp_path, upstream(1)) as accord,
        await connect(accord.port) as asks,
        await connect(accord.port) as idle,
        await connect(accord.port) as silent,
    ):
        now_s = asyncio.get_running_loop().time
        await idle.send(get("/-/health"))
        assert (await idle.reply()).header("Connection") is None
        await asyncio.sleep(2)  # of virtual time
        for wire in (asks, silent):
            await wire.send(get("/-/health"))
            assert (await wire.reply()).header("Connection") is None
        began_s = now_s()
        stopping = asyncio.create_task(accord.application.stop())
        assert await idle.at_end() == b""
        assert now_s() - began_s < 0.1
        await asyncio.sleep(0.5)  # of virtual time
        await asks.send(get("/-/health"))
        answer = await asks.reply()
        assert (answer.status, answer.header("Connection")) == (200, b"close")
        assert await silent.at_end() == b""
        assert now_s() - began_s == pytest.approx(1, abs=0.1)
        await stopping


@in_virtual_time
async def test_who_reads_an_answer_while_the_gateway_goes_may_ask_once_more(tmp_path: Path) -> None:
    """The head of that answer has said already that the connection stays."""
    over = asyncio.Event()
    script = (head(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"), wait(over), send(b"cd"))
    async with (
        serve(script) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a"))
        begun = await wire.reader.readuntil(b"ab")
        assert b"Connection" not in begun
        stopping = asyncio.create_task(accord.application.stop())
        await asyncio.sleep(5)  # of virtual time
        over.set()
        assert await wire.reader.readexactly(2) == b"cd"
        await wire.send(get("/-/health"))
        answer = await wire.reply()
        assert (answer.status, answer.header("Connection")) == (200, b"close")
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


async def reachable(port: int) -> bool:
    """Tell whether a connection to `port` comes about."""
    try:
        async with await connect(port):
            return True
    except ConnectionError:
        return False


@on_uvloop
async def test_fresh_connections_are_answered(tmp_path: Path) -> None:
    """Those that stopping meets before their first head has come, one by one or half of it."""
    async with gateway(tmp_path, upstream(1)) as accord, AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(await connect(accord.port)) for _ in range(50)]
        for wire in wires[:10]:
            await wire.send(b"GET /-/health HT")
        stopping = asyncio.create_task(accord.application.stop())
        while await reachable(accord.port):
            pass
        for number, wire in enumerate(wires):
            await wire.send(get("/-/health")[16 if number < 10 else 0 :])
        answers = [await wire.reply() for wire in wires]
        assert [answer.status for answer in answers] == [200] * 50
        assert {answer.header("Connection") for answer in answers} == {b"close"}
        await stopping


@on_uvloop
async def test_connections_still_in_the_backlog_are_answered(tmp_path: Path) -> None:
    """The kernel has taken them, the loop has not seen them yet."""
    async with gateway(tmp_path, upstream(1)) as accord:
        stopping = asyncio.create_task(accord.application.stop())
        await asyncio.sleep(0)
        with ExitStack() as stack:
            clients = [stack.enter_context(socket.create_connection(("127.0.0.1", accord.port))) for _ in range(20)]
            for client in clients:
                client.sendall(get("/-/health"))
            await stopping
            for client in clients:
                client.settimeout(PATIENCE_S)
                assert client.recv(12) == b"HTTP/1.1 200"


@in_virtual_time
async def test_a_connection_that_asks_nothing_holds_up_stopping_for_a_second(tmp_path: Path) -> None:
    """No longer, and no longer than the grace."""
    async with gateway(tmp_path, upstream(1), shutdown={"grace": "30s"}) as accord, await connect(accord.port) as wire:
        await asyncio.sleep(1)  # of virtual time, for the connection to be accepted
        began_s = asyncio.get_running_loop().time()
        await accord.application.stop()
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(1, abs=0.1)
        assert await wire.at_end() == b""


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
        with pytest.raises(OSError, match=r"listen: 127\.0\.0\.1:\d+: Address already in use"):
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_cleanly_when_told_to(tmp_path: Path, number: signal.Signals) -> None:
    """It says where it listens, logs on standard output, and exits with 0."""
    with accord("serve", "--config", str(written(tmp_path, upstream(1)))) as process:
        assert process.stderr is not None
        assert re.match(r"accord: serving on http://127\.0\.0\.1:\d+, metrics", process.stderr.readline())
        process.send_signal(number)
        out, err = process.communicate(timeout=PROCESS_S)
    assert (process.returncode, out, err) == (0, "", "")


def serving_port(process: subprocess.Popen[str]) -> int:
    """Return the port that a gateway says it listens on."""
    assert process.stderr is not None
    place = re.search(r"http://127\.0\.0\.1:(\d+)", process.stderr.readline())
    assert place is not None
    return int(place[1])


def ask_often(port: int, times: int) -> None:
    """Ask a gateway, each time on a connection of its own."""
    for _ in range(times):
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
            client.sendall(get("/-/nothing/" + "x" * 500, "Connection: close"))
            assert client.recv(12) == b"HTTP/1.1 404"


def test_a_standard_output_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    """Requests are answered though the pipe is full, and SIGTERM ends the process."""
    with accord("serve", "--config", str(written(tmp_path, upstream(1)))) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        port = serving_port(process)
        ask_often(port, 300)  # takes longer than lines wait for company; the pipe is full after four
        process.send_signal(signal.SIGTERM)
        assert process.wait(PROCESS_S) == 0
        assert process.stderr.read() == ""


def test_a_standard_output_that_was_closed_is_told_once(tmp_path: Path) -> None:
    """Serving goes on, and the end is a clean one."""
    with accord("serve", "--config", str(written(tmp_path, upstream(1)))) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        ask_often(serving_port(process), 20)
        assert process.stderr.readline() == "accord: the log cannot be written (Broken pipe); serving goes on\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PROCESS_S) == 0
        assert process.stderr.read() == ""


def test_serve_tells_what_is_wrong_with_its_configuration(tmp_path: Path) -> None:
    """And exits with 1."""
    path = written(tmp_path, upstream(1), lissen="x")
    with accord("serve", "--config", str(path)) as process:
        _, err = process.communicate(timeout=PROCESS_S)
    assert process.returncode == 1
    assert f"{path}:1:" in err
    assert "lissen" in err
    assert "Traceback" not in err


def test_serve_tells_when_its_port_is_taken(tmp_path: Path) -> None:
    """And exits with 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken_port = taken.getsockname()[1]
        path = written(tmp_path, upstream(1), listen=f"127.0.0.1:{taken_port}")
        with accord("serve", "--config", str(path)) as process:
            _, err = process.communicate(timeout=PROCESS_S)
    assert process.returncode == 1
    assert f"accord: listen: 127.0.0.1:{taken_port}: Address already in use" in err
    assert "Traceback" not in err


def test_demo_takes_the_next_free_port_and_says_so() -> None:
    """Until Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with accord("demo", "--port", str(port)) as process:
            assert process.stdout is not None
            said = process.stdout.readline() + process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PROCESS_S)
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
