"""What a supervisor and a process that it started say to each other: a pair of sockets that nobody else can reach.

Down goes one `Hello`, and then a byte with each connection by which an operator's question comes, or with a file that
holds another configuration, which is made ready and then taken by all together or by none; up goes a byte for each
`Word`. The end of the stream says that the other is gone. Nothing of it is on a command line, in the environment
or in the file system.
"""

from __future__ import annotations

import asyncio
import os
import socket
from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from gateway.edge.member import Member
from gateway.limits.policy import Policy
from gateway.limits.stores.shared.memory import nameless_file

if TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH_BYTES: Final = 8
_MOST_FDS: Final = 2
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
    PREPARED = b"P"
    """It could serve by the configuration that it was handed."""
    UNABLE = b"U"
    """It could not, and serves as before."""


class Order(Enum):
    """What a process is told."""

    ANSWER = b"?"
    """Answer the question of an operator, on the connection that comes with it."""
    PREPARE = b"C"
    """Make ready to serve by the configuration in the file that comes with it, and say whether that can be."""
    SWITCH = b"S"
    """Serve by what was made ready."""


class Change(Struct, frozen=True, kw_only=True):
    """Another configuration. `texts` are as in `Hello`; where there are `policies`, a table for them comes with it."""

    texts: dict[str, str]
    policies: tuple[Policy, ...] = ()


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
    socket.send_fds(channel, [Order.ANSWER.value], [connection.fileno()])


def pass_change(channel: socket.socket, change: Change, table_fd: int | None) -> None:
    """Hand another configuration to the process. Raises OSError as above, and where there is no memory for it."""
    fd = nameless_file()
    try:
        with os.fdopen(os.dup(fd), "wb") as file:
            file.write(msgspec.json.encode(change))
        socket.send_fds(channel, [Order.PREPARE.value], [fd] if table_fd is None else [fd, table_fd])
    finally:
        os.close(fd)


def read_change(fd: int) -> Change:
    """Read what was handed over, and close it."""
    with os.fdopen(fd, "rb") as file:
        file.seek(0)
        return msgspec.json.decode(file.read(), type=Change)


def pass_switch(channel: socket.socket) -> None:
    """Have the process serve by what it made ready. Raises OSError as above."""
    channel.send(Order.SWITCH.value)


class Upwards:
    """The process's end: `told` is called with each order and its descriptors, `orphaned` when nobody is there."""

    def __init__(
        self, channel: socket.socket, *, told: Callable[[Order, list[int]], object], orphaned: Callable[[], object]
    ) -> None:
        """Listen from now on. Must be called in a running loop."""
        channel.settimeout(0)
        self._channel = channel
        self._told = told
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
            data, descriptors, _flags, _address = socket.recv_fds(self._channel, 1, _MOST_FDS)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        if data:
            self._told(Order(data), descriptors)
        else:
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
