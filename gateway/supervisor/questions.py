"""One question to one process: a page of its operator's port, by a connection that is made for it.

Bounds: an answer is `LONGEST_BYTES` long at most, its head `LONGEST_HEAD_BYTES`, and all of it takes `patience_s`.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

from gateway.supervisor.channel import pass_connection

if TYPE_CHECKING:
    from asyncio import StreamReader

LONGEST_BYTES: Final = 256 * 2**20
LONGEST_HEAD_BYTES: Final = 16_384
_END: Final = b"\r\n\r\n"
_OK: Final = b"HTTP/1.1 200 "
_LENGTH: Final = b"content-length:"


async def ask(channel: socket.socket, target: str, patience_s: float) -> bytes | None:
    """Return the body of a 200, None for any other answer and for none in time."""
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            pass_connection(channel, theirs)
        async with asyncio.timeout(patience_s):
            return await _answer(ours, target)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return None
    finally:
        ours.close()


async def _answer(connection: socket.socket, target: str) -> bytes | None:
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LONGEST_HEAD_BYTES)
    try:
        writer.write(f"GET {target} HTTP/1.1\r\nHost: accord\r\nConnection: close\r\n\r\n".encode("latin-1"))
        return await _body(reader)
    finally:
        writer.transport.abort()


async def _body(reader: StreamReader) -> bytes | None:
    status, *fields = (await reader.readuntil(_END)).lower().split(b"\r\n")
    lengths = [int(field[len(_LENGTH) :]) for field in fields if field.startswith(_LENGTH)]
    if not status.startswith(_OK.lower()) or len(lengths) != 1 or lengths[0] > LONGEST_BYTES:
        return None
    return await reader.readexactly(lengths[0])
