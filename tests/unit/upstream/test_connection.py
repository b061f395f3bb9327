"""A connection over a transport that only takes notes: what cannot be seen from outside."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.errors import TransportFailure, TransportReason
from gateway.upstream.connection import Connection
from gateway.upstream.exchange import HIGH_WATER_BYTES, LOW_WATER_BYTES, HttpExchange
from gateway.upstream.port import UpstreamRequest
from gateway.upstream.request import written
from tests.integration.loops import in_virtual_time
from tests.integration.pools import Patience, get, rest_of
from tests.unit.upstream.fakes import FakeTransport
from tests.unit.upstream.samples import CHUNKED, OK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATIENCE = Patience(first_byte_s=10.0, idle_s=30.0)


class Keeper:
    """Takes note of what a connection says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def made(self, _connection: Connection) -> None:
        """Hear of a connection."""
        self.said.append("made")

    def released(self, _connection: Connection) -> None:
        """Hear that it is free."""
        self.said.append("released")

    def lost(self, _connection: Connection) -> None:
        """Hear that it is gone."""
        self.said.append("lost")


def connected() -> tuple[Connection, FakeTransport, Keeper]:
    """A connection with an open transport."""
    keeper, transport = Keeper(), FakeTransport()
    connection = Connection(keeper, PATIENCE, asyncio.get_running_loop(), head_bytes=1000)
    connection.connection_made(transport)
    return connection, transport, keeper


def begin(connection: Connection) -> HttpExchange:
    """Send a request without a body."""
    request = get()
    return connection.start(request, written(request), 0.0, 1000.0)


def failed(exchange: HttpExchange) -> bool:
    """Whether a failure is known."""
    return exchange.failure is not None


@in_virtual_time
async def test_reading_pauses_above_the_high_water_mark() -> None:
    """Reading pauses when more than the mark waits, and goes on when little of it is left."""
    connection, transport, _ = connected()
    exchange = begin(connection)
    connection.data_received(OK + b"\r\n" + b"x" * HIGH_WATER_BYTES)
    assert transport.is_reading()
    connection.data_received(b"x")
    assert not transport.is_reading()
    await exchange.read()
    assert transport.is_reading()
    for _ in range(2):
        connection.data_received(b"x" * HIGH_WATER_BYTES)
    assert not transport.is_reading()
    _, more = await exchange.capture(HIGH_WATER_BYTES * 2 - LOW_WATER_BYTES)
    assert more
    assert transport.is_reading()


@in_virtual_time
async def test_reading_pauses_above_a_number_of_pieces() -> None:
    """A reply in pieces of one byte is held back long before it weighs anything."""
    connection, transport, _ = connected()
    exchange = begin(connection)
    connection.data_received(OK + b"\r\n")
    for _ in range(1025):
        assert transport.is_reading()
        connection.data_received(b"x")
    assert not transport.is_reading()
    await exchange.read()
    assert transport.is_reading()


@in_virtual_time
async def test_a_complete_reply_pauses_nothing() -> None:
    """However large a reply is that came whole, there is nothing to hold back."""
    connection, transport, keeper = connected()
    exchange = begin(connection)
    size = HIGH_WATER_BYTES * 3
    connection.data_received(OK + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)
    assert transport.is_reading()
    exchange.close()
    assert keeper.said == ["made", "released"]
    assert connection.usable


@in_virtual_time
async def test_a_capture_puts_back_what_it_does_not_return() -> None:
    """What a capture leaves counts against the mark as before."""
    connection, transport, _ = connected()
    exchange = begin(connection)
    connection.data_received(OK + b"\r\n" + b"x" * HIGH_WATER_BYTES)
    assert await exchange.capture(10) == (b"x" * 10, True)
    connection.data_received(b"x" * 11)
    assert not transport.is_reading()
    assert await exchange.read() == b"x" * (HIGH_WATER_BYTES - 10)
    assert await exchange.read() == b"x" * 11
    assert transport.is_reading()


@in_virtual_time
async def test_pieces_of_one_arrival_are_one_piece() -> None:
    """Chunks that came together are read together."""
    connection, _, _ = connected()
    exchange = begin(connection)
    connection.data_received(CHUNKED + b"1\r\na\r\n" * 1000)
    assert await exchange.read() == b"a" * 1000


@in_virtual_time
async def test_a_failed_exchange_hears_nothing_more() -> None:
    """Bytes that a transport still hands over after a refusal change nothing."""
    connection, transport, keeper = connected()
    exchange = begin(connection)
    connection.data_received(b"nonsense")
    connection.data_received(OK + b"Content-Length: 0\r\n\r\n")
    assert transport.closing
    assert not exchange.headed
    connection.connection_lost(None)
    exchange.close()
    assert keeper.said == ["made", "lost", "released"]


@in_virtual_time
async def test_the_end_of_the_stream_does_not_mend_a_failure() -> None:
    """A close-delimited reply that has failed is not completed by the end that follows."""
    connection, _, _ = connected()
    exchange = begin(connection)
    connection.data_received(OK + b"\r\n")
    exchange.fail(TransportFailure(TransportReason.HTTP_RESPONSE_TIMEOUT))
    connection.eof_received()
    with pytest.raises(TransportFailure):
        await exchange.read()


async def pass_and_take(transport: FakeTransport, seconds: float, size: int) -> None:
    """Let time pass, in which the upstream takes so many bytes."""
    await asyncio.sleep(seconds)
    transport.backlog_bytes -= size


@in_virtual_time
async def test_an_upstream_that_takes_a_large_piece_slowly_is_not_cut() -> None:
    """What counts is that it takes some of it every `idle_s`, and then it has `first_byte_s` to answer."""
    connection, transport, _ = connected()
    exchange = begin(connection)
    transport.backlog_bytes = 1000
    connection.pause_writing()
    for _ in range(9):
        await pass_and_take(transport, 29.0, 100)
        assert not failed(exchange)
    await pass_and_take(transport, 1.0, 100)
    connection.resume_writing()
    await asyncio.sleep(9.9)
    assert not failed(exchange)
    await asyncio.sleep(0.2)
    assert failed(exchange)
    assert transport.closing


@in_virtual_time
async def test_an_upstream_that_stops_taking_is_cut() -> None:
    """When nothing more was taken for `idle_s`, the exchange ends, though much was taken before."""
    connection, transport, _ = connected()
    exchange = begin(connection)
    transport.backlog_bytes = 1000
    connection.pause_writing()
    await pass_and_take(transport, 29.0, 500)
    await asyncio.sleep(30.9)
    assert not failed(exchange)
    await asyncio.sleep(0.2)
    assert str(exchange.failure) == "http_response_timeout: took too long to take the request"


@in_virtual_time
async def test_an_early_reply_to_a_body_not_taken_has_the_idle_deadline() -> None:
    """Once the head is there, what counts is the reply's body, whatever still waits to be written."""
    connection, transport, _ = connected()
    exchange = begin(connection)
    transport.backlog_bytes = 1000
    connection.pause_writing()
    await asyncio.sleep(29.0)
    connection.data_received(OK + b"\r\n")
    await pass_and_take(transport, 29.0, 500)
    connection.pause_writing()
    connection.resume_writing()
    assert not failed(exchange)
    await asyncio.sleep(1.1)
    assert str(exchange.failure) == "http_response_timeout: took too long between two pieces of a reply"


@in_virtual_time
async def test_a_client_that_stalls_behind_a_large_piece_is_not_the_upstreams_fault() -> None:
    """When an upload was held back and goes on, the upstream owes nothing until it is sent whole."""

    async def stalling() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        await asyncio.sleep(40.0)
        yield b"x"

    connection, transport, keeper = connected()
    request = UpstreamRequest(method=b"PUT", target=b"/", rest=stalling(), length=1001)
    exchange = connection.start(request, written(request), 0.0, 100.0)
    await asyncio.sleep(0)
    transport.backlog_bytes = 1000
    connection.pause_writing()
    await pass_and_take(transport, 20.0, 1000)
    connection.resume_writing()
    await asyncio.sleep(29.0)
    assert not failed(exchange)
    assert exchange.sent
    connection.data_received(OK + b"Content-Length: 0\r\n\r\n")
    exchange.close()
    assert keeper.said == ["made", "released"]
    assert connection.usable


@in_virtual_time
async def test_one_write_sends_a_request() -> None:
    """Head and body at hand go to the transport together."""
    connection, transport, _ = connected()
    exchange = begin(connection)
    assert transport.writes == 1
    connection.data_received(OK + b"Content-Length: 0\r\n\r\n")
    assert await rest_of(exchange) == b""
    exchange.close()
