"""Bodies stream: a gigabyte each way through a real process, whose memory hardly grows.

Blocking sockets in threads on both sides, so that this process is not what is slow.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GIGABYTE = 10**9
PIECE = b"x" * 2**20
MOST_GROWTH_BYTES = 20 * 10**6
PATIENCE_S = 60.0

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")


def memory_peak_bytes(pid: int) -> int:
    """Return the most memory that a process ever held."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    """Return a head, and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        assert piece
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def read_body(connection: socket.socket, rest: bytes, length: int) -> None:
    """Read a body and keep nothing of it."""
    left = length - len(rest)
    room = bytearray(2**20)
    while left:
        count = connection.recv_into(room, min(left, len(room)))
        assert count
        left -= count


def send_body(connection: socket.socket, length: int) -> None:
    """Send a body of so many bytes."""
    left = length
    while left:
        connection.sendall(PIECE[: min(left, len(PIECE))])
        left -= min(left, len(PIECE))


def serve(listener: socket.socket) -> None:
    """Answer requests with a body of the length that their target says, after reading theirs."""
    connection, _ = listener.accept()
    with connection, suppress(AssertionError, OSError):
        while True:
            head, rest = read_head(connection)
            declared = re.search(rb"Content-Length: (\d+)", head)
            read_body(connection, rest, int(declared[1]) if declared else 0)
            length = int(head.split(b" ")[1].removeprefix(b"/"))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % length)
            send_body(connection, length)


@contextmanager
def running(folder: Path, origin_port: int) -> Iterator[tuple[int, int]]:
    """Run `accord serve` in a process of its own; yield its port and its process id."""
    (folder / "upstreams").mkdir()
    settings = {"version": 1, "listen": "127.0.0.1:0", "admin": "127.0.0.1:0"}
    upstream = {
        "version": 1,
        "name": "api",
        "base_url": f"http://127.0.0.1:{origin_port}",
        "match": {"prefix": "/api"},
    }
    (folder / "gateway.yaml").write_text(json.dumps(settings))
    (folder / "upstreams" / "api.yaml").write_text(json.dumps(upstream))
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(folder / "gateway.yaml")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = re.search(r"serving on http://127.0.0.1:(\d+)", process.stderr.readline())
        assert said is not None
        try:
            yield int(said[1]), process.pid
        finally:
            process.terminate()
            assert process.wait(PATIENCE_S) == 0


def download(connection: socket.socket, length: int) -> None:
    """Ask for a body of so many bytes, and read it."""
    connection.sendall(b"GET /api/%d HTTP/1.1\r\nHost: gateway.test\r\n\r\n" % length)
    head, rest = read_head(connection)
    assert head.startswith(b"HTTP/1.1 200 ")
    read_body(connection, rest, length)


def upload(connection: socket.socket, length: int) -> None:
    """Send a body of so many bytes, and read the answer."""
    connection.sendall(b"POST /api/0 HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: %d\r\n\r\n" % length)
    send_body(connection, length)
    assert read_head(connection)[0].startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("transfer", [download, upload])
def test_a_gigabyte_streams_through(tmp_path: Path, transfer: Callable[[socket.socket, int], None]) -> None:
    """Peak memory grows by less than 20 MB over that of a small request of the same kind."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = threading.Thread(target=serve, args=(listener,), daemon=True)
        origin.start()
        with (
            running(tmp_path, listener.getsockname()[1]) as (port, pid),
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection,
        ):
            transfer(connection, 1000)
            before = memory_peak_bytes(pid)
            transfer(connection, GIGABYTE)
            assert memory_peak_bytes(pid) - before < MOST_GROWTH_BYTES
        origin.join(PATIENCE_S)
