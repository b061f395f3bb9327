"""What a client accepts, less what only we can give it (RFC 9110 section 12.5)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gateway.headers.lists import elements, media_type

if TYPE_CHECKING:
    from collections.abc import Sequence

PROBLEM_VIEWS: Final = frozenset({
    b"application/problem+json",
    b"application/problem+xml",
    b"application/vnd.api+json",
})  # fmt: skip
"""Media types that a client asks of us, not of the upstream. General ones ask both."""

_ANYTHING: Final = b"*/*"
_PLAIN: Final = b"identity"
_LINES_REMEMBERED: Final = 256
_LONGEST_REMEMBERED: Final = 256
"""Longer lines are not remembered, so that nobody fills the memory with them."""


def without_views(values: Sequence[bytes], views: frozenset[bytes]) -> Sequence[bytes]:
    """Return the lines of `Accept` without `views`; as they came when none is in them, `*/*` when nothing is left."""
    lines = tuple(values)
    return _without_views(lines, views) if _is_short(lines) else _without_views.__wrapped__(lines, views)


def limited_encodings(values: Sequence[bytes], known: frozenset[bytes]) -> bytes:
    """Return an `Accept-Encoding` of codings that we can undo; `identity` when none is left, or when none was said.

    Without the field a server may choose any coding (section 12.5.3), so it is always said.
    """
    lines = tuple(values)
    return _limited(lines, known) if _is_short(lines) else _limited.__wrapped__(lines, known)


def _is_short(lines: tuple[bytes, ...]) -> bool:
    return sum(map(len, lines)) <= _LONGEST_REMEMBERED


@lru_cache(maxsize=_LINES_REMEMBERED)
def _without_views(lines: tuple[bytes, ...], views: frozenset[bytes]) -> Sequence[bytes]:
    ranges = elements(lines)
    kept = [item for item in ranges if media_type(item) not in views]
    if len(kept) == len(ranges):
        return lines
    return (b", ".join(kept) or _ANYTHING,)


@lru_cache(maxsize=_LINES_REMEMBERED)
def _limited(lines: tuple[bytes, ...], known: frozenset[bytes]) -> bytes:
    return b", ".join([item for item in elements(lines) if media_type(item) in known]) or _PLAIN
