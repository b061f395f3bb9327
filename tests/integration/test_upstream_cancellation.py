"""Whoever waits may be cancelled at any phase: the connection is cut at once, and nothing is left over.

That no task is left, and no socket, is checked by the loops' runner for every test.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.upstream import UpstreamRequest, client_context
from tests.integration.loops import on_every_loop
from tests.integration.origin import gone, head, reset, send, serve, wait
from tests.integration.pools import HOST, Room, get, pool_to, rest_of, turns
from tests.unit.upstream.samples import OK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HELLO = OK + b"Content-Length: 5\r\n\r\nhello"


async def cancelled(task: asyncio.Future[Any]) -> None:
    """Cancel a task and see it end so."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@on_every_loop
async def test_while_connecting() -> None:
    """A connection that is being made is given up."""
    async with serve((gone(),)) as origin:
        origin.scheme = "https"
        async with pool_to(origin, ssl_context=client_context()) as pool:
            sending = asyncio.ensure_future(pool.send(get()))
            conversation = await origin.conversation(0)
            await cancelled(sending)
            assert pool.stats().open == 0
            await conversation.gone.wait()


@on_every_loop
async def test_before_anything_happened() -> None:
    """A request that is cancelled at once leaves nothing behind."""
    async with serve((gone(),)) as origin, pool_to(origin) as pool:
        for times in range(8):
            sending = asyncio.ensure_future(pool.send(get()))
            await turns(times)
            await cancelled(sending)
            assert pool.stats().open == 0


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nX: 1\r\n"])
@on_every_loop
async def test_while_waiting_for_the_head(sent: bytes) -> None:
    """An exchange without an answer is cut."""
    async with serve((head(), send(sent))) as origin, pool_to(origin) as pool:
        sending = asyncio.ensure_future(pool.send(get()))
        conversation = await origin.conversation(0)
        await conversation.until_sent()
        await cancelled(sending)
        assert pool.stats().open == 0
        await conversation.gone.wait()


@pytest.mark.parametrize("together", [True, False])
@on_every_loop
async def test_as_the_head_comes(together: bool) -> None:
    """A reply that comes in the same turn as the cancellation is dropped with its connection, or without it."""
    answer = asyncio.Event()
    async with serve((head(), wait(answer), send(HELLO))) as origin, pool_to(origin) as pool:
        sending = asyncio.ensure_future(pool.send(get()))
        conversation = await origin.conversation(0)
        answer.set()
        if together:
            await conversation.until_sent()
        sending.cancel()
        await asyncio.wait([sending])
        if not sending.cancelled():
            sending.result().close()
        assert pool.stats().open == pool.stats().idle


@on_every_loop
async def test_while_sending() -> None:
    """An upload ends with its request, in the same turn."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                begun.set()
                await asyncio.sleep(0)
        finally:
            ended.set()

    async with serve((head(), gone())) as origin, pool_to(origin) as pool:
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=endless())
        sending = asyncio.ensure_future(pool.send(request))
        await begun.wait()
        await cancelled(sending)
        await ended.wait()
        assert pool.stats().open == 0
        await origin.conversations[0].gone.wait()


@on_every_loop
async def test_while_sending_is_held_back() -> None:
    """An upload that waits for the upstream ends too."""
    pieces = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal pieces
        while True:
            pieces += 1
            yield b"x" * 65_536

    async with serve((head(), wait(asyncio.Event()))) as origin, pool_to(origin) as pool:
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=endless())
        sending = asyncio.ensure_future(pool.send(request))
        await origin.conversation(0)
        before = -1
        while before != pieces:
            before = pieces
            await turns(50)
        await cancelled(sending)
        assert pool.stats().open == 0


@on_every_loop
async def test_while_reading() -> None:
    """An exchange that is cancelled in its body is cut, and needs no further close."""
    async with serve((head(), send(OK + b"Content-Length: 9\r\n\r\nhello"))) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        reading = asyncio.ensure_future(rest_of(exchange))
        await turns()
        await cancelled(reading)
        assert pool.stats().open == 0
        await origin.conversations[0].gone.wait()
        exchange.close()


@on_every_loop
async def test_while_capturing() -> None:
    """The same holds for a capture."""
    async with serve((head(), send(OK + b"Content-Length: 9\r\n\r\nhello"))) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        capturing = asyncio.ensure_future(exchange.capture(100))
        await turns()
        await cancelled(capturing)
        assert pool.stats().open == 0
        await origin.conversations[0].gone.wait()


@on_every_loop
async def test_while_waiting_for_a_connection() -> None:
    """Who waited and left takes no place, and the next in line gets it."""
    held = asyncio.Event()
    async with (
        serve((head(), wait(held), send(HELLO), head(), send(HELLO))) as origin,
        pool_to(origin, limits=Room(max_connections=1)) as pool,
    ):
        first, second, third = (asyncio.ensure_future(pool.send(get())) for _ in range(3))
        await origin.conversation(0)
        await turns()
        assert pool.stats().waiting == 2
        await cancelled(second)
        assert pool.stats().waiting == 1
        held.set()
        (await first).close()
        (await third).close()
        assert len(origin.conversations) == 1


@pytest.mark.parametrize("whole", [True, False])
@on_every_loop
async def test_as_a_connection_is_handed_over(whole: bool) -> None:
    """A place that was given to one who is cancelled in that turn goes on to the next."""
    script = (head(), send(HELLO if whole else OK + b"Content-Length: 5\r\n\r\n"))
    async with (
        serve((*script, *((head(), send(HELLO)) if whole else ())), (head(), send(HELLO))) as origin,
        pool_to(origin, limits=Room(max_connections=1)) as pool,
    ):
        exchange = await pool.send(get())
        second, third = (asyncio.ensure_future(pool.send(get())) for _ in range(2))
        await turns()
        assert pool.stats().waiting == 2
        exchange.close()
        await cancelled(second)
        (await third).close()
        assert len(origin.conversations) == (1 if whole else 2)
        assert pool.stats().idle == 1


@on_every_loop
async def test_while_sending_again() -> None:
    """A request that is repeated on a new connection can be cancelled there, and gives the place back."""
    async with serve((head(), send(HELLO), head(), reset()), (head(),)) as origin, pool_to(origin) as pool:
        (await pool.send(get())).close()
        sending = asyncio.ensure_future(pool.send(get()))
        conversation = await origin.conversation(1)
        await turns()
        await cancelled(sending)
        assert pool.stats().open == 0
        await conversation.gone.wait()
