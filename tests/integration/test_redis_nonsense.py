"""A server at Redis' address that does not answer as one: it broke, or something else listens there."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StoreFailure, StoreReason
from gateway.limits import Policy
from gateway.limits.stores.redis.remote import RedisRemote
from gateway.limits.stores.redis.target import parse
from tests.integration.wire import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RATE = Policy(name="rate", requests=5, per_us=60_000_000, burst=5, key=("ip",))
ASKS = [(RATE, b"a", 1)]
RIGHT = b"*5\r\n:1\r\n:4\r\n:0\r\n:12000000\r\n:9\r\n"
TEXT_AMONG_NUMBERS = b"*5\r\n:1\r\n$-1\r\n+x\r\n:1\r\n:9\r\n"


class Impostor:
    """Answers PING as a Redis does, with `greeting` behind it, and all else with `answer`."""

    def __init__(self, *, greeting: bytes = b"", answer: bytes = RIGHT) -> None:
        """Say nothing yet."""
        self.greeting = greeting
        self.answer = answer
        self.left: list[asyncio.Event] = []

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the other side leaves."""
        left = asyncio.Event()
        self.left.append(left)
        with contextlib.suppress(ConnectionError):
            while said := await reader.read(65_536):
                writer.write(b"+PONG\r\n" + self.greeting if b"PING" in said else self.answer)
        writer.close()
        left.set()


@contextlib.asynccontextmanager
async def asked(impostor: Impostor) -> AsyncIterator[RedisRemote]:
    """Have a store at an impostor."""
    server = await asyncio.start_server(impostor.connected, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    remote = RedisRemote(parse(f"redis://127.0.0.1:{port}", timeout_s=PATIENCE_S), b"one")
    try:
        yield remote
    finally:
        await remote.aclose()
        server.close()
        for left in impostor.left:
            await left.wait()


async def heard(remote: RedisRemote) -> StoreReason | None:
    """Ask once; return why there was no answer, None where there was one."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            await remote.decide(ASKS)
        except StoreFailure as failure:
            return failure.reason
    return None


async def until(remote: RedisRemote, wanted: StoreReason | None) -> None:
    """Ask until the end is as wanted."""
    async with asyncio.timeout(PATIENCE_S):
        while await heard(remote) is not wanted:  # noqa: ASYNC110 - the server does not set our events
            await asyncio.sleep(0.01)


async def test_what_nobody_asked_for() -> None:
    """An answer to no call ends the connection; when the server is itself again, so are limits."""
    impostor = Impostor(greeting=b":1\r\n:2\r\n")
    async with asked(impostor) as remote:
        await until(remote, StoreReason.PROTOCOL)
        impostor.greeting = b""
        await until(remote, None)


@pytest.mark.parametrize("answer", [TEXT_AMONG_NUMBERS, b"*1\r\n:1\r\n", b"+OK\r\n"], ids=["text", "few", "word"])
async def test_what_is_no_decision(answer: bytes) -> None:
    """Whoever waits for it is told that it failed, and a later call may succeed."""
    impostor = Impostor(answer=answer)
    async with asked(impostor) as remote:
        async with asyncio.timeout(PATIENCE_S):
            await remote.ready()
        assert await heard(remote) is StoreReason.PROTOCOL
        impostor.answer = RIGHT
        await until(remote, None)


async def test_what_is_no_number_of_replicas() -> None:
    """A beat fails, too, so that the next one is sent."""
    async with asked(Impostor(answer=b"*1\r\n$-1\r\n")) as remote:
        async with asyncio.timeout(PATIENCE_S):
            await remote.ready()
            with pytest.raises(StoreFailure):
                await remote.beat(b"one")
