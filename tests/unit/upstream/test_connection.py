"""A connection over a transport that only takes notes: what cannot be seen from outside."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import TransportFailure, TransportReason
from gateway.upstream.connection import Connection
from gateway.upstream.exchange import HIGH_WATER_BYTES, LOW_WATER_BYTES, HttpExchange
from gateway.upstream.request import written
from tests.integration.loops import in_virtual_time
from tests.integration.pools import Patience, get, rest_of
from tests.unit.upstream.fakes import FakeTransport
from tests.unit.upstream.samples import CHUNKED, OK


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
    connection = Connection(keeper, Patience(), asyncio.get_running_loop(), head_bytes=1000)
    connection.connection_made(transport)
    return connection, transport, keeper


def begin(connection: Connection) -> HttpExchange:
    """Send a request without a body."""
    request = get()
    return connection.start(request, written(request), 0.0, 60.0)


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


@in_virtual_time
async def test_one_write_sends_a_request() -> None:
    """Head and body at hand go to the transport together."""
    connection, transport, _ = connected()
    exchange = begin(connection)
    assert transport.writes == 1
    connection.data_received(OK + b"Content-Length: 0\r\n\r\n")
    assert await rest_of(exchange) == b""
    exchange.close()
