"""Where log lines leave the process: a thread of its own, so that a reader who has stopped cannot stop the gateway.

Lines wait in batches, `MAX_WAITING_BYTES` in all; a batch that does not fit is dropped whole and its lines are counted,
for a request must never wait for its log. The thread is a daemon: while it hangs in a write, the process can still end.
"""

from __future__ import annotations

import os
import select
import sys
from collections import deque
from contextlib import suppress
from threading import Condition, Thread
from typing import Final, Protocol

MAX_WAITING_BYTES: Final = 8 * 2**20
"""About ten seconds of lines at two thousand requests a second."""


class ByteStream(Protocol):
    """Where log lines go: standard output, or a list in a test."""

    def write(self, data: bytes, /) -> object:
        """Take all of the bytes; may block. Raises OSError."""


class Descriptor:
    """A file descriptor as a stream, without a buffer, whose lock in a blocked write would spoil the process's end."""

    def __init__(self, number: int) -> None:
        """Write to the descriptor `number`, which stays open."""
        self._number = number

    def write(self, data: bytes, /) -> None:
        """Write all of `data`, however long the reader takes. Raises OSError."""
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._number, left) :]
            except BlockingIOError:  # whoever shares the descriptor made it non-blocking
                select.select((), (self._number,), ())


class LogWriter:
    """Writes batches of lines, in their order. `dropped_lines` counts those that were not written."""

    def __init__(self, stream: ByteStream) -> None:
        """Write to `stream`, once started; batches may be put before."""
        self._stream = stream
        self._batches: deque[tuple[bytes, int]] = deque()
        self._waiting_bytes = 0
        self._ending = False
        self._failing = False
        self._changed = Condition()
        self._thread = Thread(target=self._run, name="accord-log", daemon=True)
        self.dropped_lines = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, data: bytes, lines: int) -> None:
        """Take a batch of so many `lines`, or drop it when too much waits already. Never waits for a write."""
        with self._changed:
            if self._ending or self._waiting_bytes + len(data) > MAX_WAITING_BYTES:
                self.dropped_lines += lines
                return
            self._batches.append((data, lines))
            self._waiting_bytes += len(data)
            self._changed.notify_all()

    def written(self, timeout_s: float) -> bool:
        """Wait until nothing waits; return False when that took longer than `timeout_s` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._batches, timeout_s)

    def stop(self, timeout_s: float) -> None:
        """End the thread behind what still waits; after `timeout_s` seconds it is left to itself."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            self._write(*batch)
            with self._changed:
                self._batches.popleft()
                self._waiting_bytes -= len(batch[0])
                self._changed.notify_all()

    def _next(self) -> tuple[bytes, int] | None:
        """Wait for a batch and leave it where it counts as waiting; None when there is none and none will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._batches or self._ending)
            return self._batches[0] if self._batches else None

    def _write(self, data: bytes, count: int) -> None:
        try:
            self._stream.write(data)
        except OSError as error:
            with self._changed:
                self.dropped_lines += count
            if not self._failing:
                _say(f"accord: the log cannot be written ({error.strerror}); serving goes on\n")
            self._failing = True
        else:
            self._failing = False


def _say(text: str) -> None:
    """Tell the operator, if standard error is there to be written to."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
