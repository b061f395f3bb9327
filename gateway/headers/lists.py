"""The syntax that fields share: tokens, lists, quoted strings, media types (RFC 9110 section 5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

TOKEN_BYTES: Final = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""The bytes of a token (RFC 9110 section 5.6.2)."""
CONTROL_BYTES: Final = bytes((*range(0x09), *range(0x0A, 0x20), 0x7F))
"""The bytes that no field value may hold (RFC 9110 section 5.5); HTAB may stand there, and so may bytes above 0x7F."""
SPACE: Final = b" \t"
"""Optional white space (RFC 9110 section 5.6.3)."""

_QUOTE: Final = 0x22
_BACKSLASH: Final = 0x5C


def is_token(text: bytes) -> bool:
    """Tell whether `text` is a token."""
    return text != b"" and not text.translate(None, TOKEN_BYTES)


def has_control(text: bytes) -> bool:
    """Tell whether `text` holds a byte that would break a field line, or is invisible in a log."""
    return len(text.translate(None, CONTROL_BYTES)) != len(text)


def split_quoted(text: bytes, separator: bytes) -> list[bytes] | None:
    """Split at a single byte outside quoted strings; None when a quoted string does not end."""
    if b'"' not in text:
        return text.split(separator)
    pieces: list[bytes] = []
    start, quoted, escaped = 0, False, False
    for index, byte in enumerate(text):
        if escaped:
            escaped = False
        elif byte == _BACKSLASH:
            escaped = quoted
        elif byte == _QUOTE:
            quoted = not quoted
        elif byte == separator[0] and not quoted:
            pieces.append(text[start:index])
            start = index + 1
    pieces.append(text[start:])
    return None if quoted else pieces


def unquoted(text: bytes) -> bytes:
    """Return the content of a quoted string, or `text` itself when it is none."""
    if len(text) < 2 or not (text.startswith(b'"') and text.endswith(b'"')):
        return text
    parts = text[1:-1].split(b"\\\\")
    return b"\\".join([part.replace(b"\\", b"") for part in parts])


def elements(values: Iterable[bytes]) -> list[bytes]:
    """Return the elements of a list field, over all of its lines, less empty ones (RFC 9110 section 5.6.1).

    A line whose quoted string does not end counts as one element.
    """
    found: list[bytes] = []
    for value in values:
        pieces = split_quoted(value, b",")
        found += [value] if pieces is None else pieces
    return [stripped for element in found if (stripped := element.strip(SPACE))]


def media_type(value: bytes) -> bytes:
    """Return the type and subtype of a Content-Type in lower case, without parameters (RFC 9110 section 8.3.1)."""
    return value.partition(b";")[0].strip(SPACE).lower()


def is_json(content_type: bytes) -> bool:
    """Tell whether a Content-Type is one JSON text: `application/json`, `text/json`, `application/problem+json`."""
    essence = media_type(content_type)
    return essence.endswith((b"/json", b"+json"))
