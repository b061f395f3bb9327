"""TLS to an upstream: who is trusted, what is asked for, and how a conversation may end."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest

from gateway.errors import TransportFailure, TransportReason
from gateway.upstream import UpstreamRequest, client_context
from tests.integration.certificates import Authority
from tests.integration.loops import on_every_loop
from tests.integration.origin import body, close, cut, gone, head, repeat, send, serve, wait
from tests.integration.pools import HOST, get, pieces_of, pool_to, rest_of, turns
from tests.unit.upstream.samples import OK

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.upstream import Pool

HELLO = OK + b"Content-Length: 5\r\n\r\nhello"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that the system does not know."""
    return Authority(tmp_path_factory.mktemp("authority"))


@on_every_loop
async def test_a_trusted_upstream_is_reached(authority: Authority) -> None:
    """Over TLS an exchange goes as it does without, in HTTP/1.1 by ALPN, and the connection is used again."""
    server = authority.server("IP:127.0.0.1")
    server.set_alpn_protocols(["h2", "http/1.1"])
    trusted = client_context(authority.file)
    async with (
        serve((head(), body(6), send(HELLO), head(), send(HELLO)), tls=server) as origin,
        pool_to(origin, ssl_context=trusted) as pool,
    ):
        request = UpstreamRequest(
            method=b"POST", target=b"/", headers=(HOST,), rest=pieces_of(b"abc", b"def"), length=6
        )
        for each in (request, get()):
            exchange = await pool.send(each)
            assert await rest_of(exchange) == b"hello"
            exchange.close()
        assert len(origin.conversations) == 1
        session = origin.conversations[0].writer.get_extra_info("ssl_object")
        assert session.selected_alpn_protocol() == "http/1.1"


@on_every_loop
async def test_the_upstreams_name_is_asked_for_and_checked(authority: Authority) -> None:
    """The host goes out as SNI (RFC 6066 section 3), and the certificate must be for it."""
    asked: list[str | None] = []
    server = authority.server("DNS:localhost")
    server.sni_callback = lambda _session, name, _context: asked.append(name)
    trusted = client_context(authority.file)
    async with serve((head(), send(HELLO)), tls=server) as origin:
        origin.host = "localhost"
        async with pool_to(origin, ssl_context=trusted) as pool:
            exchange = await pool.send(get())
            assert await rest_of(exchange) == b"hello"
            exchange.close()
        assert asked == ["localhost"]
        origin.host = "127.0.0.1"
        async with pool_to(origin, ssl_context=trusted) as pool:
            await refused(pool, TransportReason.TLS_CERTIFICATE_ERROR)


async def refused(pool: Pool, reason: TransportReason) -> None:
    """Send, and fail for `reason` without having sent anything."""
    with pytest.raises(TransportFailure) as caught:
        await pool.send(get())
    assert caught.value.reason is reason


@on_every_loop
async def test_an_unknown_authority_is_not_trusted(authority: Authority) -> None:
    """Verification is on: without a file of our own, the system's authorities are asked."""
    server = authority.server("IP:127.0.0.1")
    async with serve((gone(),), tls=server) as origin, pool_to(origin) as pool:
        await refused(pool, TransportReason.TLS_CERTIFICATE_ERROR)
        assert pool.stats().open == 0
        assert all(not conversation.received for conversation in origin.conversations)


@on_every_loop
async def test_an_upstream_without_tls_is_a_protocol_error() -> None:
    """What answers a TLS hello with anything else breaks the protocol."""
    async with serve((send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), gone())) as origin:
        origin.scheme = "https"
        async with pool_to(origin) as pool:
            await refused(pool, TransportReason.TLS_PROTOCOL_ERROR)


def test_old_tls_is_refused(authority: Authority) -> None:
    """TLS 1.1 and older are not spoken (RFC 8996)."""
    assert client_context(authority.file).minimum_version is ssl.TLSVersion.TLSv1_2


@on_every_loop
async def test_an_upstream_that_leaves_during_the_handshake_is_terminated() -> None:
    """A connection that ends in the handshake came to nothing."""
    async with serve((close(),)) as origin:
        origin.scheme = "https"
        async with pool_to(origin) as pool:
            await refused(pool, TransportReason.CONNECTION_TERMINATED)


@on_every_loop
async def test_an_orderly_end_ends_a_close_delimited_body(authority: Authority) -> None:
    """`close_notify` says that nothing was cut off (RFC 9112 section 9.8)."""
    script = (head(), send(OK + b"\r\nhello"), close())
    async with (
        serve(script, tls=authority.server("IP:127.0.0.1")) as origin,
        pool_to(origin, ssl_context=client_context(authority.file)) as pool,
    ):
        exchange = await pool.send(get())
        assert await rest_of(exchange) == b"hello"
        exchange.close()
        assert pool.stats().open == 0


@on_every_loop
async def test_a_truncated_conversation_does_not_end_a_close_delimited_body(authority: Authority) -> None:
    """Without `close_notify` somebody else may have ended the stream: the reply is incomplete."""
    seen = asyncio.Event()
    script = (head(), send(OK + b"\r\nhello"), wait(seen), cut())
    async with (
        serve(script, tls=authority.server("IP:127.0.0.1")) as origin,
        pool_to(origin, ssl_context=client_context(authority.file)) as pool,
    ):
        exchange = await pool.send(get())
        assert await exchange.read() == b"hello"
        seen.set()
        with pytest.raises(TransportFailure) as caught:
            await exchange.read()
        assert caught.value.reason is TransportReason.HTTP_RESPONSE_INCOMPLETE
        exchange.close()


@on_every_loop
async def test_back_pressure_holds_over_tls(authority: Authority) -> None:
    """A reply that nobody takes is held back over TLS too, and nothing of it is lost."""
    piece, times = b"x" * 2**18, 256
    script = (head(), send(OK + b"Content-Length: %d\r\n\r\n" % (times * len(piece))), repeat(piece, times))
    async with (
        serve(script, tls=authority.server("IP:127.0.0.1")) as origin,
        pool_to(origin, ssl_context=client_context(authority.file)) as pool,
    ):
        exchange = await pool.send(get())
        await turns(2000)
        assert origin.conversations[0].sent_bytes < times * len(piece) // 2
        assert len(await rest_of(exchange)) == times * len(piece)
        exchange.close()
        assert pool.stats().idle == 1


@on_every_loop
async def test_resting_connections_end_in_order_over_tls(authority: Authority) -> None:
    """Closing the pool closes TLS connections, whether or not the upstream says goodbye."""
    script = (head(), send(HELLO), wait(asyncio.Event()))
    async with (
        serve(script, tls=authority.server("IP:127.0.0.1")) as origin,
        pool_to(origin, ssl_context=client_context(authority.file)) as pool,
    ):
        (await pool.send(get())).close()
        assert pool.stats().idle == 1


def test_an_authority_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    """A file of authorities that is missing or empty is no reason to trust others."""
    with pytest.raises(FileNotFoundError):
        client_context(tmp_path / "missing.pem")
    (tmp_path / "empty.pem").write_bytes(b"")
    with pytest.raises(ssl.SSLError):
        client_context(tmp_path / "empty.pem")
