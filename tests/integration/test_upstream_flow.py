"""Bodies stream both ways, and whoever is slow slows the other down."""

from __future__ import annotations

import asyncio
import resource
from typing import TYPE_CHECKING

import pytest

from gateway.upstream import UpstreamRequest
from tests.integration.loops import on_every_loop
from tests.integration.origin import body, head, last_chunk, repeat, send, serve, wait
from tests.integration.pools import HOST, get, pool_to, rest_of, turns
from tests.unit.upstream.samples import CHUNKED, OK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EMPTY = OK + b"Content-Length: 0\r\n\r\n"
PIECE = b"x" * 2**18
MOST_IN_FLIGHT_BYTES = 24 * 2**20
"""What the kernel's buffers, both sides' transports and our own bound can hold, with room to spare."""


@pytest.mark.parametrize("chunked", [True, False])
@on_every_loop
async def test_a_reply_that_nobody_takes_is_held_back(chunked: bool) -> None:
    """Reading pauses while a reply waits, and goes on to its end when it is taken."""
    times = 256
    start, piece = OK + b"Content-Length: %d\r\n\r\n" % (times * len(PIECE)), PIECE
    if chunked:
        start, piece = CHUNKED, b"40000\r\n" + PIECE + b"\r\n"
    end = b"0\r\n\r\n" if chunked else b""
    script = (head(), send(start), repeat(piece, times), send(end), head(), send(EMPTY))
    async with serve(script) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        await turns(2000)
        assert origin.conversations[0].sent_bytes < MOST_IN_FLIGHT_BYTES
        size = 0
        while taken := await exchange.read():
            size += len(taken)
        assert size == times * len(PIECE)
        exchange.close()
        (await pool.send(get())).close()
        assert len(origin.conversations) == 1


@on_every_loop
async def test_a_reply_that_nobody_takes_is_dropped_with_its_connection() -> None:
    """Closing a reply that is held back cuts the connection."""
    script = (head(), send(OK + b"\r\n"), repeat(PIECE, 256))
    async with serve(script) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        await turns(2000)
        exchange.close()
        assert pool.stats().open == 0
        await origin.conversations[0].gone.wait()


@on_every_loop
async def test_a_connection_reads_again_after_a_reply_that_was_held_back() -> None:
    """A reply whose end came while it was held back leaves a connection that can be used."""
    size = 400_000
    script = (head(), send(OK + b"Content-Length: %d\r\n\r\n" % size), send(b"x" * size), head(), send(EMPTY))
    async with serve(script) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        await turns(200)
        assert len(await rest_of(exchange)) == size
        exchange.close()
        exchange = await pool.send(get())
        assert exchange.status == 200
        exchange.close()
        assert len(origin.conversations) == 1


@on_every_loop
async def test_a_reply_in_many_small_pieces_is_held_back_by_their_number() -> None:
    """Pieces of one byte cost far more memory than they say: their number is bounded too, and none is lost."""
    times = 20_000
    script = (head(), send(OK + b"\r\n"), send(*([b"x"] * 3_000)), repeat(b"y", times), send(EMPTY))
    async with serve(script) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        await turns(5_000)
        taken = [await exchange.read()]
        assert len(taken[0]) < 3_000
        exchange.close()


@pytest.mark.parametrize("declared", [True, False])
@on_every_loop
async def test_an_upload_waits_for_the_upstream(declared: bool) -> None:
    """No more is asked of a request's body than the upstream takes; all of it arrives."""
    times = 256
    asked = 0
    begun, taking = asyncio.Event(), asyncio.Event()

    async def large() -> AsyncIterator[bytes]:
        nonlocal asked
        for _ in range(times):
            asked += 1
            begun.set()
            yield PIECE

    taken = body(times * len(PIECE)) if declared else last_chunk()
    length = times * len(PIECE) if declared else None
    async with serve((head(), wait(taking), taken, send(EMPTY))) as origin, pool_to(origin) as pool:
        request = UpstreamRequest(method=b"PUT", target=b"/", headers=(HOST,), rest=large(), length=length)
        sending = asyncio.ensure_future(pool.send(request))
        await begun.wait()
        await turns(2000)
        assert asked * len(PIECE) < MOST_IN_FLIGHT_BYTES
        taking.set()
        (await sending).close()
        assert asked == times
        assert origin.conversations[0].received_bytes > times * len(PIECE)
        assert pool.stats().idle == 1


@on_every_loop
async def test_exchanges_go_on_side_by_side() -> None:
    """A request whose upload stalls, and a reply that nobody takes, keep no other from going on."""
    never = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"x"
        await never.wait()

    scripts = ((head(), wait(never)), (head(), send(OK + b"\r\n"), repeat(PIECE, 64)), (head(), send(EMPTY)))
    async with serve(*scripts) as origin, pool_to(origin) as pool:
        uploading = asyncio.ensure_future(
            pool.send(UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=stalled()))
        )
        await origin.conversation(0)
        untaken = await pool.send(get())
        (await pool.send(get())).close()
        assert (pool.stats().open, pool.stats().idle) == (3, 1)
        untaken.close()
        uploading.cancel()
        await asyncio.wait([uploading])


@on_every_loop
async def test_memory_does_not_grow_with_a_body() -> None:
    """A quarter of a gigabyte each way, with a pause in the middle of each, leaves the process as large as it was."""
    times = 1024
    whole = times * len(PIECE)

    async def large() -> AsyncIterator[bytes]:
        for count in range(times):
            if count == times // 2:
                await turns(100)
            yield PIECE

    script = (head(), body(whole), send(OK + b"Content-Length: %d\r\n\r\n" % whole), repeat(PIECE, times))
    async with serve((head(), send(EMPTY), *script)) as origin, pool_to(origin) as pool:
        (await pool.send(get())).close()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=large(), length=whole)
        exchange = await pool.send(request)
        await turns(500)
        size = 0
        while taken := await exchange.read():
            size += len(taken)
        assert size == whole
        exchange.close()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024
