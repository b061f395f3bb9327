"""Content codings undone, within bounds (RFC 9110 section 8.4.1)."""

from __future__ import annotations

import gzip
import zlib

import pytest

from gateway.pipeline.codings import ALWAYS_ALLOWED, can_undo, undo

TEXT = b'{"a": "' + b"words " * 20 + b'"}'
MiB = 2**20


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
        (b"br", False),
        (b"gzip, zstd", False),
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
        (gzip.compress(TEXT), b"gzip"),
        (gzip.compress(TEXT), b"X-GZIP"),
        (zlib.compress(TEXT), b"deflate"),
        (_bare_deflate(TEXT), b"deflate"),
        (gzip.compress(zlib.compress(TEXT)), b"deflate, gzip"),
        (zlib.compress(gzip.compress(gzip.compress(TEXT))), b"gzip, gzip, deflate"),
        (gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:]), b"gzip"),
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
        (gzip.compress(TEXT)[:-9], b"gzip"),
        (gzip.compress(TEXT)[:20], b"gzip"),
        (gzip.compress(TEXT) + b"rubbish", b"gzip"),
        (zlib.compress(TEXT) + b"rubbish", b"deflate"),
        (gzip.compress(b"x" * MiB) + gzip.compress(b"x"), b"gzip"),
        (zlib.compress(TEXT)[:-1], b"deflate"),
        (b"", b"gzip"),
        (gzip.compress(TEXT), b"gzip, gzip"),
        (gzip.compress(TEXT), b"gzip, deflate, gzip"),
    ],
)
def test_what_is_not_what_its_coding_says_is_opaque(body: bytes, coding: bytes) -> None:
    """Nothing is made of half a body, or of one that was labelled wrongly."""
    assert undo(body, coding, MiB) is None


@pytest.mark.parametrize(
    ("size", "limit_bytes", "fits"),
    [
        (ALWAYS_ALLOWED - 1, MiB, True),
        (ALWAYS_ALLOWED + 1, MiB, False),
        (1_000, 1_001, True),
        (1_001, 1_000, False),
        (MiB, 0, False),
    ],
)
def test_a_small_body_cannot_claim_to_be_a_huge_one(size: int, limit_bytes: int, *, fits: bool) -> None:
    """At most 100 times its size is unpacked, but always 64 KiB, and never more than the limit."""
    assert (undo(gzip.compress(b" " * size), b"gzip", limit_bytes) is not None) == fits


def test_a_body_that_shrank_a_little_is_unpacked_whole() -> None:
    """The ratio of honest text is far below the bound."""
    text = b"".join(b"%d words, " % number for number in range(60_000))
    assert undo(gzip.compress(text), b"gzip", MiB) == text
    assert undo(gzip.compress(text), b"gzip", MiB // 4) is None


def test_the_bound_holds_at_every_step() -> None:
    """A bomb inside a bomb does not get past the first."""
    bomb = gzip.compress(gzip.compress(b"0" * 20 * MiB))
    assert undo(bomb, b"gzip, gzip", 8 * MiB) is None
