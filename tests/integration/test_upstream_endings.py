"""How an upstream can end a conversation, at every phase, and what becomes of the request."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gateway.errors import ClientGone, TransportFailure, TransportReason
from gateway.upstream import UpstreamRequest
from tests.integration.loops import on_every_loop
from tests.integration.origin import body, close, gone, half_close, head, repeat, reset, send, serve, tell, wait
from tests.integration.pools import HOST, get, pool_to, rest_of, turns
from tests.unit.upstream.samples import CHUNKED, OK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.integration.origin import Step

    Ending = Callable[[], Step]

HELLO = OK + b"Content-Length: 5\r\n\r\nhello"
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nhello"


# -------------------------------------------------------------------------------------------------------- before a head


@pytest.mark.parametrize("ending", [close, half_close, reset])
@on_every_loop
async def test_an_end_before_a_reply_is_a_terminated_connection(ending: Ending) -> None:
    """When not one byte of a reply came, the connection was terminated."""
    async with serve((head(), ending())) as origin, pool_to(origin) as pool:
        with pytest.raises(TransportFailure) as caught:
            await pool.send(get())
        assert caught.value.reason is TransportReason.CONNECTION_TERMINATED
        assert len(origin.conversations) == 1, "a new connection is no stale one: nothing is sent again"


@pytest.mark.parametrize("sent", [b"H", b"HTTP/1.1 200 OK\r\nX: 1\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
@pytest.mark.parametrize("ending", [close, half_close, reset])
@on_every_loop
async def test_an_end_within_the_head_is_an_incomplete_reply(ending: Ending, sent: bytes) -> None:
    """A head that was begun, or only an interim reply, is not an answer."""
    script = (head(), send(sent), ending())
    async with serve(script) as origin, pool_to(origin) as pool:
        with pytest.raises(TransportFailure) as caught:
            await pool.send(get())
        assert caught.value.reason is TransportReason.HTTP_RESPONSE_INCOMPLETE


@on_every_loop
async def test_nobody_listens() -> None:
    """A port where nobody listens refuses the connection."""
    async with serve(()) as origin:
        pass
    async with pool_to(origin) as pool:
        with pytest.raises(TransportFailure) as caught:
            await pool.send(get())
        assert caught.value.reason is TransportReason.CONNECTION_REFUSED
        assert str(origin.port) in caught.value.detail


@dataclass(frozen=True)
class Nowhere:
    """An endpoint whose name does not exist (RFC 6761 section 6.4), or is none."""

    host: str
    scheme: str = "http"
    port: int = 80
    server_name: str = ""
    socket: None = None


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".example"])
@on_every_loop
async def test_a_name_that_does_not_resolve(host: str) -> None:
    """What the resolver does not know is a DNS error."""
    async with pool_to(Nowhere(host)) as pool:
        with pytest.raises(TransportFailure) as caught:
            await pool.send(get())
        assert caught.value.reason is TransportReason.DNS_ERROR


# ----------------------------------------------------------------------------------------------------- within the body


@pytest.mark.parametrize(
    ("sent", "came"),
    [
        (OK + b"Content-Length: 9\r\n\r\nhello", b"hello"),
        (OK + b"Content-Length: 9\r\n\r\n", b""),
        (CHUNKED, b""),
        (CHUNKED + b"5\r\nhel", b"hel"),
        (CHUNKED + b"5\r\nhello\r\n", b"hello"),
        (CHUNKED + b"5\r\nhello\r\n0\r\n", b"hello"),
        (CHUNKED + b"5\r\nhello\r\n0\r\nX: 1\r\n", b"hello"),
    ],
)
@pytest.mark.parametrize("ending", [close, half_close, reset])
@on_every_loop
async def test_a_body_cut_short_is_incomplete(ending: Ending, sent: bytes, came: bytes) -> None:
    """What came can be read; then the failure shows, and it stays. Nothing is padded, no end is invented."""
    seen = asyncio.Event()
    script = (head(), send(sent), wait(seen), ending())
    async with serve(script) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        if came:
            assert await exchange.read() == came
        seen.set()
        for _ in range(2):
            with pytest.raises(TransportFailure) as caught:
                await exchange.read()
            assert caught.value.reason is TransportReason.HTTP_RESPONSE_INCOMPLETE
        exchange.close()
        assert pool.stats().open == 0


@on_every_loop
async def test_a_reset_does_not_end_a_close_delimited_body() -> None:
    """Only an orderly end of the stream is the end of a body without a length (RFC 9112 section 8)."""
    seen = asyncio.Event()
    async with serve((head(), send(OK + b"\r\nhello"), wait(seen), reset())) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        assert await exchange.read() == b"hello"
        seen.set()
        with pytest.raises(TransportFailure) as caught:
            await exchange.read()
        assert caught.value.reason is TransportReason.HTTP_RESPONSE_INCOMPLETE
        exchange.close()


@on_every_loop
async def test_a_malformed_body_fails_behind_what_was_good() -> None:
    """The chunks before a malformed one can be read; a capture gives none of them."""
    script = (head(), send(CHUNKED + b"5\r\nhello\r\noops"))
    async with serve(script) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        assert await exchange.read() == b"hello"
        with pytest.raises(TransportFailure) as caught:
            await exchange.read()
        assert caught.value.reason is TransportReason.HTTP_PROTOCOL_ERROR
        exchange.close()
        exchange = await pool.send(get())
        with pytest.raises(TransportFailure):
            await exchange.capture(100)
        exchange.close()
        assert pool.stats().open == 0


@on_every_loop
async def test_a_failure_before_close_gives_the_place_back_at_once() -> None:
    """Who reads a failure need not close, though he should."""
    async with serve((head(), send(OK + b"Content-Length: 9\r\n\r\n"), close())) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        with pytest.raises(TransportFailure):
            await exchange.read()
        assert pool.stats().open == 0


# ---------------------------------------------------------------------------------------------------------- afterwards


@pytest.mark.parametrize("ending", [close, half_close, reset])
@on_every_loop
async def test_an_end_behind_a_complete_reply_costs_only_the_connection(ending: Ending) -> None:
    """A reply that is complete is good, whatever the upstream does next, while it is read or afterwards."""
    seen, ended = asyncio.Event(), asyncio.Event()
    script = (head(), send(HELLO), wait(seen), ending(), tell(ended))
    async with serve(script) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        seen.set()
        await ended.wait()
        await turns()
        assert await rest_of(exchange) == b"hello"
        exchange.close()
        assert pool.stats().open == 0


@pytest.mark.parametrize("surplus", [b"!", b"\r\n", HELLO])
@on_every_loop
async def test_bytes_behind_a_reply_cost_the_connection(surplus: bytes) -> None:
    """Bytes that come between a complete reply and its close spoil the connection, not the reply."""
    seen, ended = asyncio.Event(), asyncio.Event()
    async with serve((head(), send(HELLO), wait(seen), send(surplus), tell(ended))) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        seen.set()
        await ended.wait()
        await turns()
        assert await rest_of(exchange) == b"hello"
        exchange.close()
        assert pool.stats().open == 0
        await origin.conversations[0].gone.wait()


@pytest.mark.parametrize("surplus", [b"!", b"\r\n", HELLO])
@on_every_loop
async def test_bytes_on_a_resting_connection_end_it(surplus: bytes) -> None:
    """A reply that nobody asked for is nobody's reply (RFC 9112 section 9.2): the next request never meets it."""
    seen = asyncio.Event()
    async with (
        serve((head(), send(HELLO), wait(seen), send(surplus)), (head(), send(TOO_LARGE))) as origin,
        pool_to(origin) as pool,
    ):
        (await pool.send(get())).close()
        assert pool.stats().idle == 1
        seen.set()
        await origin.conversations[0].gone.wait()
        exchange = await pool.send(get())
        assert exchange.status == 413
        exchange.close()


@on_every_loop
async def test_a_resting_connection_that_ends_leaves_the_pool() -> None:
    """An upstream that closes a resting connection frees its place."""
    seen = asyncio.Event()
    async with serve((head(), send(HELLO), wait(seen), close())) as origin, pool_to(origin) as pool:
        (await pool.send(get())).close()
        seen.set()
        await turns()
        assert pool.stats().open == 0


# -------------------------------------------------------------------------------------- while the request is being sent


@on_every_loop
async def test_an_early_reply_ends_the_request() -> None:
    """A final reply before the request is sent stops the upload, is delivered whole, and costs the connection."""
    answer = asyncio.Event()
    stopped = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                answer.set()
                await asyncio.sleep(0)
        finally:
            stopped.set()

    async with serve((head(), wait(answer), send(TOO_LARGE), gone())) as origin, pool_to(origin) as pool:
        exchange = await pool.send(UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=endless()))
        assert stopped.is_set()
        assert exchange.status == 413
        assert await rest_of(exchange) == b"hello"
        exchange.close()
        assert pool.stats().open == 0
        await origin.conversations[0].gone.wait()
        assert not origin.conversations[0].received.endswith(b"0\r\n\r\n")


@on_every_loop
async def test_an_early_reply_to_a_stalled_upload_does_not_wait_for_it() -> None:
    """A client that sends nothing does not hold back the answer that is there."""
    never = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"x"
        await never.wait()

    async with serve((head(), send(TOO_LARGE))) as origin, pool_to(origin) as pool:
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=stalled(), length=9)
        exchange = await pool.send(request)
        assert await rest_of(exchange) == b"hello"
        exchange.close()
        assert pool.stats().open == 0


@pytest.mark.parametrize("complains", [True, False])
@on_every_loop
async def test_what_becomes_of_a_stopped_upload_does_not_touch_its_reply(complains: bool) -> None:
    """The body of an early reply is read to its end, however the upload takes being stopped."""
    seen, never = asyncio.Event(), asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"x"
        try:
            await never.wait()
        except asyncio.CancelledError:
            if complains:
                raise ClientGone from None
            raise

    async with serve((head(), send(TOO_LARGE[:-5]), wait(seen), send(b"hello"))) as origin, pool_to(origin) as pool:
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=stalled(), length=9)
        exchange = await pool.send(request)
        await turns()
        seen.set()
        assert await rest_of(exchange) == b"hello"
        exchange.close()
        assert pool.stats().open == 0


@on_every_loop
async def test_an_interim_reply_does_not_end_the_request() -> None:
    """100 Continue during an upload is passed over, and the upload goes on."""
    seen = asyncio.Event()

    async def two() -> AsyncIterator[bytes]:
        yield b"abc"
        await seen.wait()
        yield b"def"

    script = (head(), body(3), send(b"HTTP/1.1 100 Continue\r\n\r\n"), tell(seen), body(3), send(HELLO))
    async with serve(script) as origin, pool_to(origin) as pool:
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=two(), length=6)
        (await pool.send(request)).close()
        assert origin.conversations[0].received.endswith(b"abcdef")
        assert pool.stats().idle == 1


@on_every_loop
async def test_a_reply_to_what_is_not_yet_written_costs_the_connection() -> None:
    """A body at hand that still waits to be written when its reply ends is a request that was not sent whole."""
    large = b"x" * (32 * 2**20)
    async with serve((head(), send(HELLO), gone())) as origin, pool_to(origin) as pool:
        request = UpstreamRequest(method=b"PUT", target=b"/", headers=(HOST,), body=large)
        exchange = await pool.send(request)
        assert await rest_of(exchange) == b"hello"
        exchange.close()
        assert pool.stats().open == 0
        await origin.conversations[0].gone.wait()


@pytest.mark.parametrize("ending", [close, reset])
@on_every_loop
async def test_an_end_during_the_request_stops_it(ending: Ending) -> None:
    """An upstream that leaves in the middle of an upload ends it, and what was not asked for is not read."""
    stopped = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 10_000
                await asyncio.sleep(0)
        finally:
            stopped.set()

    async with serve((head(), body(20_000), ending())) as origin, pool_to(origin) as pool:
        with pytest.raises(TransportFailure) as caught:
            await pool.send(UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=endless()))
        assert caught.value.reason is TransportReason.CONNECTION_TERMINATED
        await stopped.wait()


@contextlib.contextmanager
def blunt_server(reply: bytes, answered: threading.Event) -> Iterator[int]:
    """Answer the head of one request, and close at once: what it did not read makes the kernel send a reset."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve_one() -> None:
            conversation, _ = listener.accept()
            with conversation:
                seen = b""
                while b"\r\n\r\nx" not in seen:
                    seen += conversation.recv(4096)
                conversation.sendall(reply)
            answered.set()

        thread = threading.Thread(target=serve_one)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@dataclass(frozen=True)
class Local:
    """An endpoint on loopback."""

    port: int
    host: str = "127.0.0.1"
    scheme: str = "http"
    server_name: str = ""
    socket: None = None


@on_every_loop
async def test_an_early_reply_survives_the_reset_behind_it() -> None:
    """A write that meets the reset before the reply was read does not lose the reply (RFC 9112 section 9.6)."""
    answered = threading.Event()

    async def unaware() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        while not answered.is_set():
            await asyncio.sleep(0)
            answered.wait(10)  # the loop sees nothing of the reply before the next write
        for _ in range(100):
            yield b"x" * 1000

    with blunt_server(TOO_LARGE, answered) as port:
        async with pool_to(Local(port)) as pool:
            request = UpstreamRequest(
                method=b"POST", target=b"/", headers=(HOST,), body=b"x", rest=unaware(), length=1 << 20
            )
            exchange = await pool.send(request)
            assert exchange.status == 413
            assert await rest_of(exchange) == b"hello"
            exchange.close()
            assert pool.stats().open == 0


@on_every_loop
async def test_a_large_reply_survives_an_orderly_end() -> None:
    """An upstream that sends all and closes loses nothing, though we read slowly."""
    piece = b"x" * 65_536
    script = (head(), send(OK + b"\r\n"), repeat(piece, 64), half_close())
    async with serve(script) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        await turns(200)
        assert len(await rest_of(exchange)) == 64 * len(piece)
        exchange.close()
