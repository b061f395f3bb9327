"""What became of the head of a connection's last request.

A client that keeps its connection says the same fields again with every request. What depends on them alone is worked
out once, and used for as long as they are the same, byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.pipeline.preference import preference_of

if TYPE_CHECKING:
    from gateway.edge.message import Message
    from gateway.edge.ways import Way
    from gateway.headers import RequestHead

_MOST_WAYS: Final = 16
"""So many ways are remembered with one head; for a client that asks more APIs in turn they are worked out anew."""


class Seen:
    """A head that was read: as `head`, as the `preference` in it, and as the lines that went upstream by each way."""

    __slots__ = ("_fields", "_lines", "_version", "head", "preference")

    def __init__(self, message: Message, head: RequestHead) -> None:
        """Remember that `message` was read as `head`."""
        self._fields = message.raw_headers
        self._version = message.version
        self._lines: dict[Way, bytes] = {}
        self.head = head
        self.preference = preference_of(self._fields)

    def is_of(self, message: Message) -> bool:
        """Tell whether another message says the same."""
        return self._fields == message.raw_headers and self._version == message.version

    def lines(self, way: Way) -> bytes | None:
        """Return what went upstream by `way`, None when nothing did."""
        return self._lines.get(way)

    def keep(self, way: Way, lines: bytes) -> None:
        """Remember what went upstream by `way`."""
        if len(self._lines) >= _MOST_WAYS:
            self._lines.clear()
        self._lines[way] = lines
