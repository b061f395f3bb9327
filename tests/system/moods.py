"""Origins that change their mind while they serve: good ones that break, in whichever way a test says."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Mood(NamedTuple):
    """How an origin answers a request: with some bytes, after which it may end the connection; without, it hangs."""

    sends: bytes
    ends: bool = False


def says(status: str, document: object, *fields: str) -> Mood:
    """Answer with JSON."""
    body = json.dumps(document).encode()
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *fields]
    return Mood("\r\n".join([*lines, "", ""]).encode() + body)


def error(status: int, message: str) -> dict[str, object]:
    """Return an error in the dialect `salla`."""
    return {"status": status, "success": False, "error": {"code": "error", "message": message}}


GOOD = says("200 OK", {"status": 200, "success": True, "data": {"id": 1}})
HANGS = Mood(b"")
GARBAGE = Mood(b"\x16\x03\x01 this is no HTTP\r\n\r\n", ends=True)
TRUNCATED = Mood(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nonly this", ends=True)

SPENT = ("Retry-After: 60", "X-RateLimit-Limit: 60", "X-RateLimit-Remaining: 0")
"""Fields by which an origin says that it has been asked enough."""
HASTY = {"first_byte": "300ms"}
"""Timeouts for one that hangs."""
OURS = {"inject": [{"header": "X-Token", "value_env": "TOKEN_OF_OURS"}]}
CREDENTIAL = {"TOKEN_OF_OURS": "a-token-of-ours"}
"""Credentials that are ours, and the variable that they are in."""


class Origin:
    """An origin on loopback. `mood` counts from the next request on."""

    def __init__(self, mood: Mood) -> None:
        self.mood = mood
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def go(self) -> None:
        """Listen no more, and leave who is connected: from now on connections are refused."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other until one side leaves."""
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await reader.readuntil(b"\r\n\r\n"):
                    mood = self.mood
                    if not mood.sends:
                        await reader.read()  # nothing follows but the client's leaving
                        return
                    writer.write(mood.sends)
                    await writer.drain()
                    if mood.ends:
                        return
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def origins(**moods: Mood) -> AsyncIterator[dict[str, Origin]]:
    """Run origins by their names while the context lasts."""
    all_of_them = {name: Origin(mood) for name, mood in moods.items()}
    try:
        for origin in all_of_them.values():
            await origin.start()
        yield all_of_them
    finally:
        for origin in all_of_them.values():
            await origin.go()
