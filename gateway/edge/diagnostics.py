"""What the gateway tells of itself: lines by structlog, in one stream with those of the access log.

structlog imports `rich` where it can, for consoles, which nobody has here: 3 MB, and a tenth of a second of each start.
So it is imported as if there were none, and a command that follows in the same process finds it again.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Final

from msgspec.json import Encoder

_PRETTY: Final = "rich"
_UNUSED: Final = _PRETTY not in sys.modules
if _UNUSED:
    sys.modules[_PRETTY] = None  # type: ignore[assignment]  # how an import is told that there is none
import structlog  # noqa: E402 - after that

if _UNUSED:
    del sys.modules[_PRETTY]

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger

    from gateway.edge.access_log import LineBuffer
    from gateway.edge.clock import Clock

_ENCODER: Final = Encoder()


def diagnostic_logger(buffer: LineBuffer, clock: Clock) -> FilteringBoundLogger:
    """Return a structlog logger for what goes wrong inside: JSON lines with a time, a level and a traceback."""

    def dated(_logger: object, _method: str, event: EventDict) -> EventDict:
        event["time"] = round(clock.now_s(), 3)
        return event

    def encoded(_logger: object, _method: str, event: EventDict) -> bytes:
        return _ENCODER.encode(event)

    logger: FilteringBoundLogger = structlog.wrap_logger(
        buffer,
        processors=[structlog.processors.add_log_level, dated, structlog.processors.format_exc_info, encoded],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return logger
