"""Where the counts of each policy stand in the memory that processes share. Computed, never negotiated.

Invariants: the layout follows from the policies' ids, the number of processes and `max_keys` alone, so that processes
of one configuration agree on it without a word, and `fingerprint` tells those of another. Everything is counted in
words of 8 bytes and lies at a multiple of them, so that the machine writes a word at once. The areas' overflow cells
follow all buckets: whoever locks in ascending order can still lock a cell when a bucket turns out to be full.

    header:  magic, fingerprint (2 words), secret (2 words), processes, max_keys, reserved
    opened:  a word for each process: whether there was one of that index yet
    area:    `buckets` times a bucket: a time, 8 digests of keys (2 words each), 8 states (`width` words each)
    cells:   the state of each area's overflow key
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from gateway.limits.policy import Algorithm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gateway.limits.policy import Policy

SLOTS: Final = 8
"""How many keys a bucket holds."""
ROOM: Final = 2
"""Slots for each key that is to be held: with so many keys in it, fewer than 1 of 100 finds its bucket full."""
WORD_BYTES: Final = 8
DIGEST_BYTES: Final = 16
HEADER_WORDS: Final = 8
DIGESTS_WORD: Final = 1
"""Where a bucket's digests begin, counted from the bucket."""
STATES_WORD: Final = DIGESTS_WORD + SLOTS * DIGEST_BYTES // WORD_BYTES
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Where the counts of one policy stand. `start` (its first bucket) and `overflow` (its overflow cell) are words."""

    policy: Policy
    width: int
    start: int
    buckets: int
    overflow: int

    @property
    def stride(self) -> int:
        """How many words a bucket takes."""
        return _stride(self.width)

    @property
    def end(self) -> int:
        """The word behind the last bucket."""
        return self.start + self.buckets * self.stride


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """All areas, by the ids of their policies; how long the whole is; and what tells it from every other."""

    areas: Mapping[str, Area]
    words: int
    fingerprint: bytes


def lay_out(policies: Iterable[Policy], *, processes: int, max_keys: int) -> Layout:
    """Compute the layout. The policies' order does not matter, and policies of one id are one.

    Raises ValueError where a number is below 1.
    """
    if min(processes, max_keys) < 1:
        raise ValueError(f"limits need room for a process and a key at least, not for {processes} and {max_keys}")
    by_id = {policy.id: policy for policy in policies}
    ordered = [by_id[name] for name in sorted(by_id)]
    buckets = -(-max_keys * ROOM // SLOTS)
    widths = [_WIDTHS[policy.algorithm](policy, processes) for policy in ordered]
    overflow = HEADER_WORDS + processes + sum(buckets * _stride(width) for width in widths)
    start, areas = HEADER_WORDS + processes, {}
    for policy, width in zip(ordered, widths, strict=True):
        area = Area(policy=policy, width=width, start=start, buckets=buckets, overflow=overflow)
        areas[policy.id] = area
        start, overflow = area.end, overflow + width
    names = "\0".join((str(_FORMAT), str(processes), str(max_keys), *areas))
    fingerprint = blake2b(names.encode(), digest_size=DIGEST_BYTES).digest()
    return Layout(areas=areas, words=overflow, fingerprint=fingerprint)


def _stride(width: int) -> int:
    return STATES_WORD + SLOTS * width


_WIDTHS: Final[Mapping[Algorithm, Callable[[Policy, int], int]]] = {
    Algorithm.GCRA: lambda policy, processes: 1,  # noqa: ARG005 - the TAT
    Algorithm.SLIDING_LOG: lambda policy, processes: policy.requests,  # noqa: ARG005 - the time of each request
    Algorithm.CALENDAR: lambda policy, processes: 2,  # noqa: ARG005 - the window's beginning, and what was used of it
    Algorithm.CONCURRENCY: lambda policy, processes: processes,  # noqa: ARG005 - the places that each process holds
}
