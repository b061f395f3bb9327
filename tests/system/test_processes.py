"""`accord serve --processes N`: several processes on one port, as real ones, with real signals."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import gateway
from gateway.config.load import load
from gateway.edge.limiting.stores import shared_tables
from gateway.supervisor.samples import parted
from gateway.supervisor.seat import StartFailed
from gateway.supervisor.supervisor import Supervisor
from tests.integration.harness import get, on_uvloop, upstream, written
from tests.integration.origin import head, send, serve, wait
from tests.integration.wire import Wire, ask, connect
from tests.system.accord import START_S, accord, assert_never_back, start, summed, until
from tests.system.ports import free_port

if TYPE_CHECKING:
    from typing import Any

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
SECRET = b"0123456789abcdef0123456789abcdef"
MANY = 64
"""So many connections that four processes get some of them: one goes without in one of ten million runs."""


async def held(stack: AsyncExitStack, port: int, number: int) -> list[Wire]:
    """Send a request on each of so many connections to an origin that waits with its answer."""
    wires = [await stack.enter_async_context(await connect(port)) for _ in range(number)]
    for wire in wires:
        await wire.send(get("/api/a"))
    return wires


async def answered(wires: list[Wire]) -> int:
    """Read an answer from each connection, and return how many came; the others were broken off."""
    count = 0
    for wire in wires:
        try:
            reply = await wire.reply()
        except (ConnectionError, asyncio.IncompleteReadError):
            continue
        assert (reply.status, reply.body) == (200, b"ok")
        count += 1
    return count


def in_flight(status: Any) -> list[int]:  # noqa: ANN401 - JSON
    """Return how many requests each process has under way."""
    return [process["in_flight"] or 0 for process in status["processes"]]


@on_uvloop
async def test_all_processes_serve_one_port_and_are_told_of_as_one(tmp_path: Path) -> None:
    """The kernel spreads connections; one scrape and one status page have the sums of all; all drain."""
    over = asyncio.Event()
    async with serve((head(), wait(over), send(OK))) as origin, AsyncExitStack() as stack:
        config = written(tmp_path, upstream(origin), shutdown={"grace": "60s"})
        served = await stack.enter_async_context(accord(config))
        assert served.said.endswith(", by 4 processes\n")
        assert (await served.admin("/-/ready")).json() == {"status": "ready"}
        wires = await held(stack, served.port, MANY)
        status = await served.until(lambda status: sum(in_flight(status)) == MANY)
        assert all(in_flight(status))
        assert (status["state"], status["in_flight"]) == ("ready", MANY)
        assert status["upstreams"][0]["pool"]["open"] == MANY
        scrape = await served.scrape()
        assert summed(scrape, "accord_in_flight_requests") == MANY
        assert summed(scrape, "accord_supervisor_children", state="ready") == 4
        starts = scrape["process_start_time_seconds"].samples
        assert sorted(parted(key)[1][0][1] for key in starts) == ["1", "2", "3", "4", "supervisor"]

        served.signal(signal.SIGTERM)
        await until(lambda: served.admin("/-/ready"), lambda reply: reply.status == 503)
        await served.until(lambda status: all(one["state"] == "draining" for one in status["processes"]))
        assert (await served.admin("/-/health")).status == 200
        over.set()
        assert await answered(wires) == MANY
        assert await served.ended() == (0, "")
        requests = [line for line in served.log() if line["event"] == "request"]
        assert [line["outcome"] for line in requests] == ["ok"] * MANY


@on_uvloop
async def test_a_process_that_dies_is_replaced_and_none_of_its_counts_is_lost(tmp_path: Path) -> None:
    """Only its own requests break. The new one serves the configuration as it was, whatever stands in the files now."""
    over = asyncio.Event()
    quick = [(head(), send(OK))] * MANY
    async with serve(*quick, (head(), wait(over), send(OK))) as origin, AsyncExitStack() as stack:
        config = written(tmp_path, upstream(origin))
        served = await stack.enter_async_context(accord(config))
        for _ in range(MANY):
            assert (await served.get("/api/a")).status == 200
        before = await served.scrape()
        assert summed(before, "accord_requests", upstream="api") == MANY
        wires = await held(stack, served.port, MANY)
        status = await served.until(lambda status: sum(in_flight(status)) == MANY)
        (tmp_path / "upstreams" / "api.yaml").write_text("rubbish: [")

        victim = status["processes"][1]
        os.kill(victim["pid"], signal.SIGKILL)
        await served.until(lambda status: status["processes"][1]["pid"] != victim["pid"])
        for _ in range(MANY):
            assert (await served.get("/-/health")).status == 200
        between = await served.scrape()
        assert_never_back(before, between)
        over.set()
        assert await answered(wires) == MANY - victim["in_flight"]
        status = await served.until(lambda status: status["processes"][1]["state"] == "ready")
        assert [one["restarts"] for one in status["processes"]] == [0, 1, 0, 0]

        for _ in range(MANY):
            assert (await served.get("/api/a")).status == 200
        after = await served.scrape()
        assert_never_back(between, after)
        assert summed(after, "accord_requests", upstream="api") == 3 * MANY - victim["in_flight"]
        assert summed(after, "accord_request_duration_seconds", upstream="api") == 3 * MANY - victim["in_flight"]
        assert summed(after, "accord_supervisor_restarts") == 1
        served.signal(signal.SIGTERM)
        assert await served.ended() == (0, "")
        told = [line for line in served.log() if line["event"].startswith("process")]
        assert [(line["event"], line["process"]) for line in told] == [("process ended", 2), ("process restarted", 2)]
        assert (told[0]["how"], told[0]["level"]) == ("was ended by signal 9", "error")


@on_uvloop
async def test_a_process_that_does_not_answer_is_left_out(tmp_path: Path) -> None:
    """Its gauges go, what it counted stays, and the failure is counted; the others serve, and the whole is ready."""
    async with serve((head(), send(OK))) as origin, accord(written(tmp_path, upstream(origin)), 2) as served:
        for _ in range(MANY):
            await served.get("/api/a")
        before = await served.scrape()
        stopped = (await served.status())["processes"][0]["pid"]
        os.kill(stopped, signal.SIGSTOP)
        try:
            scrape = await served.scrape()
            assert_never_back(before, scrape)
            assert summed(scrape, "accord_requests", upstream="api") == MANY
            assert {parted(key)[1][0][1] for key in scrape["process_open_fds"].samples} == {"2", "supervisor"}
            assert summed(scrape, "accord_supervisor_scrape_failures") == 1
            assert (await served.admin("/-/ready")).status == 200
        finally:
            os.kill(stopped, signal.SIGCONT)
        await served.until(lambda status: all(one["uptime_s"] for one in status["processes"]))


@on_uvloop
async def test_processes_whose_supervisor_died_end(tmp_path: Path) -> None:
    """Each behind what it has under way; the port is given up at once, for the next supervisor."""
    over = asyncio.Event()
    async with serve((head(), wait(over), send(OK))) as origin, AsyncExitStack() as stack:
        config = written(tmp_path, upstream(origin), shutdown={"delay": "60s", "grace": "60s"})
        served = await stack.enter_async_context(accord(config, 2))
        wires = await held(stack, served.port, MANY)
        await served.until(lambda status: sum(in_flight(status)) == MANY)
        served.signal(signal.SIGKILL)
        await until(lambda: refused(served.port), bool)
        over.set()
        assert await answered(wires) == MANY
        assert await served.ended() == (-signal.SIGKILL, "")


async def refused(port: int) -> bool:
    """Tell whether nobody listens on a port any more."""
    try:
        async with await connect(port):
            return False
    except ConnectionError:
        return True


@on_uvloop
async def test_a_second_signal_ends_all_at_once(tmp_path: Path) -> None:
    """Whatever is under way."""
    async with serve((head(),)) as origin, AsyncExitStack() as stack:
        config = written(tmp_path, upstream(origin), shutdown={"delay": "60s", "grace": "60s"})
        served = await stack.enter_async_context(accord(config, 2))
        wires = await held(stack, served.port, 4)
        served.signal(signal.SIGTERM)
        await until(lambda: served.admin("/-/ready"), lambda reply: reply.status == 503)
        served.signal(signal.SIGTERM)
        assert await served.ended() == (-signal.SIGTERM, "")
        assert await answered(wires) == 0


@on_uvloop
async def test_an_order_to_each_process_is_no_order_to_end_at_once(tmp_path: Path) -> None:
    """Who stops services may signal all of a group, and so does the supervisor: twice is once."""
    over = asyncio.Event()
    async with serve((head(), wait(over), send(OK))) as origin, AsyncExitStack() as stack:
        served = await stack.enter_async_context(accord(written(tmp_path, upstream(origin)), 2))
        wires = await held(stack, served.port, 8)
        status = await served.until(lambda status: sum(in_flight(status)) == 8)
        served.signal(signal.SIGTERM)
        await served.until(lambda status: all(one["state"] == "draining" for one in status["processes"]))
        for process in status["processes"]:
            os.kill(process["pid"], signal.SIGTERM)
        await served.status()
        over.set()
        assert await answered(wires) == 8
        assert await served.ended() == (0, "")


@on_uvloop
async def test_one_process_can_be_replaced_in_order(tmp_path: Path) -> None:
    """SIGTERM to one drains that one; the whole stays ready, and none of its requests breaks."""
    over = asyncio.Event()
    async with serve((head(), wait(over), send(OK))) as origin, AsyncExitStack() as stack:
        served = await stack.enter_async_context(accord(written(tmp_path, upstream(origin)), 2))
        wires = await held(stack, served.port, MANY)
        status = await served.until(lambda status: sum(in_flight(status)) == MANY)
        old = status["processes"][0]["pid"]
        os.kill(old, signal.SIGTERM)
        await served.until(lambda status: status["processes"][0]["state"] == "draining")
        assert (await served.admin("/-/ready")).status == 200
        over.set()
        assert await answered(wires) == MANY
        status = await served.until(lambda status: status["processes"][0]["restarts"] == 1)
        assert status["processes"][0]["pid"] != old


@on_uvloop
async def test_credentials_are_hashed_alike_by_all(tmp_path: Path) -> None:
    """One client is one client on the status page, whichever process refused it."""
    limits = [{"name": "few", "key": "client", "requests": 1, "per": "1h"}]
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(serve((head(), send(OK))))
        served = await stack.enter_async_context(accord(written(tmp_path, upstream(origin), limits=limits), 2))
        fields = ("Authorization: Bearer secret", "Connection: close")
        replies = [await ask(served.port, get("/api/a", *fields)) for _ in range(MANY)]
        refusals = sum(reply.status == 429 for reply in replies)
        assert MANY - 2 <= refusals < MANY
        ((client, refused_times),) = [one.values() for one in (await served.status())["refused_clients"]]
        assert client.startswith("#")
        assert refused_times == refusals
        assert "processes" not in (await served.admin("/status?about=one")).json()


@on_uvloop
async def test_faults_are_told_once(tmp_path: Path) -> None:
    """By the supervisor, before any process is started; the status is 1."""
    config = written(tmp_path, upstream(1), lissen="x")
    process = await start(config, "3", tmp_path / "log")
    _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().count("lissen") == 1
    assert err.decode().startswith(f"{config}:1:")


@on_uvloop
async def test_a_port_that_another_has_is_refused(tmp_path: Path) -> None:
    """Even where that one would share it, as another gateway of several processes would; told once."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await start(written(tmp_path, upstream(1), listen=f"127.0.0.1:{port}"), "2", tmp_path / "log")
        _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode() == f"accord: listen: 127.0.0.1:{port}: Address already in use\n"


@on_uvloop
async def test_the_operators_port_must_be_free_too(tmp_path: Path) -> None:
    """No process is started where it is not."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await start(written(tmp_path, upstream(1), admin=f"127.0.0.1:{port}"), "2", tmp_path / "log")
        _, err = await process.communicate()
    assert (process.returncode, err.decode()) == (1, f"accord: admin: 127.0.0.1:{port}: Address already in use\n")


@pytest.mark.parametrize("number", ["-1", "many", "1.5", "257", "²"])
@on_uvloop
async def test_a_number_of_processes_that_cannot_be(tmp_path: Path, number: str) -> None:
    """Is an option that is wrong: status 2."""
    process = await start(written(tmp_path, upstream(1)), number, tmp_path / "log")
    _, err = await process.communicate()
    assert process.returncode == 2
    assert "not a number of processes" in err.decode()


@on_uvloop
async def test_what_processes_share_is_handed_to_them_unseen(tmp_path: Path) -> None:
    """The descriptor of the table, and no socket of ours; the secret is on no command line and in no environment."""
    config = written(tmp_path, upstream(1))
    configuration = load(config)
    shared = shared_tables(configuration, 2)
    (handle,) = shared.handles
    environ = dict(os.environ)  # noqa: TID251 - a process needs its parent's
    supervisor = Supervisor(configuration, config, processes=2, environ=environ, secret=SECRET, tables=shared)
    try:
        await supervisor.start()
        ours = descriptors("self")
        for process in (await ask(supervisor.admin_port, get("/status"))).json()["processes"]:
            theirs = descriptors(process["pid"])
            assert theirs[handle.fd] == ours[handle.fd]
            assert sockets(ours) & sockets(theirs) <= {ours[number] for number in (0, 1, 2)}
            assert SECRET not in shown(process["pid"])
    finally:
        await supervisor.stop()
        shared.close()


@on_uvloop
async def test_a_start_that_fails_is_the_end(tmp_path: Path) -> None:
    """When a process ends before it serves, all are ended: who started the gateway must learn that it does not run."""
    config = written(tmp_path, upstream(1))
    (tmp_path / "uvloop.py").write_text("raise SystemExit(3)")
    environ = {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(Path(gateway.__file__).parents[1])))}
    supervisor = Supervisor(load(config), config, processes=2, environ=environ)
    with pytest.raises(StartFailed, match=r"^accord: process [12] ended with status 3 before it served$"):
        await supervisor.start()
    assert await refused(supervisor.admin_port)


def shown(pid: int) -> bytes:
    """Return what others can see of how a process was started."""
    return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))


def descriptors(pid: object) -> dict[int, str]:
    """Return what the descriptors of a process stand for."""
    links = {}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that the folder was read by
            links[int(entry.name)] = str(entry.readlink())
    return links


def sockets(links: dict[int, str]) -> set[str]:
    """Return those that are sockets."""
    return {link for link in links.values() if link.startswith("socket:")}


WRITER = """
import sys
from gateway.edge.log_writer import Descriptor
from gateway.supervisor.shared_log import SharedLog
log = SharedLog(int(sys.argv[1]), Descriptor(int(sys.argv[2])))
for _ in range(8):
    log.write(sys.argv[3].encode() * 200_000 + b"\\n")
"""


def test_batches_of_several_processes_are_not_mixed(tmp_path: Path) -> None:
    """Each line is one process's, however long, through a pipe that holds a fraction of it."""
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    reading, writing = os.pipe()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(lock), str(writing), letter],
            pass_fds=(lock, writing),
            start_new_session=True,
        )
        for letter in "abc"
    ]
    os.close(writing)
    os.close(lock)
    with os.fdopen(reading, "rb") as pipe:
        lines = pipe.read().splitlines()
    assert [writer.wait(START_S) for writer in writers] == [0, 0, 0]
    assert sorted(lines) == [letter * 200_000 for letter in (b"a", b"b", b"c") for _ in range(8)]


async def test_processes_divide_a_limit_whose_store_was_never_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Together they let through what one would, though none of them has ever heard of the others."""
    monkeypatch.setenv("LIMITS", f"redis://127.0.0.1:{free_port()}")
    limits = [{"name": "all", "key": "upstream", "requests": 30, "per": "1h"}]
    async with serve((head(), send(OK))) as origin:
        config = written(tmp_path, upstream(origin), limits=limits, store={"redis": {"url_env": "LIMITS"}})
        async with accord(config, 3) as served:
            statuses = [(await served.get("/api/a")).status for _ in range(60)]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) <= 30
