"""The access log: one JSON line a request, which is the request's `Outcome` as it stands.

What it must never hold: a query (but for parameters that the operator named), a header value, a body, an address of an
upstream. Everything that a client or an upstream chose is cut to a length; JSON escapes its control characters. A
request only leaves its outcome in a list; the lines of a moment are made together, in one call of the encoder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Raw
from msgspec.json import Encoder
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.edge.clock import Clock
    from gateway.model import Outcome

UNPARSED: Final = "-"
"""The method of what was no request; such lines are sampled, or a port scan would fill the disk."""

UNPARSED_EVERY_S: Final = 1.0

_ENCODER: Final = Encoder()


class LineBuffer:
    """Collects lines and passes them on together: one batch for a burst, none of them late by more than a moment."""

    def __init__(self, put: Callable[[bytes, int], None], later: Callable[[Callable[[], None]], object]) -> None:
        """Pass batches and their number of lines to `put`, which must not block.

        `later(call)` runs `call` soon, once the burst is over.
        """
        self._put = put
        self._later = later
        self._lines: list[Outcome | Raw] = []

    def add(self, line: Outcome | Raw) -> None:
        """Take what becomes one line."""
        if not self._lines:
            self._later(self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        """Encode what was collected, and pass it on."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._put(_ENCODER.encode_lines(lines), len(lines))

    def write(self, line: bytes) -> None:
        """Take a line that is JSON already."""
        self.add(Raw(line))

    info = warning = error = write


class AccessLog:
    """Writes one line for each request that it observes."""

    def __init__(self, buffer: LineBuffer, clock: Clock) -> None:
        """Write into `buffer`."""
        self._add = buffer.add
        self._clock = clock
        self._unparsed_at_s = float("-inf")
        self._left_out = 0

    def observe(self, outcome: Outcome) -> None:
        """Write the line of one request."""
        if outcome.method != UNPARSED:
            self._add(outcome)
        elif self._sampled():
            self._add(replace(outcome, left_out=self._left_out) if self._left_out else outcome)
            self._left_out = 0

    def _sampled(self) -> bool:
        now_s = self._clock.monotonic_s()
        if now_s - self._unparsed_at_s < UNPARSED_EVERY_S:
            self._left_out += 1
            return False
        self._unparsed_at_s = now_s
        return True
