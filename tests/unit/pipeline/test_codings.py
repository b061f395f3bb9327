"""Content codings undone, within bounds (RFC 9110 section 8.4.1)."""

from __future__ import annotations

import gzip
import random
import sys
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import brotli
import pytest

from gateway.pipeline.codings import ALWAYS_ALLOWED, can_undo, undo, undo_partly

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = b'{"a": "' + b"words " * 20 + b'"}'
MiB = 2**20


def _gzip(data: bytes) -> bytes:
    """Compress without the time in it: a test's name is made of its data, and must be the same in each run."""
    return gzip.compress(data, mtime=0)


PACK: dict[bytes, Callable[[bytes], bytes]] = {
    b"gzip": _gzip,
    b"deflate": zlib.compress,
    b"br": brotli.compress,
    b"zstd": zstd.compress,
}


def _bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "known"),
    [
        (None, True),
        (b"", True),
        (b"identity", True),
        (b"gzip", True),
        (b"GZip", True),
        (b"x-gzip", True),
        (b" deflate , gzip,", True),
        (b"gzip, identity, gzip, gzip", True),
        (b"gzip, gzip, gzip, gzip", False),
        (b"br", True),
        (b"gzip, ZSTD", True),
        (b"compress", False),
        (b"gzip, dcz", False),
        (b"gzip;q=1", False),
    ],
)
def test_which_codings_are_known(coding: bytes | None, *, known: bool) -> None:
    """Names in any case, several in a list, at most three; one that is not known makes the whole opaque."""
    assert can_undo(coding) == known
    assert known or undo(TEXT, coding, MiB) is None


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (TEXT, None),
        (TEXT, b"identity"),
        (_gzip(TEXT), b"gzip"),
        (_gzip(TEXT), b"X-GZIP"),
        (zlib.compress(TEXT), b"deflate"),
        (_bare_deflate(TEXT), b"deflate"),
        (_gzip(zlib.compress(TEXT)), b"deflate, gzip"),
        (zlib.compress(_gzip(_gzip(TEXT))), b"gzip, gzip, deflate"),
        (_gzip(TEXT[:9]) + _gzip(TEXT[9:]), b"gzip"),
        (brotli.compress(TEXT), b"br"),
        (zstd.compress(TEXT), b"Zstd"),
        (zstd.compress(TEXT[:9]) + zstd.compress(TEXT[9:]), b"zstd"),
        (brotli.compress(zstd.compress(_gzip(TEXT))), b"gzip, zstd, br"),
        (b"".join(_gzip(TEXT[at : at + 3]) for at in range(0, len(TEXT), 3)), b"gzip"),
    ],
)
def test_codings_are_undone_in_reverse(body: bytes, coding: bytes | None) -> None:
    """They are listed in the order in which they were applied; deflate comes with its zlib header or without."""
    assert undo(body, coding, MiB) == TEXT


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (TEXT, b"gzip"),
        (TEXT, b"deflate"),
        (zlib.compress(TEXT), b"gzip"),
        (_gzip(TEXT)[:-9], b"gzip"),
        (_gzip(TEXT)[:20], b"gzip"),
        (_gzip(TEXT) + b"rubbish", b"gzip"),
        (zlib.compress(TEXT) + b"rubbish", b"deflate"),
        (_gzip(b"x" * MiB) + _gzip(b"x"), b"gzip"),
        (zlib.compress(TEXT)[:-1], b"deflate"),
        (b"", b"gzip"),
        (b"", b"br"),
        (b"", b"zstd"),
        (TEXT, b"br"),
        (TEXT, b"zstd"),
        (brotli.compress(TEXT) + b"rubbish", b"br"),
        (zstd.compress(TEXT) + b"rubbish", b"zstd"),
        (brotli.compress(TEXT)[:-1], b"br"),
        (zstd.compress(TEXT)[:-1], b"zstd"),
        (_gzip(b"") * 65, b"gzip"),
        (_gzip(TEXT), b"gzip, gzip"),
        (_gzip(TEXT), b"gzip, deflate, gzip"),
    ],
)
def test_what_is_not_what_its_coding_says_is_opaque(body: bytes, coding: bytes) -> None:
    """Nothing is made of half a body, or of one that was labelled wrongly."""
    assert undo(body, coding, MiB) is None


@pytest.mark.parametrize("coding", PACK)
@pytest.mark.parametrize(
    ("size", "limit_bytes", "fits"),
    [
        (ALWAYS_ALLOWED - 1, MiB, True),
        (ALWAYS_ALLOWED, MiB, True),
        (ALWAYS_ALLOWED + 1, MiB, False),
        (1_000, 1_001, True),
        (1_000, 1_000, True),
        (1_001, 1_000, False),
        (MiB, 0, False),
    ],
)
def test_a_small_body_cannot_claim_to_be_a_huge_one(coding: bytes, size: int, limit_bytes: int, *, fits: bool) -> None:
    """At most 100 times its size is unpacked, but always 64 KiB, and never more than the limit."""
    assert (undo(PACK[coding](b" " * size), coding, limit_bytes) is not None) == fits


@pytest.mark.parametrize("coding", PACK)
def test_a_body_that_shrank_a_little_is_unpacked_whole(coding: bytes) -> None:
    """The ratio of honest text is far below the bound."""
    text = b"".join(b"%d words, " % number for number in range(60_000))
    assert undo(PACK[coding](text), coding, MiB) == text
    assert undo(PACK[coding](text), coding, MiB // 4) is None


@pytest.mark.parametrize("coding", PACK)
@pytest.mark.parametrize("limit_bytes", [MiB // 4, 8 * MiB])
def test_a_bomb_is_not_unpacked(coding: bytes, limit_bytes: int) -> None:
    """What stands in memory on the way is near the bound, and far from what the body claims to be."""
    bomb = PACK[coding](b"0" * 64 * MiB)
    tracemalloc.start()
    whole, part = undo(bomb, coding, limit_bytes), undo_partly(bomb, coding, limit_bytes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert whole is None
    assert part is None or (len(part[0]) == limit_bytes and not part[1])
    assert peak < 4 * limit_bytes


@pytest.mark.parametrize("coding", PACK)
def test_the_bound_holds_at_every_step(coding: bytes) -> None:
    """A bomb inside a bomb does not get past the first."""
    bomb = _gzip(PACK[coding](b"0" * 20 * MiB))
    bomb = PACK[coding](PACK[coding](bomb + b"0" * 20 * MiB))
    assert undo(bomb, b", ".join([coding] * 3), 8 * MiB) is None


def test_a_window_beyond_what_http_allows_is_refused() -> None:
    """The sender decides how much memory a frame takes to read: 8 MiB at most (RFC 9659)."""
    for window_log, fits in ((23, True), (24, False)):
        packer = zstd.ZstdCompressor(options={int(zstd.CompressionParameter.window_log): window_log})
        assert (undo(packer.compress(TEXT) + packer.flush(), b"zstd", MiB) == TEXT) == fits


_WORDS = random.Random(4)
_LONG = b"".join(b"%d words, " % _WORDS.randrange(10**9) for _ in range(20_000))


@pytest.mark.parametrize("coding", PACK)
def test_of_an_error_the_beginning_counts(coding: bytes) -> None:
    """What came of a body that was cut off is unpacked, through every coding; that it is not all is said."""
    packed = PACK[coding](_LONG)
    assert undo_partly(packed, coding, MiB) == (_LONG, True)
    found = undo_partly(packed[: len(packed) // 2], coding, MiB)
    assert found is not None
    body, whole = found
    assert not whole
    assert len(body) > len(_LONG) // 4
    assert _LONG.startswith(body)
    found = undo_partly(_gzip(packed)[: len(packed) // 2], coding + b", gzip", MiB)
    assert found is not None
    assert _LONG.startswith(found[0])
    assert len(found[0]) > len(_LONG) // 5


@pytest.mark.parametrize("coding", PACK)
def test_of_an_error_over_the_limit_the_beginning_counts(coding: bytes) -> None:
    """As of one that is not coded."""
    assert undo_partly(PACK[coding](_LONG), coding, 1_000) == (_LONG[:1_000], False)


@pytest.mark.parametrize("coding", PACK)
def test_nothing_is_made_of_an_error_that_is_not_what_its_coding_says(coding: bytes) -> None:
    """Neither of rubbish, nor of what claims to be too many times larger than it is."""
    assert undo_partly(b"\xff rubbish", coding, MiB) is None
    assert undo_partly(PACK[coding](b"0" * 20 * MiB)[:2_000], b"compress", 8 * MiB) is None
