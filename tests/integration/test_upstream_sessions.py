"""TLS sessions: the second connection to a server takes up what the first one agreed on."""

from __future__ import annotations

import gc
import ssl
import weakref
from typing import TYPE_CHECKING

import pytest

from gateway.errors import TransportFailure
from gateway.upstream import client_context
from tests.integration.certificates import Authority
from tests.integration.loops import on_every_loop
from tests.integration.origin import close, cut, head, send, serve
from tests.integration.pools import get, pool_to, rest_of, turns
from tests.unit.upstream.samples import OK

if TYPE_CHECKING:
    from gateway.upstream import Pool
    from gateway.upstream.sessions import ResumingContext
    from tests.integration.origin import Conversation, Origin, Step

HELLO = OK + b"Content-Length: 5\r\n\r\nhello"
ENDINGS: dict[str, tuple[Step, ...]] = {"at rest": (), "closed": (close(),), "cut": (cut(),)}
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that the system does not know."""
    return Authority(tmp_path_factory.mktemp("authority"))


async def ask(pool: Pool) -> None:
    """Have one exchange, and be back when its connection ended or rests."""
    exchange = await pool.send(get())
    assert await rest_of(exchange) == b"hello"
    exchange.close()


def resumed(conversation: Conversation) -> bool:
    """Tell whether a connection took up a session, as its server saw it."""
    reused: bool = conversation.writer.get_extra_info("ssl_object").session_reused
    return reused


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@on_every_loop
async def test_a_session_is_taken_up_again(
    authority: Authority, version: ssl.TLSVersion, ending: tuple[Step, ...]
) -> None:
    """Only the first connection of a context costs a full handshake, however the ones before ended."""
    server = authority.server("IP:127.0.0.1")
    server.maximum_version = version
    script = (head(), send(HELLO), *ending)
    async with serve(script, tls=server) as origin:
        trusted = client_context(authority.file)
        for number in range(3):
            async with pool_to(origin, ssl_context=trusted) as pool:
                await ask(pool)
                session = origin.conversations[number].writer.get_extra_info("ssl_object")
                assert session.version() == version.name.replace("_", ".")
                if ending:
                    await origin.conversations[number].gone.wait()
        assert [resumed(one) for one in origin.conversations] == [False, True, True]


@on_every_loop
async def test_connections_of_one_pool_share_a_session(authority: Authority) -> None:
    """A connection that is still in use has given its session already."""
    script = (head(), send(HELLO))
    async with (
        serve(script, tls=authority.server("IP:127.0.0.1")) as origin,
        pool_to(origin, ssl_context=client_context(authority.file)) as pool,
    ):
        exchanges = [await pool.send(get()) for _ in range(3)]
        for exchange in exchanges:
            assert await rest_of(exchange) == b"hello"
            exchange.close()
        assert [resumed(one) for one in origin.conversations] == [False, True, True]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@on_every_loop
async def test_a_session_is_for_the_name_that_was_verified(authority: Authority, version: ssl.TLSVersion) -> None:
    """A resumed handshake shows no certificate, so a session is never offered under another name."""
    server = authority.server("IP:127.0.0.1", "DNS:localhost")
    server.maximum_version = version
    trusted = client_context(authority.file)
    async with serve((head(), send(HELLO)), tls=server) as origin:
        for name in ("127.0.0.1", "localhost", "localhost"):
            origin.host = name
            async with pool_to(origin, ssl_context=trusted) as pool:
                await ask(pool)
        assert [resumed(one) for one in origin.conversations] == [False, False, True]


@on_every_loop
async def test_a_connection_without_a_session_takes_none_away(authority: Authority) -> None:
    """With TLS 1.3 a connection has no session before its ticket has come, if one ever does."""
    trusted, silent = client_context(authority.file), authority.server("IP:127.0.0.1")
    silent.num_tickets = 0
    async with (
        serve((head(), send(HELLO)), tls=authority.server("IP:127.0.0.1")) as origin,
        serve((head(), send(HELLO)), tls=silent) as other,
    ):
        for asked in (origin, other, origin):
            async with pool_to(asked, ssl_context=trusted) as pool:
                await ask(pool)
        assert [resumed(one) for one in (*origin.conversations, *other.conversations)] == [False, True, False]


@on_every_loop
async def test_a_session_is_for_those_who_trust_and_show_the_same(authority: Authority) -> None:
    """Another upstream's settings mean another verification, and another identity of ours."""
    async with serve((head(), send(HELLO)), tls=authority.server("IP:127.0.0.1")) as origin:
        for trusted in (client_context(authority.file), client_context(authority.file)):
            async with pool_to(origin, ssl_context=trusted) as pool:
                await ask(pool)
        assert [resumed(one) for one in origin.conversations] == [False, False]


@pytest.mark.parametrize("ending", [close(), send(b"nonsense")], ids=["closed", "nonsense"])
@on_every_loop
async def test_a_failed_handshake_is_not_tried_again_with_its_session(authority: Authority, ending: Step) -> None:
    """A server that fails over a session is reached by a full handshake the next time."""
    trusted = client_context(authority.file)

    async def fails(origin: Origin) -> None:
        origin.scheme = "https"
        async with pool_to(origin, ssl_context=trusted) as pool:
            with pytest.raises(TransportFailure):
                await pool.send(get())

    async with serve((head(), send(HELLO)), tls=authority.server("IP:127.0.0.1")) as origin, serve((ending,)) as broken:
        for number in range(3):
            async with pool_to(origin, ssl_context=trusted) as pool:
                await ask(pool)
            if number == 1:
                await fails(broken)
        assert [resumed(one) for one in origin.conversations] == [False, True, False]


@on_every_loop
async def test_a_context_with_sessions_can_go(authority: Authority) -> None:
    """What a context remembers of its connections does not keep it in memory."""

    async def used() -> weakref.ref[ResumingContext]:
        trusted = client_context(authority.file)
        async with (
            serve((head(), send(HELLO)), tls=authority.server("IP:127.0.0.1")) as origin,
            pool_to(origin, ssl_context=trusted) as pool,
        ):
            await ask(pool)
        return weakref.ref(trusted)

    left = await used()
    await turns()
    gc.collect()  # the connection's TLS, which is in a cycle of the loop's
    gc.collect()  # the context
    assert left() is None
