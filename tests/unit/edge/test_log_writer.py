"""The writer of log lines: a reader who has stopped costs lines, and nothing else."""

from __future__ import annotations

import os
from threading import Event
from typing import TYPE_CHECKING

from gateway.edge.log_writer import MAX_WAITING_BYTES, Descriptor, LogWriter

if TYPE_CHECKING:
    import pytest

PATIENCE_S = 10.0


class Stuck:
    """A stream that takes nothing until it is told to."""

    def __init__(self) -> None:
        self.released = Event()
        self.data = b""

    def write(self, data: bytes, /) -> None:
        """Wait, then take bytes."""
        assert self.released.wait(PATIENCE_S)
        self.data += data


def test_lines_are_written_in_their_order_and_to_the_last() -> None:
    """Those put before the start, too."""
    stream = Stuck()
    stream.released.set()
    writer = LogWriter(stream)
    writer.put(b"a\nb\n", 2)
    writer.start()
    writer.put(b"c\n", 1)
    writer.stop(PATIENCE_S)
    assert (stream.data, writer.dropped_lines) == (b"a\nb\nc\n", 0)


def test_a_reader_who_has_stopped_costs_whole_batches() -> None:
    """What fits is kept, what does not is counted, and nobody waits."""
    stream = Stuck()
    writer = LogWriter(stream)
    writer.start()
    writer.put(b"first\n", 1)
    writer.put(b"x" * MAX_WAITING_BYTES + b"\ny\n", 2)
    writer.put(b"last\n", 1)
    assert writer.dropped_lines == 2
    assert not writer.written(0.01)
    writer.stop(0.01)
    writer.put(b"too late\n", 1)
    assert writer.dropped_lines == 3
    stream.released.set()
    assert writer.written(PATIENCE_S)
    assert stream.data == b"first\nlast\n"


def test_an_output_that_is_gone_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """And each line is counted."""
    reading, writing = os.pipe()
    os.close(reading)
    writer = LogWriter(Descriptor(writing))
    writer.start()
    for _ in range(3):
        writer.put(b"a\nb\n", 2)
    writer.stop(PATIENCE_S)
    os.close(writing)
    assert writer.dropped_lines == 6
    assert capsys.readouterr().err == "accord: the log cannot be written (Broken pipe); serving goes on\n"


def test_a_descriptor_that_does_not_block_is_waited_for() -> None:
    """All of it arrives, whatever the pipe holds."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    writer = LogWriter(Descriptor(writing))
    writer.start()
    writer.put(b"x" * 200_000 + b"\n", 1)
    writer.put(b"end\n", 1)
    data = b""
    while not data.endswith(b"end\n"):
        data += os.read(reading, 65_536)
    writer.stop(PATIENCE_S)
    os.close(reading)
    os.close(writing)
    assert data == b"x" * 200_000 + b"\nend\n"
