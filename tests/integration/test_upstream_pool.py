"""The pool: who gets a connection, who waits, what is sent again, and how it all ends."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import TransportFailure, TransportReason
from gateway.upstream import Pool, Stats, Transport, UpstreamRequest, client_context
from tests.integration.loops import LOOPS, LoopFactory, on_every_loop, run
from tests.integration.origin import body, close, gone, half_close, head, reset, send, serve, tell, wait
from tests.integration.pools import HOST, Patience, Room, get, pieces_of, pool_to, rest_of, turns
from tests.unit.upstream.samples import OK

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.upstream import Exchange
    from tests.integration.origin import Step

    Ending = Callable[[], Step]

HELLO = OK + b"Content-Length: 5\r\n\r\nhello"
EMPTY = OK + b"Content-Length: 0\r\n\r\n"
CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


def again(*steps: Step) -> list[Step]:
    """Answer for ever, as far as tests go, with `steps`."""
    return [*steps] * 50


async def status_of(pool: Transport, request: UpstreamRequest) -> int:
    """Exchange one request for a status."""
    exchange = await pool.send(request)
    try:
        await rest_of(exchange)
    finally:
        exchange.close()
    return exchange.status


# ---------------------------------------------------------------------------------------------------------------- reuse


@on_every_loop
async def test_the_connection_that_rested_least_goes_first() -> None:
    """Reuse is last in, first out, so that surplus connections rest and expire."""
    async with serve(again(head(), send(HELLO))) as origin, pool_to(origin) as pool:
        exchanges = [await pool.send(get(b"/%d" % number)) for number in range(3)]
        for number in (1, 0, 2):
            exchanges[number].close()
        for target in (b"/x", b"/y"):
            await status_of(pool, get(target))
        received = [bytes(conversation.received) for conversation in origin.conversations]
        assert [text.count(b"GET ") for text in received] == [1, 1, 3]
        assert pool.stats() == Stats(open=3, idle=3, waiting=0)


@on_every_loop
async def test_connections_are_opened_only_when_needed() -> None:
    """A pool that was not asked opens nothing, and one request at a time needs one connection."""
    async with serve(again(head(), send(HELLO))) as origin, pool_to(origin) as pool:
        await turns()
        assert origin.conversations == []
        for _ in range(20):
            await status_of(pool, get())
        assert len(origin.conversations) == 1


# -------------------------------------------------------------------------------------------------------- cap and queue


@on_every_loop
async def test_there_are_never_more_connections_than_allowed() -> None:
    """Requests beyond the cap wait, and are served in the order in which they came."""
    order: list[int] = []
    async with (
        serve(again(head(), send(HELLO))) as origin,
        pool_to(origin, limits=Room(max_connections=2, max_waiting=50)) as pool,
    ):

        async def one(number: int) -> None:
            exchange = await pool.send(get())
            order.append(number)
            await turns(5)
            assert pool.stats().open <= 2
            exchange.close()

        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(one(number))
        assert len(origin.conversations) == 2
        assert len(order) == 20
        waited = [number for number in order if number >= 2]
        assert waited == sorted(waited)


@on_every_loop
async def test_the_queue_is_bounded() -> None:
    """Where too many wait, the next is refused at once."""
    held = asyncio.Event()
    async with (
        serve((head(), wait(held), send(HELLO), *again(head(), send(HELLO)))) as origin,
        pool_to(origin, limits=Room(max_connections=1, max_waiting=2)) as pool,
    ):
        tasks = [asyncio.ensure_future(status_of(pool, get())) for _ in range(3)]
        await origin.conversation(0)
        await turns()
        assert pool.stats() == Stats(open=1, idle=0, waiting=2)
        with pytest.raises(TransportFailure) as caught:
            await pool.send(get())
        assert caught.value.reason is TransportReason.CONNECTION_LIMIT_REACHED
        held.set()
        assert await asyncio.gather(*tasks) == [200, 200, 200]


@on_every_loop
async def test_without_a_queue_nobody_waits() -> None:
    """A queue of none refuses whatever exceeds the cap."""
    async with serve((head(),)) as origin, pool_to(origin, limits=Room(max_connections=1, max_waiting=0)) as pool:
        first = asyncio.ensure_future(pool.send(get()))
        await origin.conversation(0)
        with pytest.raises(TransportFailure):
            await pool.send(get())
        first.cancel()
        await asyncio.wait([first])


@on_every_loop
async def test_who_waits_gets_the_place_of_a_connection_that_ended() -> None:
    """A place whose connection was cut goes on: the next in line opens a new one in it."""
    scripts = ((head(), send(OK + b"Content-Length: 9\r\n\r\n")), (head(), send(HELLO)))
    async with serve(*scripts) as origin, pool_to(origin, limits=Room(max_connections=1)) as pool:
        exchange = await pool.send(get())
        waiting = asyncio.ensure_future(status_of(pool, get()))
        await turns()
        exchange.close()
        assert pool.stats().open == 1
        assert await waiting == 200


@on_every_loop
async def test_who_waits_gets_the_place_of_a_connection_that_never_came() -> None:
    """A failure to connect gives its place on, and each who tries gets an answer of his own."""
    async with serve(()) as origin:
        pass
    async with pool_to(origin, limits=Room(max_connections=1)) as pool:
        results = await asyncio.gather(*(pool.send(get()) for _ in range(4)), return_exceptions=True)
        reasons = [result.reason for result in results if isinstance(result, TransportFailure)]
        assert reasons == [TransportReason.CONNECTION_REFUSED] * 4
        assert pool.stats() == Stats(open=0, idle=0, waiting=0)


@on_every_loop
async def test_a_connection_that_dies_as_it_is_handed_over_is_replaced() -> None:
    """Who is given a dead connection opens a new one in its place."""
    async with (
        serve((head(), send(HELLO)), (head(), send(CREATED))) as origin,
        pool_to(origin, limits=Room(max_connections=1)) as pool,
    ):
        exchange = await pool.send(get())
        waiting = asyncio.ensure_future(status_of(pool, get(method=b"POST")))
        await turns()
        exchange.close()
        for connection in pool._all:  # noqa: SLF001 - the end comes in the one turn between giving and taking
            connection.cut()
        assert await waiting == 201


# ----------------------------------------------------------------------------------------------------- the stale race


def stale(ending: Ending, sent: bytes = b"") -> tuple[Step, ...]:
    """Answer once, and end as the second request comes."""
    return (head(), send(HELLO), head(), send(sent), ending()) if sent else (head(), send(HELLO), head(), ending())


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS"])
@pytest.mark.parametrize("ending", [close, half_close, reset])
@on_every_loop
async def test_a_request_that_met_a_dying_connection_is_sent_again(ending: Ending, method: bytes) -> None:
    """An idempotent request on a connection that ended without a byte goes out once more, on a new connection."""
    async with serve(stale(ending), (head(), send(CREATED))) as origin, pool_to(origin) as pool:
        assert await status_of(pool, get()) == 200
        content = b"abc" if method == b"PUT" else None
        request = UpstreamRequest(method=method, target=b"/x", headers=(HOST,), body=content)
        assert await status_of(pool, request) == 201
        assert origin.conversations[1].received.startswith(method + b" /x HTTP/1.1\r\n")
        if content is not None:
            assert origin.conversations[1].received.endswith(b"\r\n\r\nabc")
        assert pool.stats() == Stats(open=1, idle=1, waiting=0)


@pytest.mark.parametrize("method", [b"POST", b"PATCH"])
@on_every_loop
async def test_a_request_that_may_have_had_an_effect_is_not_sent_again(method: bytes) -> None:
    """What is not idempotent may have been carried out before the connection ended (RFC 9110 section 9.2.2)."""
    async with serve(stale(close), (head(), send(CREATED))) as origin, pool_to(origin) as pool:
        await status_of(pool, get())
        with pytest.raises(TransportFailure) as caught:
            await pool.send(get(method=method))
        assert caught.value.reason is TransportReason.CONNECTION_TERMINATED
        assert len(origin.conversations) == 1


@on_every_loop
async def test_a_streamed_body_is_not_sent_again() -> None:
    """What was taken from a stream cannot be taken twice."""
    async with serve(stale(close), (head(), send(CREATED))) as origin, pool_to(origin) as pool:
        await status_of(pool, get())
        request = UpstreamRequest(method=b"PUT", target=b"/", headers=(HOST,), rest=pieces_of(b"abc"))
        with pytest.raises(TransportFailure):
            await pool.send(request)
        assert len(origin.conversations) == 1


@pytest.mark.parametrize("sent", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n"])
@on_every_loop
async def test_a_request_that_was_being_answered_is_not_sent_again(sent: bytes) -> None:
    """One byte of a reply shows that the request was seen."""
    async with serve(stale(close, sent), (head(), send(CREATED))) as origin, pool_to(origin) as pool:
        await status_of(pool, get())
        with pytest.raises(TransportFailure) as caught:
            await pool.send(get())
        assert caught.value.reason is TransportReason.HTTP_RESPONSE_INCOMPLETE
        assert len(origin.conversations) == 1


@on_every_loop
async def test_a_malformed_reply_is_not_asked_for_again() -> None:
    """Only the end of a connection is a race; nonsense is an answer."""
    async with (
        serve((head(), send(HELLO), head(), send(b"x")), (head(), send(CREATED))) as origin,
        pool_to(origin) as pool,
    ):
        await status_of(pool, get())
        with pytest.raises(TransportFailure) as caught:
            await pool.send(get())
        assert caught.value.reason is TransportReason.HTTP_PROTOCOL_ERROR
        assert len(origin.conversations) == 1


@on_every_loop
async def test_a_request_is_sent_again_once() -> None:
    """A new connection that ends too is no race but an answer."""
    async with serve(stale(close), (head(), close()), (head(), send(CREATED))) as origin, pool_to(origin) as pool:
        await status_of(pool, get())
        with pytest.raises(TransportFailure) as caught:
            await pool.send(get())
        assert caught.value.reason is TransportReason.CONNECTION_TERMINATED
        assert len(origin.conversations) == 2


@on_every_loop
async def test_a_request_that_is_sent_again_passes_over_other_resting_connections() -> None:
    """They may be as dead as the first: the second try goes out on a new connection, in the place of the old."""
    together = asyncio.Event()
    dying = (head(), wait(together), send(HELLO), head(), close())
    async with serve(dying, dying, (head(), send(CREATED))) as origin, pool_to(origin) as pool:
        sending = [asyncio.ensure_future(pool.send(get())) for _ in range(2)]
        await origin.conversation(1)
        together.set()
        for exchange in await asyncio.gather(*sending):
            exchange.close()
        assert pool.stats().idle == 2
        assert await status_of(pool, get()) == 201
        assert len(origin.conversations) == 3


@on_every_loop
async def test_sending_again_keeps_the_place() -> None:
    """In a full pool, a request that is sent again does not go to the end of the queue."""
    ended = asyncio.Event()
    scripts = (
        (head(), send(HELLO), head(), wait(ended), close()),
        (head(), send(CREATED), *again(head(), send(HELLO))),
    )
    async with serve(*scripts) as origin, pool_to(origin, limits=Room(max_connections=1)) as pool:
        await status_of(pool, get())
        first = asyncio.ensure_future(status_of(pool, get()))
        second = asyncio.ensure_future(status_of(pool, get()))
        await turns()
        assert pool.stats() == Stats(open=1, idle=0, waiting=1)
        ended.set()
        assert (await first, await second) == (201, 200)
        assert len(origin.conversations) == 2


@on_every_loop
async def test_a_connection_that_is_known_to_be_dead_is_not_used() -> None:
    """Where the end was seen before the request, nothing was sent: any request goes to a new connection."""
    leave, left = asyncio.Event(), asyncio.Event()
    scripts = ((head(), send(HELLO), wait(leave), close(), tell(left)), (head(), send(CREATED)))
    async with serve(*scripts) as origin, pool_to(origin) as pool:
        await status_of(pool, get())
        leave.set()
        await left.wait()
        await turns()
        assert await status_of(pool, get(method=b"POST")) == 201


@on_every_loop
async def test_a_connection_that_is_closing_is_not_used() -> None:
    """Nor is one that was cut in this very turn, of which the loop has not told yet."""
    async with serve((head(), send(HELLO)), (head(), send(CREATED))) as origin, pool_to(origin) as pool:
        await status_of(pool, get())
        for connection in pool._all:  # noqa: SLF001 - as above
            connection.cut()
        assert await status_of(pool, get(method=b"POST")) == 201


# ------------------------------------------------------------------------------------------------------------- the end


@on_every_loop
async def test_a_pool_that_closes_ends_everything() -> None:
    """Resting, busy, waiting and connecting: all end at once, with an answer for whoever waits."""
    busy = (head(), send(OK + b"Content-Length: 9\r\n\r\nhello"))
    async with serve((head(), send(HELLO)), busy, (head(),)) as origin:
        pool = Pool(origin, Patience(), Room(max_connections=3), asyncio.get_running_loop())
        complete, reading = await pool.send(get()), await pool.send(get())
        unanswered, waiting = (asyncio.ensure_future(pool.send(get())) for _ in range(2))
        await origin.conversation(2)
        assert pool.stats() == Stats(open=3, idle=0, waiting=1)
        await pool.aclose()
        assert not pool._all, "the sockets are closed when aclose() returns"  # noqa: SLF001 - nothing else shows it
        for task in (unanswered, waiting):
            with pytest.raises(TransportFailure) as caught:
                await task
            assert caught.value.reason is TransportReason.CONNECTION_TERMINATED
        assert await reading.read() == b"hello"
        with pytest.raises(TransportFailure):
            await reading.read()
        reading.close()
        assert await rest_of(complete) == b"hello"
        complete.close()
        assert pool.stats() == Stats(open=0, idle=0, waiting=0)
        for conversation in origin.conversations:
            await conversation.gone.wait()
        with pytest.raises(TransportFailure):
            await pool.send(get())
        await pool.aclose()


@on_every_loop
async def test_a_pool_that_closes_does_not_end_a_body_in_order() -> None:
    """Giving up a close-delimited body is not its end."""
    async with serve((head(), send(OK + b"\r\nhello"))) as origin:
        pool = Pool(origin, Patience(), Room(), asyncio.get_running_loop())
        exchange = await pool.send(get())
        assert await exchange.read() == b"hello"
        await pool.aclose()
        with pytest.raises(TransportFailure):
            await exchange.read()
        exchange.close()


@on_every_loop
async def test_a_pool_that_closes_gives_up_connecting() -> None:
    """A connection that is being made is given up, and its request told."""
    async with serve((gone(),)) as origin:
        origin.scheme = "https"
        pool = Pool(origin, Patience(), Room(), asyncio.get_running_loop(), client_context())
        sending = asyncio.ensure_future(pool.send(get()))
        await origin.conversation(0)
        await pool.aclose()
        with pytest.raises(TransportFailure):
            await sending
        assert pool.stats().open == 0


@on_every_loop
async def test_no_proxy_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxies are for other programs."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serve((head(), send(HELLO))) as origin, pool_to(origin) as pool:
        assert await status_of(pool, get()) == 200


# ----------------------------------------------------------------------------------------------------- any order at all

SCRIPTS: dict[str, tuple[Step, ...]] = {
    "whole": (head(), send(HELLO)),
    "whole, then close": (head(), send(HELLO), close()),
    "short": (head(), send(OK + b"Content-Length: 9\r\n\r\nhello"), close()),
    "surplus": (head(), send(HELLO + b"!")),
    "no reply": (head(), close()),
    "reset": (head(), reset()),
    "nonsense": (head(), send(b"nonsense")),
    "early": (send(EMPTY), body(1)),
}
ACTIONS = st.sampled_from(["read", "close", "cancel", "capture", "cancel early"])


async def take(exchange: Exchange, action: str, delay: int) -> None:
    """Do with a reply as told."""
    if action == "read":
        await rest_of(exchange)
    elif action == "capture":
        await exchange.capture(3)
    elif action == "cancel":
        reading = asyncio.ensure_future(rest_of(exchange))
        await turns(delay)
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled() or reading.exception() or reading.result() is not None


@pytest.mark.parametrize("loop_factory", LOOPS.values(), ids=LOOPS.keys())
@given(
    scripts=st.lists(st.lists(st.sampled_from(sorted(SCRIPTS)), min_size=1, max_size=3), min_size=1, max_size=5),
    actions=st.lists(st.tuples(ACTIONS, st.integers(0, 12)), min_size=1, max_size=12),
)
def test_the_pool_stays_consistent(
    loop_factory: LoopFactory, scripts: list[list[str]], actions: list[tuple[str, int]]
) -> None:
    """Whatever upstreams and clients do, in whatever order: no place, task or socket is lost, none is counted twice."""

    async def act(pool: Pool, action: str, delay: int) -> None:
        await turns(delay)
        sending = asyncio.ensure_future(pool.send(get()))
        if action == "cancel early":
            await turns(delay)
            sending.cancel()
        await asyncio.wait([sending])
        if sending.cancelled() or sending.exception() is not None:
            return
        exchange = sending.result()
        try:
            await take(exchange, action, delay)
        except TransportFailure:
            pass
        finally:
            exchange.close()

    async def play() -> None:
        rows = [[*itertools.chain.from_iterable(SCRIPTS[name] for name in names), head(), close()] for names in scripts]
        async with serve(*rows) as origin, pool_to(origin, limits=Room(max_connections=2, max_waiting=3)) as pool:

            async def watch() -> None:
                while True:
                    stats = pool.stats()
                    assert 0 <= stats.idle <= stats.open <= 2
                    assert stats.waiting <= 3
                    assert not (stats.waiting and stats.idle)
                    await asyncio.sleep(0)

            watching = asyncio.ensure_future(watch())
            async with asyncio.timeout(20):
                await asyncio.gather(*(act(pool, *action) for action in actions))
            watching.cancel()
            await asyncio.wait([watching])
            assert watching.cancelled()

    run(play(), loop_factory)
