"""Content codings undone, stepwise and within bounds (RFC 9110 section 8.4.1).

A small body can claim to be a huge one: at most `RATIO` times its size (but always `ALWAYS_ALLOWED`), and never more
than the limit is unpacked. What is over that, or is not what its coding says, is opaque.
"""

from __future__ import annotations

import zlib

RATIO = 100
ALWAYS_ALLOWED = 65_536
ACCEPTED = frozenset({b"gzip", b"deflate", b"identity"})
"""The codings that may be asked of an upstream whose replies are read."""

_MOST_CODINGS = 3
_WINDOW_BITS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}


def can_undo(content_encoding: bytes | None) -> bool:
    """Say whether every coding of a `Content-Encoding` is known."""
    if content_encoding is None:
        return True
    codings = _codings(content_encoding)
    return len(codings) <= _MOST_CODINGS and all(coding in _WINDOW_BITS for coding in codings)


def undo(body: bytes, content_encoding: bytes | None, limit_bytes: int) -> bytes | None:
    """Return the body without its codings, or None when it cannot be had within the bounds."""
    if not can_undo(content_encoding):
        return None
    bound = max(1, min(limit_bytes, max(ALWAYS_ALLOWED, RATIO * len(body))))  # to zlib 0 means without bound
    found: bytes | None = body
    for coding in reversed(_codings(content_encoding)):
        if found is None:
            return None
        found = _inflate(found, _WINDOW_BITS[coding], bound)
    return found


def _codings(content_encoding: bytes | None) -> list[bytes]:
    names = (name.strip().lower() for name in (content_encoding or b"").split(b","))
    return [name for name in names if name not in (b"", b"identity")]


def _inflate(data: bytes, window_bits: int, bound: int) -> bytes | None:
    """Unpack a body, which in gzip may be several members in a row (RFC 1952 section 2.2)."""
    found = b""
    while True:
        member, data = _member(data, window_bits, bound - len(found) + 1)
        if member is None or len(found) + len(member) > bound:
            return None
        found += member
        if not data:
            return found
        if window_bits != _WINDOW_BITS[b"gzip"]:
            return None


def _member(data: bytes, window_bits: int, bound: int) -> tuple[bytes | None, bytes]:
    """Unpack one member; return it, or None, and what stands behind it."""
    unpacker = zlib.decompressobj(window_bits)
    try:
        found = unpacker.decompress(data, bound)
    except zlib.error:
        if window_bits != _WINDOW_BITS[b"deflate"]:
            return None, b""
        try:  # many send deflate without its zlib header, against RFC 9110 section 8.4.1.2
            unpacker = zlib.decompressobj(-window_bits)
            found = unpacker.decompress(data, bound)
        except zlib.error:
            return None, b""
    return (None, b"") if unpacker.unconsumed_tail or not unpacker.eof else (found, unpacker.unused_data)
