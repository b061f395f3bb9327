"""Heads that were read before: they are read as if for the first time, and bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import TransportFailure
from gateway.upstream.reply import KnownHeads, ReplyReader
from tests.unit.upstream.samples import ACCEPTED, REFUSED

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD_BYTES = 64 * 1024
SAMPLES = [*(sample.data for sample in ACCEPTED.values()), *REFUSED.values()]


def read(pieces: Sequence[bytes], known: KnownHeads | None, *, to_head: bool = False) -> tuple[object, ...]:
    """Return all that can be seen of a reply."""
    reader = ReplyReader(to_head=to_head, head_bytes=HEAD_BYTES, known=known)
    refused = False
    try:
        for piece in pieces:
            reader.feed(piece)
    except TransportFailure:
        refused = True
    head = reader.head
    body = b"".join(reader.chunks)
    return head.status, head.headers, head.content_length, body, reader.complete, reader.persistent, refused


@given(st.data())
def test_what_was_read_before_makes_no_difference(data: st.DataObject) -> None:
    """Whatever replies came before, in whatever pieces, each is read as it is without them."""
    known = KnownHeads()
    for _ in range(data.draw(st.integers(1, 6))):
        sample = data.draw(st.sampled_from(SAMPLES))
        cut = data.draw(st.integers(0, len(sample)))
        pieces = [sample[:cut], sample[cut:]] if data.draw(st.booleans()) else [sample]
        pieces = [piece for piece in pieces if piece]
        to_head = data.draw(st.booleans())
        assert read(pieces, known, to_head=to_head) == read(pieces, None, to_head=to_head)


def test_the_same_bytes_share_one_value() -> None:
    """What was worked out of a head serves the next reply with the same one, and no other."""
    known = KnownHeads()
    first, second, other = (ReplyReader(to_head=False, head_bytes=HEAD_BYTES, known=known) for _ in range(3))
    first.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
    second.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz")
    other.feed(b"HTTP/1.1 200 OK\r\nContent-length: 3\r\n\r\nabc")
    assert second.head is first.head
    assert b"".join(second.chunks) == b"xyz"
    assert other.head is not first.head


@pytest.mark.parametrize("length", [10, KnownHeads.LONGEST_BYTES])
def test_memory_is_bounded(length: int) -> None:
    """However many heads come, and however long they are."""
    known = KnownHeads()
    for number in range(3 * KnownHeads.MOST):
        reader = ReplyReader(to_head=False, head_bytes=HEAD_BYTES, known=known)
        reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: %0*d\r\n\r\n" % (length, number))
        assert reader.complete
    assert len(known) <= KnownHeads.MOST
    assert all(len(written) <= KnownHeads.LONGEST_BYTES for written in known)
