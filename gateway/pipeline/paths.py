"""Paths as routing sees them: segments, and all the ways in which a server behind us might read them.

The bytes of a path go upstream as they came. What is matched is a copy: each segment percent-decoded by itself. Servers
differ on the rest: some take `%2F` or a backslash for a slash, decode twice, drop `;parameters` and empty segments, and
resolve dots. Each of these is a *reading*; a path that some combination of them would route elsewhere is refused.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Segments = list[bytes]

MOST_AMBIGUITIES: Final = 3
"""A path that can be misread in more ways than this is refused: no client means it, and each way doubles the work."""

MOST_SEGMENTS: Final = 256
"""A path that is not plain and has more segments is refused: each reading of it costs time for each segment."""


def is_plain(path: bytes) -> bool:
    """Tell whether every server reads this path in the same way, so that nothing has to be compared."""
    return not (b"%" in path or b"//" in path or b"/." in path or b";" in path or b"\\" in path)


def segments_of(path: bytes) -> Segments:
    """Return the segments of a path that begins with a slash, each percent-decoded once; of `/` one, which is empty."""
    segments = path.split(b"/")
    del segments[0]
    return _decoded(segments) if b"%" in path else segments


def after_segments(path: bytes, count: int) -> bytes:
    """Return what stands in `path` behind its first `count` segments, byte for byte."""
    at = 0
    for _ in range(count):
        at = path.find(b"/", at + 1)
        if at < 0:
            return b""
    return path[at:]


def holds_nul(segments: Segments) -> bool:
    """Tell whether a server could see a NUL, at which many end a path."""
    return any(b"\0" in segment for segment in segments + _decoded(segments))


def readings(segments: Segments) -> Iterator[Segments] | None:
    """Return all other readings of decoded segments; None when there are too many, or too many segments in them."""
    reading, ways = segments, []
    for way in _WAYS:
        changed = way(reading)
        if changed != reading:
            ways.append(way)
        reading = changed
        if len(reading) > MOST_SEGMENTS:
            return None
    if len(ways) > MOST_AMBIGUITIES:
        return None
    return (_read(segments, some) for count in range(len(ways)) for some in combinations(ways, count + 1))


def lowest_depth(segments: Segments) -> int:
    """Return how few segments are left at any `..` when dots are resolved one by one; all of them without any `..`."""
    lowest = len(segments)
    depth = 0
    for segment in segments:
        if segment == b"..":
            depth -= 1
            lowest = min(lowest, depth)
        elif segment != b".":
            depth += 1
    return lowest


def _read(segments: Segments, ways: Sequence[Callable[[Segments], Segments]]) -> Segments:
    for way in ways:
        segments = way(segments)
    return segments


def _decoded(segments: Segments) -> Segments:
    return [unquote_to_bytes(segment) if b"%" in segment else segment for segment in segments]


def _split_slashes(segments: Segments) -> Segments:
    return [part for segment in segments for part in segment.split(b"/")]


def _split_backslashes(segments: Segments) -> Segments:
    return [part for segment in segments for part in segment.split(b"\\")]


def _without_parameters(segments: Segments) -> Segments:
    return [segment.partition(b";")[0] for segment in segments]


def _merged(segments: Segments) -> Segments:
    """Drop empty segments, but for the last: a slash at the end is something else."""
    return [segment for segment in segments[:-1] if segment] + segments[-1:]


def _resolved(segments: Segments) -> Segments:
    """Resolve `.` and `..` (RFC 3986 section 5.2.4)."""
    kept: Segments = []
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    return kept


_WAYS: Final = (_decoded, _split_slashes, _split_backslashes, _without_parameters, _merged, _resolved)
