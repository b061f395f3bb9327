"""A scripted origin on loopback, at the level of bytes.

    async with serve((head(), send(NO_CONTENT), gone())) as origin:
        ...  # reach origin.host, origin.port
        assert origin.conversations[0].received == b"..."

Each connection gets the next script; the last one serves all further connections. A script is a row of steps; behind
its last step the origin waits for the client to leave. But for where a head ends, no step knows HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

_RECORD_BYTES = 4 * 2**20
_READ_BYTES = 64 * 1024


@dataclass(eq=False)
class Conversation:
    """One connection as the origin saw it.

    `received` is what came, byte for byte, up to 4 MiB; `received_bytes` counts all of it, `sent_bytes` what `repeat`
    handed to the network. `gone` is set when the client has closed its side; `was_reset` says how.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: bytearray = field(default_factory=bytearray)
    received_bytes: int = 0
    sent_bytes: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    was_reset: bool = False
    sent: asyncio.Event = field(default_factory=asyncio.Event)
    ahead: bytearray = field(default_factory=bytearray)

    async def more(self) -> bool:
        """Take what the client sends next into `ahead`; False when it has closed its side."""
        try:
            data = await self.reader.read(_READ_BYTES)
        except OSError:
            self.was_reset = True
            data = b""
        if not data:
            self.gone.set()
            return False
        self.received_bytes += len(data)
        self.received += data[: _RECORD_BYTES - len(self.received)]
        self.ahead += data
        return True

    async def until_sent(self) -> None:
        """Wait until the script's first `send` is over."""
        await self.sent.wait()

    async def until(self, mark: bytes) -> None:
        """Read up to and with `mark`."""
        while (at := self.ahead.find(mark)) < 0:
            del self.ahead[: 1 - len(mark)]
            if not await self.more():
                raise ClientLeft
        del self.ahead[: at + len(mark)]


class ClientLeft(Exception):  # noqa: N818 - it ends a script, and is no error
    """The client left before its script was over."""


Step = Callable[[Conversation], Awaitable[None]]


def head() -> Step:
    """Read a request's head."""

    async def step(conversation: Conversation) -> None:
        await conversation.until(b"\r\n\r\n")

    return step


def last_chunk() -> Step:
    """Read up to the end of a chunked body."""

    async def step(conversation: Conversation) -> None:
        await conversation.until(b"0\r\n\r\n")

    return step


def body(size: int) -> Step:
    """Read `size` bytes."""

    async def step(conversation: Conversation) -> None:
        left = size
        while left > 0:
            if not conversation.ahead and not await conversation.more():
                raise ClientLeft
            taken = min(left, len(conversation.ahead))
            del conversation.ahead[:taken]
            left -= taken

    return step


def send(*pieces: bytes) -> Step:
    """Send each piece in a segment of its own, as far as the network lets that be seen."""

    async def step(conversation: Conversation) -> None:
        for piece in pieces:
            conversation.writer.write(piece)
            with contextlib.suppress(OSError):
                await conversation.writer.drain()
            await asyncio.sleep(0)
        conversation.sent.set()

    return step


def repeat(piece: bytes, times: int) -> Step:
    """Send `piece` so many times, as fast as it is taken."""

    async def step(conversation: Conversation) -> None:
        for _ in range(times):
            conversation.writer.write(piece)
            try:
                await conversation.writer.drain()
            except OSError:
                conversation.was_reset = True
                conversation.gone.set()
                raise ClientLeft from None
            conversation.sent_bytes += len(piece)

    return step


def wait(event: asyncio.Event) -> Step:
    """Go on when the test says so."""

    async def step(_conversation: Conversation) -> None:
        await event.wait()

    return step


def tell(event: asyncio.Event) -> Step:
    """Say to the test that this point was reached."""

    async def step(_conversation: Conversation) -> None:
        event.set()

    return step


def gone() -> Step:
    """Read until the client has closed its side."""

    async def step(conversation: Conversation) -> None:
        while await conversation.more():
            conversation.ahead.clear()

    return step


def close() -> Step:
    """Close the connection in order. What of the request was not read makes the kernel send a reset."""

    async def step(conversation: Conversation) -> None:
        conversation.writer.close()

    return step


def cut() -> Step:
    """Close the socket without a word: over TLS, without `close_notify`."""

    async def step(conversation: Conversation) -> None:
        conversation.writer.transport.abort()

    return step


def half_close() -> Step:
    """Send the end of the stream, and go on listening."""

    async def step(conversation: Conversation) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # the client may be gone already; uvloop raises RuntimeError
            conversation.writer.write_eof()

    return step


def reset() -> Step:
    """Send a reset (RFC 9293 section 3.5.2), after what was sent before has left."""

    async def step(conversation: Conversation) -> None:
        transport = conversation.writer.transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    return step


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
"""A reply for tests to which any will do."""
MANY = (head(), send(OK)) * 20
"""A script of them, for a connection that is kept."""


class Origin:
    """A listening origin; see `serve`."""

    def __init__(self, scripts: tuple[Iterable[Step], ...]) -> None:
        """Serve each connection by the next of `scripts`."""
        self.host = "127.0.0.1"
        self.port = 0
        self.scheme = "http"
        self.socket: Path | None = None
        self.conversations: list[Conversation] = []
        self.arrived = asyncio.Condition()
        self._scripts = tuple(tuple(script) for script in scripts)
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults: list[BaseException] = []

    @property
    def server_name(self) -> str:
        """What a certificate must be for."""
        return self.host

    async def conversation(self, index: int) -> Conversation:
        """Wait for a connection, counted from 0."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.conversations) > index)
        return self.conversations[index]

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin the next script on a new connection."""
        script = self._scripts[min(len(self.conversations), len(self._scripts) - 1)]
        conversation = Conversation(reader, writer)
        self.conversations.append(conversation)
        self._tasks.add(asyncio.ensure_future(self._play(script, conversation)))

    async def _play(self, script: tuple[Step, ...], conversation: Conversation) -> None:
        try:
            async with self.arrived:
                self.arrived.notify_all()
            for step in script:
                await step(conversation)
            await gone()(conversation)
        except ClientLeft:
            pass
        except Exception as fault:  # noqa: BLE001 - told to the test when the origin ends
            self._faults.append(fault)
        finally:
            conversation.writer.transport.abort()

    async def end(self) -> None:
        """Stop every script, and tell of what went wrong in one."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._faults:
            raise self._faults[0]


@contextlib.asynccontextmanager
async def serve(
    *scripts: Iterable[Step], tls: ssl.SSLContext | None = None, path: Path | None = None
) -> AsyncIterator[Origin]:
    """Listen while the context lasts: on a free port of 127.0.0.1 or on a Unix socket, over TLS where it is given."""
    origin = Origin(scripts)
    if path is None:
        server = await asyncio.start_server(origin.accept, origin.host, 0, ssl=tls)
        origin.port = server.sockets[0].getsockname()[1]
    else:
        server = await asyncio.start_unix_server(origin.accept, path, ssl=tls)
        origin.socket = path
    origin.scheme = "http" if tls is None else "https"
    try:
        yield origin
    finally:
        server.close()
        await origin.end()
        await server.wait_closed()
