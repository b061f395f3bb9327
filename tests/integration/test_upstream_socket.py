"""Upstreams behind a Unix socket: the same exchange, deadlines and failures, without DNS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gateway.errors import TransportFailure, TransportReason
from gateway.upstream import UpstreamRequest, client_context
from tests.integration.certificates import Authority
from tests.integration.harness import gateway, on_uvloop, upstream
from tests.integration.loops import in_virtual_time, on_every_loop
from tests.integration.origin import body, close, gone, head, send, serve
from tests.integration.pools import HOST, Patience, Room, get, pieces_of, pool_to, rest_of
from tests.unit.upstream.samples import OK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.origin import Origin, Step

HELLO = OK + b"Content-Length: 5\r\n\r\nhello"


@dataclass(frozen=True)
class Behind:
    """An endpoint behind a socket, whose name no resolver knows (RFC 6761 section 6.4)."""

    socket: Path
    scheme: str = "http"
    host: str = "nowhere.invalid"
    port: int = 1
    server_name: str = "parts.example"


async def refused(path: Path, reason: TransportReason) -> str:
    """Send, fail for `reason`, and return what the operator is told."""
    async with pool_to(Behind(path)) as pool:
        with pytest.raises(TransportFailure) as caught:
            await pool.send(get())
        assert caught.value.reason is reason
        return caught.value.detail


@on_every_loop
async def test_an_upstream_behind_a_socket(tmp_path: Path) -> None:
    """Requests and replies go as they do over TCP, and the connection is used again; no name is looked up."""
    script = (head(), body(6), send(HELLO), head(), send(HELLO))
    async with serve(script, path=tmp_path / "x") as origin, pool_to(Behind(tmp_path / "x")) as pool:
        post = UpstreamRequest(method=b"POST", target=b"/a", headers=(HOST,), rest=pieces_of(b"abc", b"def"), length=6)
        for request in (post, get()):
            exchange = await pool.send(request)
            assert await rest_of(exchange) == b"hello"
            exchange.close()
        assert len(origin.conversations) == 1
        assert pool.stats().idle == 1


@on_every_loop
async def test_an_early_reply_survives_the_end_behind_it(tmp_path: Path) -> None:
    """An upstream that answers and leaves without having read the request is heard all the same."""
    async with serve((head(), send(HELLO), close()), path=tmp_path / "x"), pool_to(Behind(tmp_path / "x")) as pool:
        exchange = await pool.send(
            UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), body=b"x" * 2**22, length=2**22)
        )
        assert await rest_of(exchange) == b"hello"
        exchange.close()


@on_every_loop
async def test_tls_over_a_socket(tmp_path: Path) -> None:
    """TLS is the scheme's business, and the certificate is for the name and not for the path."""
    authority = Authority(tmp_path)
    script = (head(), send(HELLO), close())
    async with serve(script, tls=authority.server("DNS:parts.example"), path=tmp_path / "x") as origin:
        trusted = client_context(authority.file)
        for server_name, reason in (
            ("parts.example", None),
            ("parts.example", None),
            ("other.example", TransportReason.TLS_CERTIFICATE_ERROR),
        ):
            endpoint = Behind(tmp_path / "x", scheme="https", server_name=server_name)
            async with pool_to(endpoint, ssl_context=trusted) as pool:
                if reason is None:
                    exchange = await pool.send(get())
                    assert await rest_of(exchange) == b"hello"
                    exchange.close()
                else:
                    with pytest.raises(TransportFailure) as caught:
                        await pool.send(get())
                    assert caught.value.reason is reason
        reused = [one.writer.get_extra_info("ssl_object").session_reused for one in origin.conversations[:2]]
        assert reused == [False, True]


@on_every_loop
async def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    """A path without a file, and a file without a listener, cannot be reached; the operator is told which."""
    assert await refused(tmp_path / "x", TransportReason.CONNECTION_REFUSED) == (
        f"{tmp_path}/x: [Errno 2] No such file or directory"
    )
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "y"))
    assert "Connection refused" in await refused(tmp_path / "y", TransportReason.CONNECTION_REFUSED)
    (tmp_path / "z").write_text("no socket")
    assert "Connection refused" in await refused(tmp_path / "z", TransportReason.CONNECTION_REFUSED)


@on_every_loop
async def test_a_socket_may_come_later(tmp_path: Path) -> None:
    """Nothing is remembered of a failure: the next request finds what has come to be."""
    async with pool_to(Behind(tmp_path / "x")) as pool:
        with pytest.raises(TransportFailure):
            await pool.send(get())
        async with serve((head(), send(HELLO)), path=tmp_path / "x"):
            exchange = await pool.send(get())
            assert await rest_of(exchange) == b"hello"
            exchange.close()


@contextlib.contextmanager
def busy(path: Path) -> Iterator[None]:
    """A listener that takes nothing, and whose queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        listener.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            client.connect_ex(str(path))
        yield


@on_every_loop
async def test_a_listener_whose_queue_is_full(tmp_path: Path) -> None:
    """The kernel says so at once, and so do we: such a socket only looks connected."""
    with busy(tmp_path / "x"):
        assert "Resource temporarily" in await refused(tmp_path / "x", TransportReason.CONNECTION_REFUSED)


@in_virtual_time
async def test_deadlines_hold_over_a_socket(tmp_path: Path) -> None:
    """A listener that accepts and is silent in the handshake, or never replies, is not waited for."""
    waits = [("https", TransportReason.CONNECTION_TIMEOUT, 2.0), ("http", TransportReason.HTTP_RESPONSE_TIMEOUT, 3.0)]
    async with serve((gone(),), path=tmp_path / "x"):
        for scheme, reason, after_s in waits:
            timeouts = Patience(connect_s=2.0, first_byte_s=3.0)
            async with pool_to(Behind(tmp_path / "x", scheme=scheme), timeouts=timeouts) as pool:
                began = asyncio.get_running_loop().time()
                with pytest.raises(TransportFailure) as caught:
                    await pool.send(get())
                assert caught.value.reason is reason
                assert asyncio.get_running_loop().time() - began == pytest.approx(after_s, rel=0.2)


@on_every_loop
async def test_who_leaves_while_a_socket_is_dialled(tmp_path: Path) -> None:
    """A caller that is cancelled in the handshake leaves neither a connection nor its place behind."""
    async with (
        serve((gone(),), path=tmp_path / "x") as origin,
        pool_to(Behind(tmp_path / "x", scheme="https"), limits=Room(max_connections=1)) as pool,
    ):
        sending = asyncio.ensure_future(pool.send(get()))
        conversation = await origin.conversation(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await conversation.gone.wait()
        assert pool.stats().open == 0


ANSWERS: tuple[Step, ...] = (head(), send(HELLO))


def request_line(origin: Origin) -> list[bytes]:
    """Return the first line of what came, and its `Host`."""
    lines = bytes(origin.conversations[0].received).split(b"\r\n")
    return [lines[0], *(line for line in lines if line.lower().startswith(b"host:"))]


@on_uvloop
async def test_a_socket_in_an_upstreams_file(tmp_path: Path) -> None:
    """`socket` is relative to the file; host, path and scheme stay those of `base_url`."""
    behind = upstream(1, base_url="http://parts.invalid/v1", socket="../x", dialect="generic")
    async with gateway(tmp_path, behind) as accord:
        answer = await accord.get("/api/a")
        assert (answer.status, answer.json()["code"]) == (503, "upstream_unreachable")
        assert answer.header("Proxy-Status") == b"accord; error=connection_refused"
        async with serve(ANSWERS, path=tmp_path / "x") as origin:
            assert (await accord.get("/api/a?b=c")).status == 200
            assert request_line(origin) == [b"GET /v1/a?b=c HTTP/1.1", b"Host: parts.invalid"]
