"""The metrics page, written in slices between which requests are served.

A thousand upstreams make tens of thousands of samples, and prometheus-client takes more than 10 µs for each: in one
piece that holds every request up for a second. So our own families bring their lines ready (`gateway.edge.series`), and
what is not ours is written by prometheus-client, some samples at once. A thread is no way out: the loop lets go of the
interpreter's lock whenever it looks for input, and may get it back 5 ms later, every time.
"""

from __future__ import annotations

import asyncio
from copy import copy
from itertools import islice
from typing import TYPE_CHECKING, Final

from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from gateway.edge.series import Ready, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client import Metric
    from prometheus_client.samples import Sample

SAMPLES_AT_ONCE: Final = 25
"""How many samples are written before requests have their turn: about a third of a millisecond's worth."""
LINES_AT_ONCE: Final = 250
"""As many of lines that are ready: a tenth of a millisecond's worth, one the first time, when they are written."""

_HEADING_LINES: Final = 2


async def exposition(families: Iterable[Metric]) -> bytes:
    """Return what `generate_latest` does. Samples that are made while they are read are of different moments."""
    pieces: list[bytes] = []
    for family in families:
        for piece in _ready(family) if isinstance(family, Ready) else _made(family):
            pieces.append(piece)
            await asyncio.sleep(0)
    return b"".join(pieces)


def _ready(family: Ready) -> Iterator[bytes]:
    """Write a family of ours."""
    yield family.heading.encode()
    rows = family.rows()
    while piece := written(islice(rows, LINES_AT_ONCE)):
        yield piece.encode()


def _made(family: Metric) -> Iterator[bytes]:
    """Have prometheus-client write a family, its samples some at once."""
    samples = iter(family.samples)
    yield _text(family, list(islice(samples, SAMPLES_AT_ONCE)))
    while more := list(islice(samples, SAMPLES_AT_ONCE)):
        yield _text(family, more).split(b"\n", _HEADING_LINES)[_HEADING_LINES]


class _Only(Collector):
    """Has one family."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterator[Metric]:
        """Return the family."""
        yield self._family


def _text(family: Metric, samples: list[Sample]) -> bytes:
    """Write some samples of a family, below its heading."""
    part = copy(family)
    part.samples = samples
    return generate_latest(_Only(part))
