"""The syntax of `Link` (RFC 8288 section 3): targets in angle brackets, each with parameters that may be quoted."""

from __future__ import annotations

from typing import Final, NamedTuple

_OPEN: Final = ord("<")
_CLOSE: Final = ord(">")
_QUOTE: Final = ord('"')
_BACKSLASH: Final = ord("\\")
_COMMA: Final = ord(",")
_CLOSED_BY: Final = {_OPEN: _CLOSE, _QUOTE: _QUOTE}


class LinkValue(NamedTuple):
    """One link: the white space before it, its target, and what follows the target, as they came."""

    before: bytes
    target: bytes
    after: bytes


def link_values(value: bytes) -> list[LinkValue]:
    """Return the links of one line. What is no link is left out."""
    return [link for piece in _pieces(value) if (link := _link(piece)) is not None]


def _link(piece: bytes) -> LinkValue | None:
    before, opened, rest = piece.partition(b"<")
    target, closed, after = rest.partition(b">")
    return LinkValue(before, target, after) if opened and closed and not before.strip() else None


def _pieces(value: bytes) -> list[bytes]:
    """Split at commas outside of targets and quoted strings, in one pass."""
    pieces: list[bytes] = []
    start, closing, escaped = 0, 0, False
    for index, byte in enumerate(value):
        if escaped:
            escaped = False
        elif closing:
            escaped = byte == _BACKSLASH and closing == _QUOTE
            closing = 0 if byte == closing else closing
        elif byte == _COMMA:
            pieces.append(value[start:index])
            start = index + 1
        else:
            closing = _CLOSED_BY.get(byte, 0)
    return [*pieces, value[start:]]
