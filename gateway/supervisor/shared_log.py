"""The log that several processes write to: whole batches of lines, one process's after the other's.

Writes of more than a few KiB to a pipe may be mixed with those of others. A lock on a file that they share keeps them
apart; it is the kernel's, and vanishes with a process that dies.
"""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING, Final

from gateway.edge.log_writer import Descriptor

if TYPE_CHECKING:
    from gateway.edge.log_writer import ByteStream

_STDOUT: Final = 1


class SharedLog:
    """Standard output, or another `stream`, while nobody else who locks `lock_fd` writes."""

    def __init__(self, lock_fd: int, stream: ByteStream | None = None) -> None:
        """Lock that descriptor, which must be open for writing, around each write."""
        self._lock_fd = lock_fd
        self._stream = stream or Descriptor(_STDOUT)

    def write(self, data: bytes, /) -> None:
        """Write all of `data`, however long it takes until it is our turn. Raises OSError."""
        fcntl.lockf(self._lock_fd, fcntl.LOCK_EX)
        try:
            self._stream.write(data)
        finally:
            fcntl.lockf(self._lock_fd, fcntl.LOCK_UN)
