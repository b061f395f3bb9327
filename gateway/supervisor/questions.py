"""One question to one process: a page of its operator's port, by a connection that is made for it.

Bounds: an answer is `LONGEST_BYTES` long at most, its head `LONGEST_HEAD_BYTES`, and all of it takes `patience_s`.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.supervisor.channel import pass_connection

if TYPE_CHECKING:
    from asyncio import StreamReader

LONGEST_BYTES: Final = 256 * 2**20
LONGEST_HEAD_BYTES: Final = 16_384
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


class Told(NamedTuple):
    """An answer."""

    status: int
    body: bytes


async def ask(channel: socket.socket, target: str, patience_s: float) -> Told | None:
    """Return the answer, None for one that cannot be read and for none in time."""
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            pass_connection(channel, theirs)
        async with asyncio.timeout(patience_s):
            return await _answer(ours, target)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError):
        return None
    finally:
        ours.close()


async def _answer(connection: socket.socket, target: str) -> Told | None:
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LONGEST_HEAD_BYTES)
    try:
        head = f"GET {target} HTTP/1.1\r\nHost: accord\r\nConnection: close\r\n\r\n"
        writer.write(head.encode("utf-8", "surrogateescape"))
        return await _told(reader)
    finally:
        writer.transport.abort()


async def _told(reader: StreamReader) -> Told | None:
    status, *fields = (await reader.readuntil(_END)).lower().split(b"\r\n")
    lengths = [int(field[len(_LENGTH) :]) for field in fields if field.startswith(_LENGTH)]
    if len(lengths) != 1 or lengths[0] > LONGEST_BYTES:
        return None
    return Told(int(status.split(b" ")[1]), await reader.readexactly(lengths[0]))
