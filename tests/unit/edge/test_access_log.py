"""The access log: lines are made and written together, and those of port scans are few."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gateway.edge.access_log import UNPARSED, AccessLog, LineBuffer
from gateway.edge.diagnostics import diagnostic_logger
from gateway.model import Translation
from tests.unit.edge.outcomes import outcome

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def now_s(self) -> float:
        """Return Unix time."""
        return self.at_s

    monotonic_s = now_s


class Sink:
    """Takes batches, and knows whether one was asked for."""

    def __init__(self) -> None:
        self.asked: list[Callable[[], None]] = []
        self.batches: list[tuple[bytes, int]] = []
        self.buffer = LineBuffer(lambda data, lines: self.batches.append((data, lines)), self.asked.append)

    def lines(self) -> list[dict[str, Any]]:
        """Flush, and return all lines."""
        self.buffer.flush()
        return [json.loads(line) for data, _ in self.batches for line in data.splitlines()]


def test_lines_of_one_moment_are_one_batch() -> None:
    """Which is asked for once, with its first line; nothing is written for nothing."""
    sink = Sink()
    log = AccessLog(sink.buffer, Clock())
    for number in range(3):
        log.observe(outcome(request_id=str(number)))
    assert (len(sink.asked), sink.batches) == (1, [])
    sink.asked[0]()
    sink.asked[0]()
    ((data, lines),) = sink.batches
    assert (data.count(b"\n"), data[-1:], lines) == (3, b"\n", 3)
    assert [line["request_id"] for line in sink.lines()] == ["0", "1", "2"]
    log.observe(outcome())
    assert len(sink.asked) == 2


def test_a_line_is_the_outcome() -> None:
    """Event first, then time; what is not known is null; words are as in the problem document."""
    sink = Sink()
    AccessLog(sink.buffer, Clock()).observe(outcome(translation=Translation.UNIFIED, client_request_id=None))
    (line,) = sink.lines()
    assert list(line)[:2] == ["event", "time"]
    assert (line["event"], line["time"]) == ("request", 1_795_000_000.0)
    assert (line["translation"], line["client_request_id"], line["code"]) == ("unified", None, None)
    assert "left_out" not in line


def test_control_characters_are_escaped() -> None:
    """So that a line stays one line, whatever slipped through before."""
    sink = Sink()
    AccessLog(sink.buffer, Clock()).observe(outcome(path='/a\n{"event":"forged"}\r\x1b'))
    assert len(sink.lines()) == 1
    assert b"\x1b" not in sink.batches[0][0]


def test_one_line_a_second_tells_of_what_was_no_request() -> None:
    """And how many were left out before it; requests are all told of."""
    sink, clock = Sink(), Clock()
    log = AccessLog(sink.buffer, clock)
    for at_s in (100.0, 100.5, 100.999, 101.0, 102.0):
        clock.at_s = at_s
        log.observe(outcome(method=UNPARSED))
        log.observe(outcome())
    lines = sink.lines()
    assert [line.get("left_out") for line in lines if line["method"] == UNPARSED] == [None, 2, None]
    assert sum(line["method"] == "GET" for line in lines) == 5


def test_diagnostics_are_lines_among_the_others_in_their_order() -> None:
    """With a time, a level and, of an exception, its traceback, on one line."""
    sink, clock = Sink(), Clock()
    log, diagnostics = AccessLog(sink.buffer, clock), diagnostic_logger(sink.buffer, clock)
    log.observe(outcome(request_id="before"))
    diagnostics.warning("transport", request_id="id", detail="no\nluck")
    try:
        int("ours")
    except ValueError:
        diagnostics.exception("unexpected")
    log.observe(outcome(request_id="after"))
    before, warning, error, after = sink.lines()
    assert (before["request_id"], after["request_id"]) == ("before", "after")
    assert warning == {
        "event": "transport",
        "level": "warning",
        "time": 100.0,
        "request_id": "id",
        "detail": "no\nluck",
    }
    assert (error["level"], error["event"]) == ("error", "unexpected")
    assert "ValueError: invalid literal" in error["exception"]
    assert sink.batches[0][1] == 4
