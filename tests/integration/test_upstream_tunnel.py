"""What becomes of a connection that is given away after a 101, seen from the pool."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.errors import TransportFailure
from gateway.upstream import Ending, Tunnel, TunnelEnd, UpstreamRequest, client_context
from tests.integration.certificates import Authority
from tests.integration.loops import on_every_loop
from tests.integration.origin import body, close, head, reset, send, serve
from tests.integration.pools import HOST, get, pool_to, turns
from tests.unit.upstream.fakes import FakeTransport
from tests.unit.upstream.samples import OK

if TYPE_CHECKING:
    from pathlib import Path

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
ASKING = UpstreamRequest(method=b"GET", target=b"/", headers=(HOST,), upgrade=True)


class Quiet(FakeTransport):
    """A client that says nothing, and takes everything."""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Know who hears."""
        self.protocol = protocol

    def can_write_eof(self) -> bool:
        """Return that one direction cannot end alone."""
        return False

    def pause_reading(self) -> None:
        """Wait."""

    def resume_reading(self) -> None:
        """Read on."""

    def close(self) -> None:
        """Be gone soon."""
        super().close()
        assert isinstance(self.protocol, TunnelEnd)
        asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


@on_every_loop
async def test_a_connection_at_rest_can_become_a_tunnel() -> None:
    """It holds its place until it is closed, and serves nobody after that."""
    script = (head(), send(OK + b"Content-Length: 0\r\n\r\n"), head(), send(SWITCHED + b"hello"), body(2), close())
    async with serve(script) as origin, pool_to(origin) as pool:
        (await pool.send(get())).close()
        exchange = await pool.send(ASKING)
        assert exchange.status == 101
        client = Quiet()
        tunnel = Tunnel(TunnelEnd(client, lambda _: None), exchange.tunnel(), 60.0)
        running = asyncio.ensure_future(tunnel.run())
        await turns()
        assert (pool.stats().open, pool.stats().idle) == (1, 0)
        tunnel.client.data_received(b"hi")
        assert await running == Ending(tunnel.upstream)
        assert client.written == b"hello"
        assert pool.stats().open == 1
        exchange.close()
        assert pool.stats().open == 0
        assert len(origin.conversations) == 1


@on_every_loop
async def test_a_tunnel_goes_over_tls(tmp_path: Path) -> None:
    """Bytes go both ways; the end of the upstream is the end of both directions."""
    authority = Authority(tmp_path)
    up, down = b"u" * 2**20, b"d" * 2**20
    script = (head(), send(SWITCHED + b"early"), send(down), body(len(up)), close())
    async with (
        serve(script, tls=authority.server("IP:127.0.0.1")) as origin,
        pool_to(origin, ssl_context=client_context(authority.file)) as pool,
    ):
        exchange = await pool.send(ASKING)
        client = Quiet()
        tunnel = Tunnel(TunnelEnd(client, lambda _: None), exchange.tunnel(), 60.0)
        running = asyncio.ensure_future(tunnel.run())
        await turns()
        tunnel.client.data_received(up)
        assert await running == Ending(tunnel.upstream)
        assert client.written == b"early" + down
        assert origin.conversations[0].received.endswith(b"\r\n\r\n" + up)
        exchange.close()


@on_every_loop
async def test_a_connection_that_ended_meanwhile_gives_what_it_said() -> None:
    """All that came behind the 101, and then the end."""
    async with serve((head(), send(SWITCHED + b"bye"), close())) as origin, pool_to(origin) as pool:
        exchange = await pool.send(ASKING)
        await origin.conversations[0].gone.wait()
        await turns()
        client = Quiet()
        tunnel = Tunnel(TunnelEnd(client, lambda _: None), exchange.tunnel(), 60.0)
        assert await tunnel.run() == Ending(tunnel.upstream)
        assert client.written == b"bye"
        exchange.close()


@on_every_loop
async def test_a_connection_that_broke_meanwhile_makes_no_tunnel() -> None:
    """There is a failure to tell while nothing was said to the client."""
    async with serve((head(), send(SWITCHED), reset())) as origin, pool_to(origin) as pool:
        exchange = await pool.send(ASKING)
        await origin.conversations[0].sent.wait()
        await turns(100)
        with pytest.raises(TransportFailure):
            exchange.tunnel()
        exchange.close()


@on_every_loop
async def test_a_connection_that_was_given_away_is_cut_with_its_exchange() -> None:
    """Whatever has become of the tunnel: here, nobody joined it to anything."""
    async with serve((head(), send(SWITCHED))) as origin, pool_to(origin) as pool:
        exchange = await pool.send(ASKING)
        exchange.tunnel()
        exchange.close()
        assert pool.stats().open == 0
        await origin.conversations[0].gone.wait()
