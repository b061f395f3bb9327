"""Content codings undone, stepwise and within bounds (RFC 9110 section 8.4.1).

A small body can claim to be a huge one: at most `RATIO` times its size (but always `ALWAYS_ALLOWED`), and never more
than the limit is unpacked. What is over that, or is not what its coding says, is opaque. Of an error the beginning
counts where the rest did not come, or is over the limit.
"""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING

import brotli

if sys.version_info >= (3, 14):  # pragma: no cover - one Python runs one of the two
    from compression import zstd
else:  # pragma: no cover
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

    Member = tuple[bytes, bytes, bool]
    Unpack = Callable[[bytes, int], Member | None]

RATIO = 100
ALWAYS_ALLOWED = 65_536
ACCEPTED = frozenset({b"gzip", b"deflate", b"br", b"zstd", b"identity"})
"""The codings that may be asked of an upstream whose replies are read."""

_MOST_CODINGS = 3
_MOST_MEMBERS = 64  # of one body; the rest is copied for each
_GZIP, _ZLIB, _BARE = 31, 15, -15  # zlib's names for the formats
_BROTLI_STEP = 65_536
_ZSTD_WINDOW = {int(zstd.DecompressionParameter.window_log_max): 23}  # 8 MiB, the most that HTTP allows (RFC 9659)


def can_undo(content_encoding: bytes | None) -> bool:
    """Say whether every coding of a `Content-Encoding` is known."""
    if content_encoding is None:
        return True
    codings = _codings(content_encoding)
    return len(codings) <= _MOST_CODINGS and all(coding in _UNPACK for coding in codings)


def undo(body: bytes, content_encoding: bytes | None, limit_bytes: int) -> bytes | None:
    """Return the body without its codings, or None when all of it cannot be had within the bounds."""
    found = _undo(body, content_encoding, limit_bytes)
    return found[0] if found is not None and found[1] else None


def undo_partly(body: bytes, content_encoding: bytes | None, limit_bytes: int) -> tuple[bytes, bool] | None:
    """Return as much of the body without its codings as came and fits, and whether that is all of it.

    None where its codings are not known, it is not what they say, or it claims to be too many times larger.
    """
    return _undo(body, content_encoding, limit_bytes)


def _undo(body: bytes, content_encoding: bytes | None, limit_bytes: int) -> tuple[bytes, bool] | None:
    if not can_undo(content_encoding):
        return None
    allowed = max(ALWAYS_ALLOWED, RATIO * len(body))
    bound = max(1, min(limit_bytes, allowed))  # to zlib 0 means without bound
    whole = True
    for coding in reversed(_codings(content_encoding)):
        found = _unpacked(body, _UNPACK[coding], bound)
        if found is None:
            return None
        body, complete = found
        if len(body) > bound:
            if allowed < limit_bytes:
                return None
            body = body[:bound]
        whole = whole and complete
    return body, whole


def _codings(content_encoding: bytes | None) -> list[bytes]:
    names = (name.strip().lower() for name in (content_encoding or b"").split(b","))
    return [name for name in names if name not in (b"", b"identity")]


def _unpacked(data: bytes, unpack: Unpack, bound: int) -> tuple[bytes, bool] | None:
    """Unpack a body, which may be several members or frames in a row (RFC 1952 section 2.2, RFC 8878 section 3.1).

    What comes back may be longer than `bound`, and is not complete then.
    """
    found = b""
    for _ in range(_MOST_MEMBERS):
        member = unpack(data, bound - len(found) + 1)
        if member is None:
            return None
        piece, data, ended = member
        found += piece
        if not ended or len(found) > bound:
            return found, False
        if not data:
            return found, True
    return None


def _gzip(data: bytes, most: int) -> Member | None:
    return _inflated(data, _GZIP, most)


def _deflate(data: bytes, most: int) -> Member | None:
    """Unpack deflate; many send it without its zlib header, against RFC 9110 section 8.4.1.2."""
    found = _inflated(data, _ZLIB, most) or _inflated(data, _BARE, most)
    return found if found is not None and not found[1] else None


def _inflated(data: bytes, window_bits: int, most: int) -> Member | None:
    unpacker = zlib.decompressobj(window_bits)
    try:
        found = unpacker.decompress(data, most)
    except zlib.error:
        return None
    return found, unpacker.unused_data, unpacker.eof and not unpacker.unconsumed_tail


def _brotli(data: bytes, most: int) -> Member | None:
    """Unpack brotli in steps, for one may give more than it was asked for."""
    unpacker = brotli.Decompressor()
    found = []
    try:
        while piece := unpacker.process(data, output_buffer_limit=_BROTLI_STEP):
            found.append(piece)
            most -= len(piece)
            if most <= 0:
                break
            data = b""
    except brotli.error:
        return None
    return b"".join(found), b"", unpacker.is_finished()


def _zstd(data: bytes, most: int) -> Member | None:
    unpacker = zstd.ZstdDecompressor(options=_ZSTD_WINDOW)
    try:
        found = unpacker.decompress(data, max_length=most)
    except zstd.ZstdError:
        return None
    return found, unpacker.unused_data, unpacker.eof


_UNPACK: dict[bytes, Unpack] = {b"gzip": _gzip, b"x-gzip": _gzip, b"deflate": _deflate, b"br": _brotli, b"zstd": _zstd}
