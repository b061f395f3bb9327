"""The access log: one JSON line a request, through structlog.

What it must never hold: a query (but for parameters that the operator named), a header value, a body, an address of an
upstream. Everything that a client or an upstream chose is cut to a length; JSON escapes its control characters.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
import structlog
from msgspec import UNSET, Struct, UnsetType

from gateway.model import Origin, Party, Stage, Translation

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import EventDict, FilteringBoundLogger

    from gateway.edge.clock import Clock
    from gateway.model import Outcome

PATH_CHARACTERS: Final = 512
ID_CHARACTERS: Final = 128

UNPARSED: Final = "-"
"""The method of what was no request; such lines are sampled, or a port scan would fill the disk."""

UNPARSED_EVERY_S: Final = 1.0

_encode = msgspec.json.Encoder().encode


class LineBuffer:
    """Collects lines and passes them on together: one batch for a burst, none of them late by more than a moment."""

    def __init__(self, put: Callable[[list[bytes]], None], later: Callable[[Callable[[], None]], object]) -> None:
        """Pass batches to `put`, which must not block; `later(call)` runs `call` soon, once the burst is over."""
        self._put = put
        self._later = later
        self._lines: list[bytes] = []

    def add(self, line: bytes) -> None:
        """Take one line, without its line feed."""
        if not self._lines:
            self._later(self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        """Pass on what was collected."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._put(lines)

    info = warning = error = add


class LineLogger(Protocol):
    """What the access log asks of a logger: an event that is a whole line."""

    def info(self, line: Line, /) -> object:
        """Write a line."""


def line_logger(buffer: LineBuffer) -> LineLogger:
    """Return a structlog logger whose events are the lines of the access log, written into `buffer`."""

    def encoded(_logger: object, _method: str, event: EventDict) -> bytes:
        return _encode(event["event"])

    lazy = structlog.wrap_logger(
        buffer, processors=[encoded], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO)
    )
    logger: LineLogger = lazy.bind()  # the lazy one looks its class up on every call
    return logger


def diagnostic_logger(buffer: LineBuffer, clock: Clock) -> FilteringBoundLogger:
    """Return a structlog logger for what goes wrong inside: JSON lines with a time, a level and a traceback."""

    def dated(_logger: object, _method: str, event: EventDict) -> EventDict:
        event["time"] = round(clock.now_s(), 3)
        return event

    def encoded(_logger: object, _method: str, event: EventDict) -> bytes:
        return _encode(event)

    logger: FilteringBoundLogger = structlog.wrap_logger(
        buffer,
        processors=[structlog.processors.add_log_level, dated, structlog.processors.format_exc_info, encoded],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return logger


class Line(Struct, frozen=True, kw_only=True):
    """One line, its keys in their order; docs/reference/access-log.md explains them."""

    time: float
    event: str = "request"
    request_id: str
    client_request_id: str | None
    method: str
    path: str
    status: int
    upstream_status: int | None
    outcome: str
    code: str | None
    origin: Origin | None
    fault: Party | None
    stage: Stage | None
    reason: str | None
    upstream: str | None
    route: str | None
    client: str | None
    peer: str | None
    dialect: str | None
    translation: Translation
    retry_after: float | int | None
    duration_ms: float
    upstream_ms: float | None
    request_bytes: int
    response_bytes: int
    left_out: int | UnsetType = UNSET


class AccessLog:
    """Writes one line for each request that it observes."""

    def __init__(self, logger: LineLogger, clock: Clock) -> None:
        """Log to `logger`, such as `line_logger` makes."""
        self._logger = logger
        self._clock = clock
        self._unparsed_at_s = float("-inf")
        self._left_out = 0

    def observe(self, outcome: Outcome) -> None:
        """Write the line of one request."""
        now_s = self._clock.now_s()
        if outcome.method != UNPARSED:
            self._logger.info(_line(outcome, now_s))
        elif self._sampled():
            self._logger.info(_line(outcome, now_s, self._left_out or UNSET))
            self._left_out = 0

    def _sampled(self) -> bool:
        now_s = self._clock.monotonic_s()
        if now_s - self._unparsed_at_s < UNPARSED_EVERY_S:
            self._left_out += 1
            return False
        self._unparsed_at_s = now_s
        return True


def _line(outcome: Outcome, now_s: float, left_out: int | UnsetType = UNSET) -> Line:
    code, source = outcome.code, outcome.source
    return Line(
        time=round(now_s, 3),
        request_id=outcome.request_id,
        client_request_id=_cut(outcome.client_request_id, ID_CHARACTERS),
        method=outcome.method,
        path=outcome.path if len(outcome.path) <= PATH_CHARACTERS else f"{outcome.path[:PATH_CHARACTERS]}…",
        status=outcome.status,
        upstream_status=outcome.upstream_status,
        outcome=outcome.outcome,
        code=None if code is None else code.name,
        origin=None if source is None else source.origin,
        fault=None if source is None else source.fault,
        stage=None if source is None else source.stage,
        reason=outcome.reason,
        upstream=outcome.upstream,
        route=outcome.route,
        client=outcome.client,
        peer=outcome.peer,
        dialect=outcome.dialect,
        translation=outcome.translation,
        retry_after=outcome.retry_after,
        duration_ms=round(outcome.duration_s * 1000, 3),
        upstream_ms=None if outcome.upstream_s is None else round(outcome.upstream_s * 1000, 3),
        request_bytes=outcome.request_bytes,
        response_bytes=outcome.response_bytes,
        left_out=left_out,
    )


def _cut(text: str | None, characters: int) -> str | None:
    """Bound a text that somebody else chose."""
    return text if text is None or len(text) <= characters else f"{text[:characters]}…"
