"""Reading replies: what is taken, what is refused, and that the pieces in which bytes come make no difference."""

from __future__ import annotations

import gc
import itertools
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import TransportFailure, TransportReason
from gateway.upstream.reply import ReplyReader
from tests.unit.upstream.samples import ACCEPTED, CHUNKED, OK, REFUSED, Accepted

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Read:
    """All that can be seen of a reply that was read."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    length: int | None
    body: bytes
    complete: bool
    persistent: bool
    refused: bool


def read(
    pieces: Iterable[bytes],
    *,
    method: bytes = b"GET",
    head_bytes: int = HEAD_BYTES,
    to_close: bool = False,
    upgrade: bool = False,
) -> Read:
    """Feed `pieces`, and take every piece of the body as it comes."""
    reader = ReplyReader(to_head=method == b"HEAD", head_bytes=head_bytes, upgrade=upgrade)
    body, refused = b"", False
    for piece in pieces:
        try:
            reader.feed(piece)
        except TransportFailure as failure:
            refused = failure.reason is TransportReason.HTTP_PROTOCOL_ERROR
        assert reader.buffered == sum(map(len, reader.chunks))
        body += b"".join(reader.chunks)
        reader.chunks.clear()
        reader.buffered = 0
        if refused:
            break
    persistent = reader.complete and reader.persistent
    if to_close:
        reader.end()
    # A reply that is refused, or was never complete, keeps no connection: there is nothing to compare.
    head = reader.head
    return Read(head.status, head.headers, head.content_length, body, reader.complete, persistent, refused)


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut `data` at `places`."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(edges)]


def bytewise(data: bytes) -> list[bytes]:
    """Cut `data` everywhere."""
    return [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_well_formed_reply_is_read(name: str) -> None:
    """Each accepted sample gives its status, body and persistence, whole or byte by byte."""
    sample = ACCEPTED[name]
    for pieces in ([sample.data], bytewise(sample.data)):
        result = read(pieces, method=sample.method, to_close=sample.to_close)
        assert not result.refused
        assert result.complete
        assert (result.status, result.body, result.length) == (sample.status, sample.body, sample.length)
        assert result.persistent is sample.persistent


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_reply_is_refused(name: str) -> None:
    """Each refused sample is an HTTP protocol error, whole or byte by byte, and never complete."""
    data = REFUSED[name]
    for pieces in ([data], bytewise(data)):
        result = read(pieces)
        assert result.refused
        assert not result.complete


@pytest.mark.parametrize("name", [name for name, data in REFUSED.items() if not data.startswith(CHUNKED)])
def test_a_malformed_head_is_refused_on_head_requests_too(name: str) -> None:
    """That a reply answers HEAD excuses nothing in its head."""
    assert read([REFUSED[name]], method=b"HEAD").refused


SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
FRAMES = b"\x81\x02hi\r\n\r\nHTTP/1.1 200 OK\r\n\r\n\x00\xff"


@pytest.mark.parametrize("interim", [b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"])
def test_a_101_that_was_asked_for_is_final(interim: bytes) -> None:
    """What follows it is not looked at, and its connection carries no other exchange."""
    data = interim + SWITCHED + FRAMES
    for pieces in ([data], bytewise(data)):
        result = read(pieces, upgrade=True)
        assert (result.status, result.body, result.refused) == (101, FRAMES, False)
        assert result.headers == ((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"))
        assert not result.complete
        assert read(pieces, upgrade=True, to_close=True).complete


@pytest.mark.parametrize("data", [SWITCHED.replace(b"1.1", b"1.0", 1), REFUSED["101 without a word"]])
def test_a_101_that_switches_nothing_is_refused(data: bytes) -> None:
    """One of HTTP/1.0, which knows none, and one that does not say to what."""
    for pieces in ([data], bytewise(data)):
        assert read(pieces, upgrade=True).refused


SAMPLES = st.sampled_from(
    [
        *ACCEPTED.values(),
        *(Accepted(data=data) for data in REFUSED.values()),
        *(Accepted(data=data[:-3]) for data in REFUSED.values()),
    ]
)


@given(SAMPLES, st.lists(st.integers(0, 10_000), max_size=8))
def test_pieces_make_no_difference(sample: Accepted, places: list[int]) -> None:
    """However a reply is cut, the same comes out of it, to the byte."""
    whole = read([sample.data], method=sample.method, to_close=sample.to_close)
    assert read(cut(sample.data, places), method=sample.method, to_close=sample.to_close) == whole


@given(SAMPLES, st.lists(st.integers(0, 10_000), max_size=8))
def test_who_asks_to_switch_reads_all_else_alike(sample: Accepted, places: list[int]) -> None:
    """An upgrade that was asked for and not made leaves an ordinary reply."""
    whole = read([sample.data], method=sample.method, to_close=sample.to_close)
    pieces = cut(sample.data, places)
    if sample.data != REFUSED["unsolicited 101"]:
        assert read(pieces, method=sample.method, to_close=sample.to_close, upgrade=True) == whole


TOKENS = st.sampled_from(
    [
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b"0",
        b"3",
        b"abc",
        b"\r\n0\r\n\r\n",
        b":",
        b" ",
        b";",
        b"HTTP/1.1 ",
        b"200",
        OK,
        CHUNKED,
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"\0",
        b"\xff",
    ]
)


@given(
    st.sampled_from([b"", OK, CHUNKED]),
    st.lists(TOKENS, max_size=12).map(b"".join),
    st.lists(st.integers(0, 10_000), max_size=6),
)
def test_pieces_make_no_difference_to_nonsense(start: bytes, data: bytes, places: list[int]) -> None:
    """What nobody would send is judged the same in any pieces."""
    assert read(cut(start + data, places)) == read([start + data])


@given(st.binary(max_size=200), st.lists(st.integers(0, 10_000), max_size=6))
def test_chunks_come_out_as_they_went_in(body: bytes, places: list[int]) -> None:
    """A body written in any chunks is read as it was."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in cut(body, places) if piece)
    result = read(cut(CHUNKED + chunks + b"0\r\n\r\n", places))
    assert result.body == body
    assert result.persistent


def test_fields_come_as_received() -> None:
    """Fields keep their order, spelling, repeats and bytes; only the white space around values goes."""
    head = b"Set-Cookie: a=1\r\nX-Note:  \xd9\xa5\xff \t\r\nset-cookie:b=2\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n"
    expected = (
        (b"Set-Cookie", b"a=1"),
        (b"X-Note", b"\xd9\xa5\xff"),
        (b"set-cookie", b"b=2"),
        (b"X-Empty", b""),
        (b"Content-Length", b"0"),
    )
    assert read([OK + head]).headers == expected
    assert read(bytewise(OK + head)).headers == expected


def test_the_fields_of_interim_replies_are_dropped() -> None:
    """What 103 hinted at is not part of the reply."""
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    assert read([hint, hint, OK + b"A: b\r\n\r\n"]).headers == ((b"A", b"b"),)


def head_of(size: int) -> bytes:
    """A head of exactly `size` bytes."""
    rest = b"Content-Length: 0\r\n\r\n"
    return OK + b"X: " + b"a" * (size - len(OK) - len(rest) - 5) + b"\r\n" + rest


@pytest.mark.parametrize("pieces", [1, 100])
def test_a_head_is_bounded(pieces: int) -> None:
    """A head of as many bytes as the bound is taken, one more is refused, though its end never came."""
    size = 1000
    step = size // pieces
    fits, exceeds = head_of(size), head_of(size + 1)
    assert len(fits) == size
    assert read(cut(fits, range(0, size, step)), head_bytes=size).complete
    assert read(cut(exceeds, range(0, size, step)), head_bytes=size).refused
    assert read(cut(exceeds[:-4] + b"a" * 4, range(0, size, step)), head_bytes=size).refused


def test_the_bound_on_the_head_does_not_count_the_body() -> None:
    """A body that comes with the head may be longer than the bound on the head."""
    result = read([OK + b"Content-Length: 5000\r\n\r\n" + b"x" * 5000], head_bytes=1000)
    assert len(result.body) == 5000


def test_interim_replies_share_the_bound() -> None:
    """An upstream cannot send interim replies without end."""
    assert read([b"HTTP/1.1 102 Processing\r\n\r\n" * 40], head_bytes=1000).refused


def test_trailers_are_bounded() -> None:
    """Trailers may not be longer than a head, whether of many fields or of one that never ends."""
    start = CHUNKED + b"3\r\nabc\r\n0\r\n"
    for trailer in (b"X-Note: a\r\n", b"a"):
        assert read([start, b"X: ", *([trailer] * 2000)], head_bytes=1000).refused


def test_chunk_extensions_are_bounded() -> None:
    """A chunk extension may not go on for ever, but many chunks may."""
    assert read([CHUNKED, b"3;", *([b"a" * 100] * 20)], head_bytes=1000).refused
    assert not read([CHUNKED, *([b"3;" + b"a" * 500 + b"\r\n", b"abc\r\n"] * 20)], head_bytes=1000).refused


@pytest.mark.parametrize(
    "data", [b"", OK, OK + b"Content-Length: 5\r\n\r\nhell", CHUNKED, CHUNKED + b"3\r\nabc\r\n0\r\n"]
)
def test_an_early_end_completes_nothing(data: bytes) -> None:
    """The end of the stream ends only a reply that has no other end."""
    assert not read([data], to_close=True).complete


def test_a_reader_is_freed_without_the_garbage_collector() -> None:
    """Reader and parser do not keep each other alive once a reply is complete, on the way that most replies take."""
    gc.disable()
    try:
        for sample in (ACCEPTED["a length"], ACCEPTED["chunks"], ACCEPTED["no body"]):
            reader = ReplyReader(to_head=False, head_bytes=HEAD_BYTES)
            reader.feed(sample.data)
            watch = weakref.ref(reader)
            del reader
            assert watch() is None
    finally:
        gc.enable()
