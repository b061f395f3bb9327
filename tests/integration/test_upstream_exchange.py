"""One exchange with a scripted origin: what goes out, what comes back, and what becomes of the connection."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ClientGone, TransportFailure, TransportReason
from gateway.upstream import UpstreamRequest
from tests.integration.loops import LOOPS, LoopFactory, on_every_loop, run
from tests.integration.origin import body, gone, half_close, head, last_chunk, send, serve, wait
from tests.integration.pools import HOST, get, pieces_of, pool_to, rest_of
from tests.unit.upstream.samples import ACCEPTED, CHUNKED, OK, REFUSED, Accepted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from gateway.upstream import Exchange, Pool

HELLO = OK + b"Content-Length: 5\r\n\r\nhello"
EMPTY = OK + b"Content-Length: 0\r\n\r\n"


# --------------------------------------------------------------------------------------------------------- the request


@on_every_loop
async def test_a_request_without_a_body_goes_out_as_one_head() -> None:
    """The origin sees the request line, the fields, and nothing else."""
    async with serve((head(), send(HELLO))) as origin, pool_to(origin) as pool:
        request = get(b"/a%2Fb//?c", headers=((b"Expect", b"100-continue"), (b"x-A", b"1"), (b"Connection", b"close")))
        exchange = await pool.send(request)
        assert (exchange.status, await rest_of(exchange)) == (200, b"hello")
        exchange.close()
        assert origin.conversations[0].received == b"GET /a%2Fb//?c HTTP/1.1\r\nHost: origin.example\r\nx-A: 1\r\n\r\n"


@on_every_loop
async def test_a_body_at_hand_goes_out_with_its_head() -> None:
    """A buffered body has its length."""
    async with serve((head(), body(3), send(EMPTY))) as origin, pool_to(origin) as pool:
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), body=b"abc")
        (await pool.send(request)).close()
        assert origin.conversations[0].received.endswith(b"\r\nContent-Length: 3\r\n\r\nabc")
        assert pool.stats().idle == 1


@on_every_loop
async def test_a_streamed_body_of_declared_length_goes_out_as_it_is() -> None:
    """What is at hand goes first, the rest behind it, in the length that was declared."""
    async with serve((head(), body(9), send(EMPTY))) as origin, pool_to(origin) as pool:
        rest = pieces_of(b"def", b"", b"ghi")
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), body=b"abc", rest=rest, length=9)
        (await pool.send(request)).close()
        assert origin.conversations[0].received.endswith(b"\r\nContent-Length: 9\r\n\r\nabcdefghi")
        assert pool.stats().idle == 1


@on_every_loop
async def test_a_streamed_body_of_unknown_length_goes_out_in_chunks() -> None:
    """Without a length the body is chunked, and an empty piece does not end it."""
    async with serve((head(), last_chunk(), send(EMPTY))) as origin, pool_to(origin) as pool:
        rest = pieces_of(b"def", b"", b"x" * 26)
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), body=b"abc", rest=rest)
        (await pool.send(request)).close()
        chunks = b"3\r\nabc\r\n3\r\ndef\r\n1a\r\n" + b"x" * 26 + b"\r\n0\r\n\r\n"
        assert origin.conversations[0].received.endswith(b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        assert pool.stats().idle == 1


@on_every_loop
async def test_a_remainder_that_is_not_needed_is_not_asked_for() -> None:
    """When all of the declared length is at hand, the rest is left alone."""
    async with serve((head(), body(3), send(EMPTY))) as origin, pool_to(origin) as pool:
        rest = pieces_of(b"def")
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), body=b"abc", rest=rest, length=3)
        (await pool.send(request)).close()
        assert await anext(rest) == b"def"
        await rest.aclose()


@on_every_loop
async def test_a_declared_length_ends_a_request() -> None:
    """When all of the declared length is sent the request is whole, though its source does not say that it ended."""
    never = asyncio.Event()

    async def silent() -> AsyncIterator[bytes]:
        yield b"def"
        await never.wait()

    async with serve((head(), body(6), send(EMPTY))) as origin, pool_to(origin) as pool:
        rest = silent()
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), body=b"abc", rest=rest, length=6)
        (await pool.send(request)).close()
        assert pool.stats().idle == 1


@on_every_loop
async def test_what_the_remainder_raises_comes_out_of_send() -> None:
    """A client that breaks off its upload ends the exchange with its own exception, and the connection is cut."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"abc"
        raise ClientGone("the client left")

    async with serve((head(), gone())) as origin, pool_to(origin) as pool:
        with pytest.raises(ClientGone, match="the client left"):
            await pool.send(UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=broken()))
        await (await origin.conversation(0)).gone.wait()
        assert pool.stats().open == 0


@on_every_loop
async def test_a_remainder_that_is_cancelled_elsewhere_ends_the_request() -> None:
    """A source that somebody else gives up does not leave the request waiting."""
    source: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def given_up() -> AsyncIterator[bytes]:
        yield b"abc"
        source.cancel()
        yield await source

    async with serve((head(), gone())) as origin, pool_to(origin) as pool:
        with pytest.raises(ClientGone, match="given up"):
            await pool.send(UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=given_up()))
        assert pool.stats().open == 0


@on_every_loop
async def test_a_remainder_that_ends_early_is_the_clients_fault() -> None:
    """A body shorter than declared is never padded: the connection is cut."""
    async with serve((head(), gone())) as origin, pool_to(origin) as pool:
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=pieces_of(b"abc"), length=5)
        with pytest.raises(ClientGone, match="2 bytes early"):
            await pool.send(request)
        assert pool.stats().open == 0


@on_every_loop
async def test_a_remainder_that_does_not_end_is_a_bug() -> None:
    """A body longer than declared would be the next request: it is not sent."""
    async with serve((head(), gone())) as origin, pool_to(origin) as pool:
        rest = pieces_of(b"abc", b"def")
        request = UpstreamRequest(method=b"POST", target=b"/", headers=(HOST,), rest=rest, length=5)
        with pytest.raises(ValueError, match="longer than"):
            await pool.send(request)
        await (await origin.conversation(0)).gone.wait()
        assert origin.conversations[0].received.endswith(b"\r\n\r\nabc")
        await rest.aclose()


@on_every_loop
async def test_a_head_that_would_split_never_leaves() -> None:
    """A request with a line break in its head takes no connection."""
    async with serve(()) as origin, pool_to(origin) as pool:
        with pytest.raises(ValueError, match="control character"):
            await pool.send(get(b"/", headers=((b"X", b"1\r\nY: 2"),)))
        assert origin.conversations == []
        assert pool.stats().open == 0


# ----------------------------------------------------------------------------------------------------------- the reply


async def outcome(pool: Pool, method: bytes = b"GET") -> tuple[object, ...]:
    """All that can be seen of an exchange."""
    exchange = None
    pieces: list[bytes] = []
    try:
        exchange = await pool.send(get(method=method))
        while piece := await exchange.read():
            pieces.append(piece)
    except TransportFailure as failure:
        status = exchange and (exchange.status, exchange.headers)
        return failure.reason, status, b"".join(pieces)
    finally:
        if exchange is not None:
            exchange.close()
    return exchange.status, exchange.headers, exchange.content_length, b"".join(pieces)


@pytest.mark.parametrize("name", ACCEPTED)
@on_every_loop
async def test_a_well_formed_reply_arrives(name: str) -> None:
    """Each accepted sample arrives, and its connection rests afterwards only if it may be used again."""
    sample = ACCEPTED[name]
    script = (head(), send(sample.data), *([half_close()] if sample.to_close else []))
    async with serve(script) as origin, pool_to(origin) as pool:
        status, _, length, content = await outcome(pool, sample.method)
        assert (status, length, content) == (sample.status, sample.length, sample.body)
        assert pool.stats().idle == pool.stats().open == int(sample.persistent)
        if not sample.persistent:
            await origin.conversations[0].gone.wait()


@pytest.mark.parametrize("name", REFUSED)
@on_every_loop
async def test_a_malformed_reply_is_refused(name: str) -> None:
    """Each refused sample ends in HTTP_PROTOCOL_ERROR and cuts the connection."""
    async with serve((head(), send(REFUSED[name]))) as origin, pool_to(origin) as pool:
        reason, *_ = await outcome(pool)
        assert reason is TransportReason.HTTP_PROTOCOL_ERROR
        await origin.conversations[0].gone.wait()
        assert pool.stats().open == 0


@on_every_loop
async def test_an_oversize_head_is_refused() -> None:
    """A head is bounded, by 64 KiB unless another bound is set."""
    long = OK + b"X: " + b"a" * (64 * 1024)
    async with serve((head(), send(long))) as origin, pool_to(origin) as pool:
        assert (await outcome(pool))[0] is TransportReason.HTTP_PROTOCOL_ERROR
    async with serve((head(), send(OK + b"X: " + b"a" * 2000))) as origin, pool_to(origin, head_bytes=1024) as pool:
        assert (await outcome(pool))[0] is TransportReason.HTTP_PROTOCOL_ERROR


@on_every_loop
async def test_the_head_is_there_before_the_body() -> None:
    """A reply is told as soon as its head is complete, and each piece of its body when it comes."""
    first, second = asyncio.Event(), asyncio.Event()
    script = (head(), send(OK + b"Content-Length: 6\r\n\r\n"), wait(first), send(b"abc"), wait(second), send(b"def"))
    async with serve(script) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        assert exchange.content_length == 6
        first.set()
        assert await exchange.read() == b"abc"
        second.set()
        assert await exchange.read() == b"def"
        assert await exchange.read() == b""
        assert await exchange.read() == b""
        exchange.close()


@on_every_loop
async def test_interim_replies_do_not_answer() -> None:
    """100 and 103 are passed over, however long the reply takes after them."""
    seen = asyncio.Event()
    script = (head(), send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"), wait(seen), send(HELLO))
    async with serve(script) as origin, pool_to(origin) as pool:
        sending = asyncio.ensure_future(pool.send(get()))
        await (await origin.conversation(0)).until_sent()
        assert not sending.done()
        seen.set()
        exchange = await sending
        assert exchange.status == 200
        exchange.close()


# ------------------------------------------------------------------------------------------- the end, and what follows


@on_every_loop
async def test_a_connection_is_used_again() -> None:
    """Exchanges that ended cleanly and completely follow each other on one connection."""
    script = (
        head(),
        send(HELLO),
        head(),
        send(CHUNKED + b"0\r\n\r\n"),
        head(),
        send(OK + b"Content-Length: 9\r\n\r\n"),
    )
    async with serve((*script, head(), send(EMPTY))) as origin, pool_to(origin) as pool:
        for method in (b"GET", b"POST", b"HEAD", b"GET"):
            await outcome(pool, method)
        assert len(origin.conversations) == 1


@on_every_loop
async def test_a_complete_reply_need_not_be_read() -> None:
    """A reply that has come whole gives its connection back though nobody took its body."""
    async with serve((head(), send(HELLO), head(), send(HELLO))) as origin, pool_to(origin) as pool:
        (await pool.send(get())).close()
        assert await outcome(pool) == (200, ((b"Content-Length", b"5"),), 5, b"hello")
        assert len(origin.conversations) == 1


@on_every_loop
async def test_a_reply_left_unread_cuts_the_connection() -> None:
    """Nobody waits for the rest of a reply that nobody wants."""
    async with serve((head(), send(OK + b"Content-Length: 9\r\n\r\nhello"))) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        exchange.close()
        assert pool.stats().open == 0
        await origin.conversations[0].gone.wait()
        assert await exchange.read() == b"hello"
        with pytest.raises(TransportFailure, match="closed before its end"):
            await exchange.read()


@on_every_loop
async def test_closing_twice_is_closing_once() -> None:
    """An exchange that was closed has no power over the next one on its connection."""
    held = asyncio.Event()
    script = (head(), send(HELLO), head(), send(OK + b"Content-Length: 5\r\n\r\n"), wait(held), send(b"hello"))
    async with serve(script) as origin, pool_to(origin) as pool:
        first = await pool.send(get())
        first.close()
        second = await pool.send(get())
        first.close()
        held.set()
        assert await rest_of(second) == b"hello"
        second.close()
        second.close()
        assert pool.stats().idle == 1


async def captured(exchange: Exchange, limit_bytes: int) -> tuple[bytes, bool, bytes]:
    """Capture, then read the rest."""
    beginning, more = await exchange.capture(limit_bytes)
    return beginning, more, await rest_of(exchange)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (0, (b"", True, b"hello")),
        (3, (b"hel", True, b"lo")),
        (4, (b"hell", True, b"o")),
        (5, (b"hello", False, b"")),
        (99, (b"hello", False, b"")),
    ],
)
@pytest.mark.parametrize("pieces", [(b"hello",), (b"hel", b"lo"), (b"h", b"e", b"l", b"l", b"o")], ids=len)
@pytest.mark.parametrize("together", [True, False])
@on_every_loop
async def test_a_body_is_captured_up_to_a_limit(
    limit: int, expected: tuple[bytes, bool, bytes], pieces: Sequence[bytes], together: bool
) -> None:
    """A capture ends at the limit and says whether more remains, which can then be read."""
    start = asyncio.Event()
    first = (send(CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"),)
    later = (send(OK + b"Content-Length: 5\r\n\r\n"), wait(start), *map(send, pieces))
    async with serve((head(), *(first if together else later))) as origin, pool_to(origin) as pool:
        exchange = await pool.send(get())
        start.set()
        assert await captured(exchange, limit) == expected
        exchange.close()
        assert pool.stats().idle == 1


# ------------------------------------------------------------------------------------------ in whatever pieces it comes

SAMPLES = st.sampled_from([*ACCEPTED.values(), *(Accepted(data=data) for data in REFUSED.values())])


@pytest.mark.parametrize("loop_factory", LOOPS.values(), ids=LOOPS.keys())
@given(sample=SAMPLES, places=st.lists(st.integers(0, 10_000), min_size=1, max_size=6))
def test_pieces_make_no_difference(loop_factory: LoopFactory, sample: Accepted, places: list[int]) -> None:
    """However the network cuts a reply, the same status, fields, body and failure come out."""
    edges = [0, *sorted(place % (len(sample.data) + 1) for place in places), len(sample.data)]
    pieces = [sample.data[begin:end] for begin, end in itertools.pairwise(edges)]
    seen: list[tuple[object, ...]] = []

    async def conversation(*parts: bytes) -> None:
        async with serve((head(), send(*parts), half_close())) as origin, pool_to(origin) as pool:
            seen.append(await outcome(pool, sample.method))

    run(conversation(sample.data), loop_factory)
    run(conversation(*pieces), loop_factory)
    assert seen[0] == seen[1]
