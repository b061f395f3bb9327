"""A transport that only takes notes."""

from __future__ import annotations

import asyncio
from typing import Any


class FakeTransport(asyncio.Transport):
    """Keeps what is written, and what it is told."""

    def __init__(self) -> None:
        """Be open."""
        super().__init__()
        self.written = b""
        self.writes = 0
        self.backlog_bytes = 0
        self.reading = True
        self.closing = False

    def write(self, data: Any) -> None:  # noqa: ANN401
        """Keep `data`."""
        self.written += bytes(data)
        self.writes += 1

    def get_write_buffer_size(self) -> int:
        """Return what the test says."""
        return self.backlog_bytes

    def is_reading(self) -> bool:
        """Return whether it was not told to pause."""
        return self.reading

    def is_closing(self) -> bool:
        """Return whether it was closed."""
        return self.closing

    def close(self) -> None:
        """Be closing."""
        self.closing = True

    def abort(self) -> None:
        """Be closing."""
        self.closing = True

    def pause_reading(self) -> None:
        """Note it."""
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        """Note it."""
        assert not self.reading
        self.reading = True
