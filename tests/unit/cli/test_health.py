"""`accord health` asks one page once, and its exit status is the answer."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gateway.cli.health import LONGEST_LINE
from gateway.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

TOO_MUCH = ("http", "ssl", "asyncio", "pydantic", "aiohttp", "msgspec", "rich", "yaml")


class Said:
    """What an origin of one connection was asked, and where it is."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.request = b""


@contextmanager
def origin(*answer: bytes) -> Iterator[Said]:
    """Answer one request by these pieces, whatever it asks."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        said = Said(listening.getsockname()[1])

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                said.request = connection.recv(4096)
                for piece in answer:
                    connection.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        yield said
        thread.join()


def test_takes_requests(capsys: pytest.CaptureFixture[str]) -> None:
    """An answer of 200 is status 0; the page is asked for by its path and query, and its server by its name."""
    with origin(b"HTTP/1.1 2", b"00 OK\r\nContent-Length: 0\r\n\r\n") as said:
        assert main(["health", "--url", f"http://localhost:{said.port}/-/ready?a=b"]) == 0
    assert said.request == (b"GET /-/ready?a=b HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n" % said.port)
    assert capsys.readouterr().out == f"accord: http://localhost:{said.port}/-/ready?a=b answers 200\n"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "answers 503"),
        (b"HTTP/1.0 404 Not Found\r\n\r\n", "answers 404"),
        (b"HTTP/1.1 20\r\n\r\n", "does not speak HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", "does not speak HTTP"),
        (b"200 200 200\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 \xff\xfe\xfd\r\n", "does not speak HTTP"),
        (b"", "does not speak HTTP"),
        (b"x" * (2 * LONGEST_LINE), "does not speak HTTP"),
    ],
)
def test_takes_none(answer: bytes, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every other answer is status 1, with a sentence that says what came."""
    with origin(answer) as said:
        assert main(["health", "--url", f"http://127.0.0.1:{said.port}"]) == 1
    assert capsys.readouterr().err == f"accord: http://127.0.0.1:{said.port}/ {sentence}: it takes no requests now\n"


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing listens, the sentence says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert main(["health", "--url", f"http://127.0.0.1:{port}/"]) == 1
    assert capsys.readouterr().err == f"accord: http://127.0.0.1:{port}/ does not answer: Connection refused\n"


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    """Who accepts and says nothing is given up after the time that was given."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert main(["health", "--timeout", "0.01", "--url", f"http://127.0.0.1:{port}/"]) == 1
    assert capsys.readouterr().err == f"accord: http://127.0.0.1:{port}/ does not answer: timed out\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--url", "https://127.0.0.1/"],
        ["--url", "127.0.0.1:8081"],
        ["--url", "http:///x"],
        ["--url", "http://a:b/"],
        ["--url", "http://a:99999/"],
        ["--url", "http://me:pw@a/"],
        ["--url", "http://a/x y"],
        ["--url", "http://a/\r\nX: y"],
        ["--url", "http://ü/"],
        ["--url", "http://a..b/"],
        ["--url", f"http://{'a' * 64}/"],
        ["--timeout", "0"],
        ["--timeout", "soon"],
        ["--timeout", "nan"],
    ],
)
def test_options_that_are_wrong(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An address that is no page by plain HTTP, or a time that is none, is an option that is wrong."""
    with pytest.raises(SystemExit) as left:
        main(["health", *arguments])
    assert left.value.code == 2
    assert "write " in capsys.readouterr().err


def test_starts_fast() -> None:
    """It runs every few seconds: nothing is imported that takes long."""
    asked = "main(['health', '--url', 'http://127.0.0.1:1/'])"
    code = f"import sys; from gateway.cli.main import main; {asked}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint(TOO_MUCH)
