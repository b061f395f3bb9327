"""A client that speaks bytes: it sends exactly what a test says, and reads answers as strictly as RFC 9112 asks."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import msgspec

if TYPE_CHECKING:
    from types import TracebackType

PATIENCE_S = 10.0
"""How long a test waits for what must happen. Nothing waits for time to pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer as it came off the wire. `closed` tells that its end was the end of the connection."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    closed: bool = False

    def all(self, name: str) -> list[bytes]:
        """Return every value of a field."""
        wanted = name.lower().encode()
        return [value for field, value in self.headers if field.lower() == wanted]

    def header(self, name: str) -> bytes | None:
        """Return the value of a field that may come once at most."""
        values = self.all(name)
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """Return the body as JSON."""
        return msgspec.json.decode(self.body)


class Wire:
    """One connection to a server, as a context manager."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def send(self, data: bytes) -> None:
        """Send bytes, as they are."""
        self.writer.write(data)
        await self.writer.drain()

    def leave(self) -> None:
        """Go away without a word, as a client does whose process ended."""
        self.writer.transport.abort()

    async def reply(self, *, head: bool = False) -> Reply:
        """Read one answer; `head` tells that it answers a HEAD request."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._reply(head=head)

    async def at_end(self) -> bytes:
        """Return all that still comes until the server ends the connection, cleanly or by a reset."""
        data = b""
        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionError):
                while piece := await self.reader.read(65_536):
                    data += piece
        return data

    async def _reply(self, *, head: bool) -> Reply:
        lines = (await self.reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        version, code, _reason = lines[0].split(b" ", 2)
        assert version == b"HTTP/1.1"
        pairs = [line.split(b": ", 1) for line in lines[1:]]
        reply = Reply(status=int(code), headers=tuple((name, value) for name, value in pairs), body=b"")
        if head or reply.status in {204, 304} or reply.status < 200:
            return reply
        body, closed = await self._body(reply)
        return Reply(status=reply.status, headers=reply.headers, body=body, closed=closed)

    async def _body(self, reply: Reply) -> tuple[bytes, bool]:
        length, coding = reply.header("Content-Length"), reply.header("Transfer-Encoding")
        assert length is None or coding is None
        if length is not None:
            return await self.reader.readexactly(int(length)), False
        if coding is not None:
            assert coding == b"chunked"
            return await self._chunks(), False
        return await self.reader.read(), True

    async def _chunks(self) -> bytes:
        body = b""
        while size := int((await self.reader.readuntil(b"\r\n"))[:-2], 16):
            body += await self.reader.readexactly(size)
            assert await self.reader.readexactly(2) == b"\r\n"
        assert await self.reader.readexactly(2) == b"\r\n"
        return body


async def connect(port: int, *, limit: int = 2**20) -> Wire:
    """Open a connection to a server on this machine; at most twice `limit` bytes are read ahead."""
    return Wire(*await asyncio.open_connection("127.0.0.1", port, limit=limit))


async def ask(port: int, request: bytes, *, head: bool = False) -> Reply:
    """Send one request on a connection of its own, and return the answer."""
    async with await connect(port) as wire:
        await wire.send(request)
        return await wire.reply(head=head)
