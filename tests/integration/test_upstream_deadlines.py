"""Every wait has a deadline. Time is virtual: it leaps whenever nothing else can happen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.errors import TransportFailure, TransportReason
from gateway.upstream import UpstreamRequest, client_context
from tests.integration.loops import in_virtual_time, on_every_loop
from tests.integration.origin import body, gone, head, last_chunk, repeat, send, serve, wait
from tests.integration.pools import HOST, SOON_S, Patience, Room, get, pool_to, rest_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.upstream import Pool
    from tests.integration.origin import Conversation, Step

from tests.unit.upstream.samples import OK

HELLO = OK + b"Content-Length: 5\r\n\r\nhello"
PATIENCE = Patience(connect_s=3.0, first_byte_s=10.0, idle_s=30.0, total_s=100.0)


def now() -> float:
    """The virtual time."""
    return asyncio.get_running_loop().time()


def pause(seconds: float) -> Step:
    """Let virtual time pass."""

    async def step(_conversation: Conversation) -> None:
        await asyncio.sleep(seconds)

    return step


async def failure_of(pool: Pool, request: UpstreamRequest) -> TransportReason:
    """Send, read all, and return why it failed."""
    with pytest.raises(TransportFailure) as caught:
        await rest_of(await pool.send(request))
    return caught.value.reason


async def fails_at(expected_s: float, pool: Pool, request: UpstreamRequest) -> TransportReason:
    """Send, read all, and return why it failed, at the expected time."""
    reason = await failure_of(pool, request)
    assert now() == pytest.approx(expected_s, abs=0.1)
    return reason


# -------------------------------------------------------------------------------------------------------------- connect


@in_virtual_time
async def test_tls_that_is_never_answered_ends_at_the_connect_deadline() -> None:
    """DNS, TCP and TLS together have `connect_s`."""
    async with serve((gone(),)) as origin:
        origin.scheme = "https"
        async with pool_to(origin, timeouts=PATIENCE, ssl_context=client_context()) as pool:
            assert await fails_at(3.0, pool, get()) is TransportReason.CONNECTION_TIMEOUT
            assert pool.stats().open == 0
            await origin.conversations[0].gone.wait()


@in_virtual_time
async def test_the_total_bounds_connecting_too() -> None:
    """A total that is shorter than the connect deadline wins."""
    async with serve((gone(),)) as origin:
        origin.scheme = "https"
        timeouts = Patience(connect_s=50.0, total_s=5.0)
        async with pool_to(origin, timeouts=timeouts, ssl_context=client_context()) as pool:
            assert await fails_at(5.0, pool, get()) is TransportReason.CONNECTION_TIMEOUT


# ----------------------------------------------------------------------------------------------------------------- head


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 102 Processing\r\n\r\n"])
@in_virtual_time
async def test_a_head_that_does_not_end_ends_at_the_first_byte_deadline(sent: bytes) -> None:
    """Neither a head that was begun nor an interim reply is an answer in time."""
    async with serve((head(), send(sent))) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        assert await fails_at(10.0, pool, get()) is TransportReason.HTTP_RESPONSE_TIMEOUT
        assert pool.stats().open == 0
        await origin.conversations[0].gone.wait()


@in_virtual_time
async def test_a_head_that_trickles_ends_at_the_first_byte_deadline() -> None:
    """Bytes of a head do not buy it more time."""
    trickle = [step for byte in OK for step in (send(bytes([byte])), pause(1.0))]
    async with serve((head(), *trickle)) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        assert await fails_at(10.0, pool, get()) is TransportReason.HTTP_RESPONSE_TIMEOUT


@in_virtual_time
async def test_the_first_byte_deadline_begins_with_each_request() -> None:
    """A connection that is used again begins anew, whatever timer still runs from before."""
    script = (head(), pause(9.0), send(HELLO), head(), pause(9.0), send(HELLO), head())
    async with serve(script) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        for _ in range(2):
            exchange = await pool.send(get())
            assert await rest_of(exchange) == b"hello"
            exchange.close()
        assert now() == pytest.approx(18.0, abs=0.1)
        assert await fails_at(28.0, pool, get()) is TransportReason.HTTP_RESPONSE_TIMEOUT
        assert len(origin.conversations) == 1


@in_virtual_time
async def test_the_first_byte_deadline_begins_when_the_request_is_sent() -> None:
    """A client that is slow to send does not use up the upstream's time to answer."""

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(4):
            await asyncio.sleep(10.0)
            yield b"abc"

    script = (head(), last_chunk(), pause(9.0), send(HELLO))
    async with serve(script) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=slow())
        exchange = await pool.send(request)
        assert await rest_of(exchange) == b"hello"
        assert now() == pytest.approx(49.0, abs=0.1)
        exchange.close()


@in_virtual_time
async def test_no_answer_to_a_streamed_request_ends_at_the_first_byte_deadline() -> None:
    """From the last byte of an upload, the upstream has `first_byte_s`."""

    async def slow() -> AsyncIterator[bytes]:
        await asyncio.sleep(20.0)
        yield b"abc"

    async with serve((head(), body(3))) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=slow(), length=3)
        assert await fails_at(30.0, pool, request) is TransportReason.HTTP_RESPONSE_TIMEOUT


# ----------------------------------------------------------------------------------------------------------------- body


@in_virtual_time
async def test_a_body_that_stalls_ends_at_the_idle_deadline() -> None:
    """Between two pieces of a body the upstream has `idle_s`; what came before is read first."""
    script = (head(), send(OK + b"Content-Length: 9\r\n\r\n"), pause(29.0), send(b"hello"))
    async with serve(script) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        exchange = await pool.send(get())
        assert await exchange.read() == b"hello"
        with pytest.raises(TransportFailure) as caught:
            await exchange.read()
        assert caught.value.reason is TransportReason.HTTP_RESPONSE_TIMEOUT
        assert now() == pytest.approx(59.0, abs=0.1)
        assert pool.stats().open == 0
        await origin.conversations[0].gone.wait()


@in_virtual_time
async def test_a_body_may_take_long_if_it_moves() -> None:
    """Each piece begins the idle deadline anew."""
    pieces = [step for _ in range(3) for step in (pause(29.0), send(b"abc"))]
    script = (head(), send(OK + b"Content-Length: 9\r\n\r\n"), *pieces)
    async with serve(script) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        exchange = await pool.send(get())
        assert await rest_of(exchange) == b"abc" * 3
        assert now() == pytest.approx(87.0, abs=0.1)
        exchange.close()


@in_virtual_time
async def test_the_total_ends_a_body_that_moves() -> None:
    """However much it moves, an exchange ends at `total_s`."""
    pieces = [step for _ in range(9) for step in (pause(20.0), send(b"a"))]
    script = (head(), send(OK + b"Content-Length: 9\r\n\r\n"), *pieces)
    async with serve(script) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        assert await fails_at(100.0, pool, get()) is TransportReason.HTTP_RESPONSE_TIMEOUT


@in_virtual_time
async def test_a_taker_that_is_slow_is_not_the_upstreams_fault() -> None:
    """While we do not read, the idle deadline does not run; when we read again, it does."""
    piece = b"x" * 2**20
    whole = 32 * len(piece)
    script = (head(), send(OK + b"Content-Length: %d\r\n\r\n" % (whole + 1)), repeat(piece, 32))
    async with serve(script) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        exchange = await pool.send(get())
        await asyncio.sleep(60.0)
        assert origin.conversations[0].sent_bytes < whole
        size = 0
        while size < whole:
            size += len(await exchange.read())
        with pytest.raises(TransportFailure) as caught:
            await exchange.read()
        assert caught.value.reason is TransportReason.HTTP_RESPONSE_TIMEOUT
        assert now() == pytest.approx(90.0, abs=0.1)


@in_virtual_time
async def test_the_total_does_not_wait_for_a_slow_taker() -> None:
    """Even a reply that we hold back ends at `total_s`."""
    piece = b"x" * 2**20
    script = (head(), send(OK + b"\r\n"), repeat(piece, 32))
    async with serve(script) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        exchange = await pool.send(get())
        await asyncio.sleep(101.0)
        await origin.conversations[0].gone.wait()
        with pytest.raises(TransportFailure) as caught:
            await rest_of(exchange)
        assert caught.value.reason is TransportReason.HTTP_RESPONSE_TIMEOUT


@in_virtual_time
async def test_an_upstream_that_stalls_behind_a_reply_held_back_is_found_out() -> None:
    """Once we read again, the idle deadline runs, though not one more byte comes."""
    script = (head(), send(OK + b"Content-Length: 1000000\r\n\r\n"), send(b"x" * 300_000))
    async with serve(script) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        exchange = await pool.send(get())
        await asyncio.sleep(60.0)
        with pytest.raises(TransportFailure) as caught:
            await rest_of(exchange)
        assert caught.value.reason is TransportReason.HTTP_RESPONSE_TIMEOUT
        assert now() == pytest.approx(90.0, abs=0.1)


@in_virtual_time
async def test_a_complete_reply_has_no_deadline() -> None:
    """A reply that has come whole can be read, and its connection given back, as late as you like."""
    async with serve((head(), send(HELLO), head(), send(HELLO))) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        exchange = await pool.send(get())
        await asyncio.sleep(250.0)
        assert await rest_of(exchange) == b"hello"
        exchange.close()
        assert pool.stats().idle == 1


# --------------------------------------------------------------------------------------------------------------- upload


@in_virtual_time
async def test_an_upstream_that_takes_nothing_ends_at_the_idle_deadline() -> None:
    """While the request is being sent, the upstream must take some of it every `idle_s`."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    async with serve((head(), wait(asyncio.Event()))) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=endless())
        assert await failure_of(pool, request) is TransportReason.HTTP_RESPONSE_TIMEOUT
        assert pool.stats().open == 0


@in_virtual_time
async def test_an_upstream_that_takes_nothing_of_a_body_at_hand_ends_at_the_idle_deadline() -> None:
    """That holds for a body that was handed over in one piece."""
    async with serve((head(), wait(asyncio.Event()))) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        request = UpstreamRequest(method=b"PUT", target=b"/", headers=(HOST,), body=b"x" * (32 * 2**20))
        assert await failure_of(pool, request) is TransportReason.HTTP_RESPONSE_TIMEOUT


@in_virtual_time
async def test_a_client_that_stalls_has_the_total() -> None:
    """What the client may take is the client side's to decide; here only the total ends its upload."""

    async def stalled() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(1000.0)

    async with serve((head(),)) as origin, pool_to(origin, timeouts=PATIENCE) as pool:
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=stalled())
        assert await fails_at(100.0, pool, request) is TransportReason.HTTP_RESPONSE_TIMEOUT


# ------------------------------------------------------------------------------------------------------------- the pool


@in_virtual_time
async def test_a_wait_for_a_connection_ends() -> None:
    """A request waits for a connection no longer than `wait_s`, and no longer than its total."""
    async with serve((head(),)) as origin:
        limits = Room(max_connections=1, wait_s=5.0)
        async with pool_to(origin, timeouts=Patience(first_byte_s=50.0), limits=limits) as pool:
            first = asyncio.ensure_future(pool.send(get()))
            await origin.conversation(0)
            assert await fails_at(5.0, pool, get()) is TransportReason.CONNECTION_LIMIT_REACHED
            assert pool.stats().waiting == 0
            first.cancel()
            await asyncio.wait([first])
        async with pool_to(origin, timeouts=Patience(total_s=2.0), limits=limits) as pool:
            first = asyncio.ensure_future(pool.send(get()))
            await origin.conversation(1)
            assert await fails_at(7.0, pool, get()) is TransportReason.CONNECTION_LIMIT_REACHED
            with pytest.raises(TransportFailure):
                await first


@in_virtual_time
async def test_connections_rest_for_a_while() -> None:
    """A connection that rested `idle_s` is closed, each at its own time."""
    script = (head(), send(HELLO))
    async with serve(script, script) as origin, pool_to(origin, limits=Room(idle_s=10.0)) as pool:
        first, second = await pool.send(get()), await pool.send(get())
        first.close()
        await asyncio.sleep(4.0)
        second.close()
        await asyncio.sleep(5.9)
        assert pool.stats().idle == 2
        await asyncio.sleep(0.2)
        assert pool.stats().idle == pool.stats().open == 1
        await origin.conversations[0].gone.wait()
        await asyncio.sleep(4.0)
        assert pool.stats().open == 0
        await origin.conversations[1].gone.wait()
        assert not origin.conversations[1].was_reset


@in_virtual_time
async def test_a_connection_that_is_used_does_not_expire() -> None:
    """Rest begins with the end of the last exchange."""
    script = [step for _ in range(5) for step in (head(), send(HELLO))]
    async with serve(script) as origin, pool_to(origin, limits=Room(idle_s=10.0)) as pool:
        for _ in range(5):
            (await pool.send(get())).close()
            await asyncio.sleep(9.0)
        assert len(origin.conversations) == 1


@in_virtual_time
async def test_connections_grow_old() -> None:
    """However busy, a connection older than `max_age_s` is not used again."""
    script = [step for _ in range(9) for step in (head(), send(HELLO))]
    async with serve(script) as origin, pool_to(origin, max_age_s=10.0) as pool:
        for _ in range(4):
            (await pool.send(get())).close()
            await asyncio.sleep(4.0)
        assert len(origin.conversations) == 2, "found old when it was to be used"
        exchange = await pool.send(get())
        await asyncio.sleep(7.0)
        exchange.close()
        assert pool.stats().open == 0, "found old when it came back"


# ----------------------------------------------------------------------------------------------------- in the real time


@on_every_loop
async def test_deadlines_hold_on_the_real_loops() -> None:
    """Head, body and upload end in real time too."""
    quick = Patience(first_byte_s=SOON_S, idle_s=SOON_S)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    requests = (get(), get(), UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=endless()))
    half = send(OK + b"Content-Length: 9\r\n\r\n")
    scripts = ((head(),), (head(), half), (head(), wait(asyncio.Event())))
    async with serve(*scripts) as origin, pool_to(origin, timeouts=quick) as pool:
        for request in requests:
            with pytest.raises(TransportFailure) as caught:
                await rest_of(await pool.send(request))
            assert caught.value.reason is TransportReason.HTTP_RESPONSE_TIMEOUT
        assert pool.stats().open == 0


@on_every_loop
async def test_connecting_ends_on_the_real_loops() -> None:
    """A TLS handshake that is never answered ends in real time too."""
    async with serve((gone(),)) as origin:
        origin.scheme = "https"
        timeouts = Patience(connect_s=SOON_S)
        async with pool_to(origin, timeouts=timeouts, ssl_context=client_context()) as pool:
            with pytest.raises(TransportFailure) as caught:
                await pool.send(get())
            assert caught.value.reason is TransportReason.CONNECTION_TIMEOUT
            await origin.conversations[0].gone.wait()
