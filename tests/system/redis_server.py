"""Real Redis servers on loopback, for tests: one, a master with replicas and a Sentinel, or a cluster; and stores on
them.

Each runs while a context lasts, keeps nothing on disk but in its own folder, and is ended with the test. Debian has no
Valkey in this release; where `valkey-server` is on PATH and `redis-server` is not, it is taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
from typing import TYPE_CHECKING, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.limits.stores.guard.heartbeat import PERIOD_S
from gateway.limits.stores.redis.remote import RedisRemote
from gateway.limits.stores.redis.target import parse
from tests.components import require_component
from tests.integration.wire import PATIENCE_S
from tests.system.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from gateway.limits.stores.redis.target import RedisTarget

_READY: Final = b"Ready to accept connections"
_WATCHING: Final = b"+monitor"
SLOTS: Final = 16_384
AGREED_S: Final = 60.0
"""How long servers may take to agree on something among themselves: elections have timeouts of their own."""


class RedisServer:
    """A server that can be ended, started anew at the same port, and stalled."""

    def __init__(self, folder: Path, *options: str, port: int | None = None) -> None:
        """Start it: at a free port, and at the Unix socket `path`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port() if port is None else port
        self.path = folder / "redis.sock"
        self._folder = folder
        self._options = options
        self.start()

    @property
    def url(self) -> str:
        """Return its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def admin(self) -> Redis:
        """Return a client that waits for each answer, by the Unix socket."""
        return Redis(unix_socket_path=str(self.path), retry=Retry(NoBackoff(), 0))

    def start(self) -> None:
        """Run it until it takes connections."""
        program = require_component("redis-server", "valkey-server")
        own = ("--port", str(self.port), "--unixsocket", str(self.path), "--save", "", "--dir", str(self._folder))
        self._process = _run([program, *own, *self._options], _READY)

    def stop(self) -> None:
        """End it at once."""
        self._process.kill()
        _ended(self._process)

    def stall(self) -> None:
        """Let it answer nothing, and keep its connections."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Undo `stall`."""
        self._process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def redis_server(folder: Path, *options: str, port: int | None = None) -> Iterator[RedisServer]:
    """Run a server with `options` of its command line until the context ends."""
    server = RedisServer(folder, *options, port=port)
    try:
        yield server
    finally:
        server.go_on()
        server.stop()


@contextlib.asynccontextmanager
async def store(
    at: RedisTarget | str,
    replica: bytes = b"one",
    *,
    beat_s: float = PERIOD_S,
    clock: Callable[[], tuple[int, int]] | None = None,
) -> AsyncIterator[RedisRemote]:
    """Have a store that is connected. Where others keep the machine busy an answer of a server named by its address may
    take its time.
    """
    target = parse(at, timeout_s=PATIENCE_S) if isinstance(at, str) else at
    remote = RedisRemote(target, replica, beat_s=beat_s, clock=clock)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await remote.ready()
        yield remote
    finally:
        await remote.aclose()


@contextlib.contextmanager
def sentinel(folder: Path, service: str, master: RedisServer) -> Iterator[int]:
    """Run a Sentinel that watches `master` and is quick to believe that it is down; yield its port."""
    folder.mkdir()
    port = free_port()
    file = folder / "sentinel.conf"
    file.write_text(
        f"port {port}\ndir {folder}\n"
        f"sentinel monitor {service} 127.0.0.1 {master.port} 1\n"
        f"sentinel down-after-milliseconds {service} 200\n"
        f"sentinel failover-timeout {service} 2000\n"
    )
    process = _run([require_component("redis-sentinel", "valkey-sentinel"), str(file)], _WATCHING)
    try:
        with Redis(port=port) as admin:
            admin.execute_command("SENTINEL", "DEBUG", "INFO-PERIOD", 50, "PING-PERIOD", 50)
        yield port
    finally:
        process.kill()
        _ended(process)


@contextlib.contextmanager
def cluster(folder: Path, nodes: int = 3) -> Iterator[list[RedisServer]]:
    """Run a cluster of primaries that share the slots evenly, in their order."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(_node(folder / f"node-{number}")) for number in range(nodes)]
        for number, server in enumerate(servers):
            first, last = SLOTS * number // nodes, SLOTS * (number + 1) // nodes - 1
            with server.admin as admin:
                admin.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
                admin.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
                admin.execute_command("CLUSTER", "MEET", "127.0.0.1", servers[0].port, _bus(servers[0]))
        yield servers


@contextlib.contextmanager
def _node(folder: Path) -> Iterator[RedisServer]:
    bus = str(free_port())
    options = ("--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "1000")
    with redis_server(folder, *options) as server:
        yield server


def _bus(server: RedisServer) -> int:
    with server.admin as admin:
        return int(admin.config_get("cluster-port")["cluster-port"])


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that other processes bring about."""
    async with asyncio.timeout(AGREED_S):
        while not holds():  # noqa: ASYNC110 - other processes do not set our events
            await asyncio.sleep(0.01)


def clustered(servers: list[RedisServer]) -> bool:
    """Tell whether every node knows all the others and has its slots served."""
    for server in servers:
        with server.admin as admin:
            said = admin.execute_command("CLUSTER", "INFO").split()
        if b"cluster_state:ok" not in said or b"cluster_known_nodes:%d" % len(servers) not in said:
            return False
    return True


@contextlib.asynccontextmanager
async def running_cluster(folder: Path, nodes: int = 3) -> AsyncIterator[list[RedisServer]]:
    """Run a cluster that is ready."""
    with cluster(folder, nodes) as servers:
        await until(lambda: clustered(servers))
        yield servers


def _run(command: list[str], ready: bytes) -> subprocess.Popen[bytes]:
    """Start a program and read what it says until it is ready."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if ready in line:
            return process
    _ended(process)
    raise AssertionError(b"".join(said).decode(errors="replace"))


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
