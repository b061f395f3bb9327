"""What a supervisor and a process that it started say to each other: a pair of sockets that nobody else can reach.

Down goes one `Hello`, and then a byte with each connection by which an operator's question comes; up goes a byte for
each `Word`. The end of the stream says that the other is gone. Nothing of it is on a command line, in the environment
or in the file system.
"""

from __future__ import annotations

import asyncio
import socket
from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from gateway.edge.member import Member

if TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH_BYTES: Final = 8
_QUESTION: Final = b"?"
_AT_ONCE: Final = 64


class Hello(Struct, frozen=True, kw_only=True):
    """What a new process must know. `texts` are the files of the configuration as the supervisor read them.

    All processes hold the lock on the descriptor `lock_fd` while they write to the log that they share.
    """

    config: str
    texts: dict[str, str]
    member: Member
    lock_fd: int


class Word(Enum):
    """What a process says of itself."""

    READY = b"R"
    DRAINING = b"D"


async def send_hello(channel: socket.socket, hello: Hello) -> None:
    """Send the first message. Raises OSError when the process is gone."""
    data = msgspec.json.encode(hello)
    await asyncio.get_running_loop().sock_sendall(channel, len(data).to_bytes(_LENGTH_BYTES) + data)


def receive_hello(channel: socket.socket) -> Hello | None:
    """Wait for the first message; None when the supervisor is gone."""
    head = _exactly(channel, _LENGTH_BYTES)
    data = head and _exactly(channel, int.from_bytes(head))
    return msgspec.json.decode(data, type=Hello) if data else None


def _exactly(channel: socket.socket, size: int) -> bytes:
    """Read so many bytes, or nothing when the stream ends before."""
    data = bytearray()
    while len(data) < size:
        piece = channel.recv(min(size - len(data), 2**20))
        if not piece:
            return b""
        data += piece
    return bytes(data)


def pass_connection(channel: socket.socket, connection: socket.socket) -> None:
    """Hand a connection to the process. Raises OSError when it is gone, or has not taken the last ones."""
    socket.send_fds(channel, [_QUESTION], [connection.fileno()])


class Upwards:
    """The process's end: `asked` is called with each connection, `orphaned` once the supervisor is gone."""

    def __init__(
        self, channel: socket.socket, *, asked: Callable[[socket.socket], object], orphaned: Callable[[], object]
    ) -> None:
        """Listen from now on. Must be called in a running loop."""
        channel.settimeout(0)
        self._channel = channel
        self._asked = asked
        self._orphaned = orphaned
        self._open = True
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(channel.fileno(), self._arrived)

    def say(self, word: Word) -> None:
        """Tell the supervisor, if it still listens."""
        try:
            self._channel.send(word.value)
        except OSError:
            self._end()

    def close(self) -> None:
        """Listen no more."""
        self._open = False
        self._loop.remove_reader(self._channel.fileno())
        self._channel.close()

    def _arrived(self) -> None:
        try:
            data, descriptors, _flags, _address = socket.recv_fds(self._channel, 1, 1)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        for descriptor in descriptors:
            self._asked(socket.socket(fileno=descriptor))
        if not data:
            self._end()

    def _end(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove_reader(self._channel.fileno())
            self._orphaned()


def words(channel: socket.socket) -> list[Word] | None:
    """Return what a process has said since the last time, None once it will say no more. Does not wait."""
    try:
        data = channel.recv(_AT_ONCE)
    except BlockingIOError:
        return []
    except OSError:
        return None
    return [Word(bytes((byte,))) for byte in data] if data else None
