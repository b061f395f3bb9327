"""WebSockets through the gateway, at the level of bytes: what makes a tunnel, what goes through it, how it ends."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.edge.connection import ClientConnection
from gateway.upstream.tunnel import CLOSING_S
from tests.integration.harness import gateway, get, on_uvloop, upstream
from tests.integration.loops import in_virtual_time, on_every_loop
from tests.integration.origin import OK, body, cut, gone, half_close, head, repeat, reset, send, serve, tell, wait
from tests.integration.pools import turns
from tests.integration.wire import PATIENCE_S, Wire, ask, connect

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.harness import Running
    from tests.integration.origin import Conversation, Step

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
"""The example of RFC 6455 section 1.3, with its answer."""
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\n"
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
SWITCHED = SWITCH + UPGRADE + ACCEPT + b"\r\n"
BYTES = bytes(range(256)) * 64
PIECE = b"x" * 2**18
MOST_AHEAD_BYTES = 24 * 2**20
"""What may be on the way when nobody reads: the buffers of two connections, and little of ours."""


def asking(*more: str, target: str = "/api/ws", method: str = "GET", **changes: str | None) -> bytes:
    """A handshake, with fields changed (by their first letters: `upgrade`, `key`…) or left out, and with more."""
    fields = {
        "connection": "Connection: Upgrade",
        "upgrade": "Upgrade: websocket",
        "version": "Sec-WebSocket-Version: 13",
        "key": f"Sec-WebSocket-Key: {KEY}",
    }
    return get(target, *filter(None, (fields | changes).values()), *more, method=method)


async def open_tunnel(wire: Wire) -> None:
    """Ask for a WebSocket, and get it."""
    await wire.send(asking())
    assert (await wire.reply()).status == 101


async def taken(wire: Wire, size: int) -> bytes:
    """Read so many bytes."""
    async with asyncio.timeout(PATIENCE_S):
        return await wire.reader.readexactly(size)


async def left(conversation: Conversation) -> None:
    """Wait until the gateway has closed its side."""
    async with asyncio.timeout(PATIENCE_S):
        await conversation.gone.wait()


async def places(accord: Running) -> object:
    """How many connections to the upstream there are."""
    status = (await ask(accord.application.admin_port, get("/status"))).json()
    return status["upstreams"][0]["pool"]["open"]


def echo(size: int) -> Step:
    """Send back what comes, up to so many bytes, which are then read to the end."""

    async def step(conversation: Conversation) -> None:
        left = size
        while left > 0:
            if not conversation.ahead and not await conversation.more():
                return
            data = bytes(conversation.ahead)
            conversation.ahead.clear()
            left -= len(data)
            conversation.writer.write(data)
            await conversation.writer.drain()

    return step


@on_every_loop
async def test_a_handshake_goes_upstream_in_our_words(tmp_path: Path) -> None:
    """The rules for fields hold; what makes it a handshake is written by us, `Sec-WebSocket-*` passes as it came."""
    settings = upstream(0, credentials={"inject": [{"header": "X-Token", "value_env": "TOKEN"}]})
    answer = SWITCH + UPGRADE + ACCEPT + b"Sec-WebSocket-Protocol: chat\r\nServer: origin\r\nKeep-Alive: 5\r\n\r\n"
    async with serve((head(), send(answer))) as origin:
        settings["base_url"] = f"http://127.0.0.1:{origin.port}"
        async with gateway(tmp_path, settings, environ={"TOKEN": "our-secret"}) as accord:
            async with await connect(accord.port) as wire:
                await wire.send(
                    asking(
                        "Sec-WebSocket-Protocol: chat, superchat",
                        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
                        "Origin: https://app.example",
                        "X-Token: theirs",
                        "Keep-Alive: 9",
                        "X-Forwarded-For: 192.0.2.1",
                        connection="Connection: keep-alive, upgrade",
                        upgrade="Upgrade: WebSocket",
                    )
                )
                reply = await wire.reply()
            sent = bytes(origin.conversations[0].received).split(b"\r\n")
            assert sent[0] == b"GET /ws HTTP/1.1"
            assert sent.count(b"Connection: Upgrade") == sent.count(b"Upgrade: websocket") == 1
            names = [line.partition(b":")[0].lower() for line in sent[1:-2]]
            assert names.count(b"connection") == names.count(b"upgrade") == 1
            assert {b"keep-alive", b"content-length", b"transfer-encoding"}.isdisjoint(names)
            for line in (
                f"Host: 127.0.0.1:{origin.port}".encode(),
                f"Sec-WebSocket-Key: {KEY}".encode(),
                b"Sec-WebSocket-Version: 13",
                b"Sec-WebSocket-Protocol: chat, superchat",
                b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
                b"Origin: https://app.example",
                b"X-Token: our-secret",
                b"X-Forwarded-For: 127.0.0.1",
                b"Via: 1.1 accord",
            ):
                assert sent.count(line) == 1, line
            assert (reply.status, reply.header("Connection"), reply.header("Upgrade")) == (
                101,
                b"Upgrade",
                b"websocket",
            )
            assert reply.header("Sec-WebSocket-Accept") == ACCEPT.split()[1]
            assert reply.header("Sec-WebSocket-Protocol") == b"chat"
            assert (reply.header("Via"), reply.header("Server")) == (b"1.1 accord", b"origin")
            assert reply.header("X-Request-Id") is not None
            assert reply.header("Keep-Alive") is reply.header("Content-Length") is reply.header("Accord-Format") is None


@on_uvloop
async def test_limits_count_the_handshake(tmp_path: Path) -> None:
    """Once, whatever is said in the tunnel; over it, nothing goes upstream."""
    limits = [{"name": "all", "key": "ip", "requests": 1, "per": "1h"}]
    async with (
        serve((head(), send(SWITCHED), echo(2))) as origin,
        gateway(tmp_path, upstream(origin), limits=limits) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(asking())
        reply = await wire.reply()
        assert (reply.status, reply.header("RateLimit-Policy")) == (101, b'"all";q=1;w=3600')
        await wire.send(b"ab")
        assert await taken(wire, 2) == b"ab"
        refused = await accord.ask(asking())
        assert (refused.status, refused.json()["code"]) == (429, "rate_limited")
        assert len(origin.conversations) == 1


@on_every_loop
async def test_a_handshake_behind_other_requests_waits_its_turn(tmp_path: Path) -> None:
    """And what follows it is not taken for one."""
    script = (head(), send(OK), head(), send(SWITCHED), echo(len(OK)), half_close())
    async with (
        serve(script) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a") + asking() + OK)
        assert (await wire.reply()).status == 200
        assert (await wire.reply()).status == 101
        assert await wire.at_end() == OK
        assert len(origin.conversations) == 1


@on_every_loop
async def test_bytes_go_both_ways_untouched(tmp_path: Path) -> None:
    """Whatever they are; they are counted, and the tunnel is one request."""
    async with (
        serve((head(), send(SWITCHED), echo(len(BYTES)))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        async with await connect(accord.port) as wire:
            await open_tunnel(wire)
            await wire.send(BYTES)
            assert await taken(wire, len(BYTES)) == BYTES
            assert accord.application.lifecycle.in_flight == 1
            assert await places(accord) == 1
            metrics = accord.metrics()
            assert 'accord_open_tunnels{upstream="api"} 1.0' in metrics
            assert 'accord_pool_open_connections{upstream="api"} 1.0' in metrics
        outcome = await accord.outcomes.next()
        assert (outcome.status, outcome.upstream_status, outcome.outcome) == (101, 101, "ok")
        assert (outcome.request_bytes, outcome.response_bytes) == (len(BYTES), len(BYTES))
        assert outcome.translation == "passed"
        await left(origin.conversations[0])
        assert not origin.conversations[0].was_reset
        assert accord.application.lifecycle.in_flight == await places(accord) == 0
        assert [line["status"] for line in accord.log()] == [101]
        metrics = accord.metrics()
        assert (
            'accord_requests_total{fault="none",method="GET",outcome="ok",status="101",upstream="api"} 1.0' in metrics
        )
        assert f'accord_response_bytes_total{{upstream="api"}} {float(len(BYTES))}' in metrics
        assert 'accord_open_tunnels{upstream="api"} 0.0' in metrics
        assert "_duration_seconds_count" not in metrics


@on_every_loop
async def test_a_tunnel_holds_a_place_and_its_connection_serves_nobody_else(tmp_path: Path) -> None:
    """A pool that is full of tunnels refuses; when one has ended, its place is free, and its connection is gone."""
    pool = {"max_connections": 1, "max_waiting": 0}
    async with (
        serve((head(), send(SWITCHED)), (head(), send(OK))) as origin,
        gateway(tmp_path, upstream(origin, pool=pool)) as accord,
    ):
        async with await connect(accord.port) as wire:
            await open_tunnel(wire)
            refused = await accord.get("/api/a")
            assert (refused.status, refused.json()["code"]) == (503, "upstream_saturated")
            await accord.outcomes.next()
        assert (await accord.outcomes.next()).status == 101
        assert (await accord.get("/api/a")).status == 200
        assert len(origin.conversations) == 2


@on_every_loop
async def test_bytes_that_came_with_the_heads_are_not_lost(tmp_path: Path) -> None:
    """Those behind the handshake, in its segment or before its answer, and those behind the 101."""
    asked, answer, over = asyncio.Event(), asyncio.Event(), asyncio.Event()
    script = (head(), tell(asked), wait(answer), send(SWITCHED + b"early"), body(len(BYTES) + 4), tell(over))
    async with (
        serve(script) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(asking() + b"with")
        await asked.wait()
        await wire.send(BYTES)
        await turns(100)
        answer.set()
        assert (await wire.reply()).status == 101
        assert await taken(wire, 5) == b"early"
        await over.wait()
        assert origin.conversations[0].received.endswith(b"\r\n\r\nwith" + BYTES)


@in_virtual_time
async def test_bytes_before_the_101_are_no_head(tmp_path: Path) -> None:
    """They start no clock of a request's head, and however many there are, they wait."""
    asked, answer, over = asyncio.Event(), asyncio.Event(), asyncio.Event()
    script = (head(), tell(asked), wait(answer), send(SWITCHED), body(2**20 + 2), tell(over))
    async with (
        serve(script) as origin,
        gateway(tmp_path, upstream(origin, timeouts={"first_byte": "60s"}), client_timeouts={"head": "20s"}) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(asking() + b"a")
        await asked.wait()
        await wire.send(b"a")
        await asyncio.sleep(1)  # of virtual time
        (connection,) = accord.application._server.connections  # noqa: SLF001 - until it stops, nothing else shows it
        assert isinstance(connection, ClientConnection)
        accord.application._server.wind_down()  # noqa: SLF001 - as above
        assert connection.draining  # it would not be, were a head under way
        sending = asyncio.create_task(wire.send(b"b" * 2**20))
        await asyncio.sleep(30)  # of virtual time
        answer.set()
        assert (await wire.reply()).status == 101
        await sending
        await over.wait()
        assert origin.conversations[0].received.endswith(b"\r\n\r\naa" + b"b" * 2**20)


@pytest.mark.parametrize(
    "request_",
    [
        asking(upgrade="Upgrade: h2c"),
        asking(upgrade="Upgrade: websocket, h2c"),
        asking("Upgrade: h2c"),
        asking(connection=None),
        asking(connection="Connection: close"),
        asking(connection="Connection: Upgrade, Sec-WebSocket-Key"),
        asking(version="Sec-WebSocket-Version: 8"),
        asking(version=None),
        asking(key="Sec-WebSocket-Key: short"),
        asking(key=None),
        asking(f"Sec-WebSocket-Key: {KEY}"),
        asking("Content-Length: 0"),
        asking("Content-Length: 2") + b"ab",
        asking("Transfer-Encoding: chunked") + b"0\r\n\r\n",
        asking(method="POST", more="Content-Length: 0"),
        asking().replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
@on_uvloop
async def test_what_is_no_handshake_is_an_ordinary_request(tmp_path: Path, request_: bytes) -> None:
    """Its `Upgrade` is dropped, and a 101 to it is an error of the upstream's."""
    async with (
        serve((head(), send(OK)), (head(), send(SWITCHED))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        assert (await accord.ask(request_)).status == 200
        received = bytes(origin.conversations[0].received).lower()
        assert b"\r\nupgrade:" not in received
        assert b"\r\nconnection:" not in received
        origin.conversations[0].writer.close()
        await turns()
        answer = await accord.ask(request_)
        assert (answer.status, answer.json()["code"]) == (502, "upstream_protocol_error")


@pytest.mark.parametrize(
    "answer",
    [
        SWITCH + UPGRADE + b"\r\n",
        SWITCH + UPGRADE + b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
        SWITCH + UPGRADE + ACCEPT + ACCEPT + b"\r\n",
        SWITCH + b"Upgrade: h2c\r\nConnection: Upgrade\r\n" + ACCEPT + b"\r\n",
        SWITCH + b"Upgrade: websocket\r\n" + ACCEPT + b"\r\n",
        SWITCH + ACCEPT + b"\r\n",
        SWITCH + UPGRADE + ACCEPT + b"Content-Length: 5\r\n\r\n",
        SWITCH + UPGRADE + ACCEPT + b"Transfer-Encoding: chunked\r\n\r\n",
        SWITCH + UPGRADE + ACCEPT + b"X-Control: a\x01b\r\n\r\n",
        SWITCHED.replace(b"1.1", b"1.0", 1),
    ],
)
@on_uvloop
async def test_a_101_that_is_not_right_makes_no_tunnel(tmp_path: Path, answer: bytes) -> None:
    """It is the upstream's error; the client is answered as HTTP asks, and the connection is not used again."""
    async with serve((head(), send(answer + b"frames"))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        async with await connect(accord.port) as wire:
            await wire.send(asking())
            reply = await wire.reply()
            assert (reply.status, reply.header("Connection")) == (502, b"close")
            assert reply.json()["code"] == "upstream_protocol_error"
            assert await wire.at_end() == b""
        await left(origin.conversations[0])
        outcome = await accord.outcomes.next()
        assert (outcome.outcome, outcome.reason) == ("transport", "http_protocol_error")
        assert await places(accord) == 0


@on_uvloop
async def test_any_other_answer_is_an_ordinary_one(tmp_path: Path) -> None:
    """An error is translated; what the client said behind its handshake goes nowhere."""
    refused = b'{"status":403,"success":false,"error":{"code":"forbidden","message":"No."}}'
    reply = b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(refused)
    async with (
        serve((head(), send(reply + refused), gone())) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(asking() + b"frames")
        answer = await wire.reply()
        assert (answer.status, answer.header("Connection")) == (403, b"close")
        assert answer.header("Content-Type") == b"application/problem+json"
        assert answer.json()["detail"] == "No."
        assert await wire.at_end() == b""
        assert not origin.conversations[0].received.endswith(b"frames")


@on_every_loop
async def test_the_client_ends_first(tmp_path: Path) -> None:
    """The upstream hears of it behind all that was said, and may still answer; its end is the end."""
    async with (
        serve((head(), send(SWITCHED), gone(), send(b"goodbye"), half_close())) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await open_tunnel(wire)
        await wire.send(b"the last word")
        wire.writer.write_eof()
        assert await wire.at_end() == b"goodbye"
        assert origin.conversations[0].received.endswith(b"\r\n\r\nthe last word")
        assert not origin.conversations[0].was_reset
        assert (await accord.outcomes.next()).outcome == "ok"
        assert await places(accord) == 0


@on_every_loop
async def test_the_upstream_ends_first(tmp_path: Path) -> None:
    """The client gets all of it, and then the end, even when the end came with the 101."""
    scripts = (
        (head(), send(SWITCHED), send(BYTES), half_close()),
        (head(), send(SWITCHED + BYTES), half_close()),
        (head(), send(SWITCHED + BYTES), cut()),
    )
    async with serve(*scripts) as origin, gateway(tmp_path, upstream(origin)) as accord:
        for _ in scripts:
            async with await connect(accord.port) as wire:
                await open_tunnel(wire)
                assert await taken(wire, len(BYTES)) == BYTES
                assert await wire.reader.read() == b""
            assert (await accord.outcomes.next()).outcome == "ok"
        assert await places(accord) == 0


@on_every_loop
async def test_a_client_that_breaks_off_resets_the_upstream(tmp_path: Path) -> None:
    """And is told apart from one that ended in order."""
    async with serve((head(), send(SWITCHED))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        async with await connect(accord.port) as wire:
            await open_tunnel(wire)
            opened = wire.writer.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wire.leave()
            await left(origin.conversations[0])
        assert origin.conversations[0].was_reset
        outcome = await accord.outcomes.next()
        assert (outcome.status, outcome.outcome) == (101, "cancelled")
        assert await places(accord) == 0


@on_every_loop
async def test_an_upstream_that_breaks_off_resets_the_client(tmp_path: Path) -> None:
    """And is said to have failed."""
    over = asyncio.Event()
    async with (
        serve((head(), send(SWITCHED), wait(over), reset())) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        async with await connect(accord.port) as wire:
            await open_tunnel(wire)
            over.set()
            async with asyncio.timeout(PATIENCE_S):
                with pytest.raises(ConnectionResetError):
                    await wire.reader.read()
        outcome = await accord.outcomes.next()
        assert (outcome.status, outcome.outcome, outcome.reason) == (101, "cut", "http_response_incomplete")
        assert await places(accord) == 0


@on_every_loop
async def test_a_client_that_takes_nothing_slows_the_upstream_down(tmp_path: Path) -> None:
    """No more is read than buffers hold; all of it arrives in the end."""
    times = 256
    async with (
        serve((head(), send(SWITCHED), repeat(PIECE, times), half_close())) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port, limit=2**16) as wire,
    ):
        await open_tunnel(wire)
        await turns(3000)
        assert origin.conversations[0].sent_bytes < MOST_AHEAD_BYTES
        size = 0
        while piece := await wire.reader.read(2**20):
            size += len(piece)
        assert size == times * len(PIECE)


@on_every_loop
async def test_an_upstream_that_takes_nothing_slows_the_client_down(tmp_path: Path) -> None:
    """No more is read than buffers hold; all of it arrives in the end, and the other direction goes on meanwhile."""
    times, begun, taking = 256, asyncio.Event(), asyncio.Event()
    script = (head(), send(SWITCHED), wait(begun), send(b"still here"), wait(taking), body(times * len(PIECE)))
    async with (
        serve((*script, send(b"all of it"))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await open_tunnel(wire)
        sent = 0

        async def sending() -> None:
            nonlocal sent
            for _ in range(times):
                await wire.send(PIECE)
                sent += len(PIECE)

        task = asyncio.create_task(sending())
        await turns(3000)
        assert sent < MOST_AHEAD_BYTES
        begun.set()
        assert await taken(wire, 10) == b"still here"
        assert not task.done()
        taking.set()
        await task
        assert await taken(wire, 9) == b"all of it"


@in_virtual_time
async def test_a_tunnel_in_which_nothing_moves_is_closed(tmp_path: Path) -> None:
    """In order, both ends; bytes of either side count, and no other deadline does."""
    over = asyncio.Event()
    timeouts = {"total": "2s", "idle": "1s", "first_byte": "1s", "tunnel_idle": "60s"}
    async with (
        serve((head(), send(SWITCHED), body(1), wait(over), send(b"b"))) as origin,
        gateway(tmp_path, upstream(origin, timeouts=timeouts)) as accord,
        await connect(accord.port) as wire,
    ):
        await open_tunnel(wire)
        await asyncio.sleep(50)  # of virtual time
        await wire.send(b"a")
        await asyncio.sleep(50)
        over.set()
        assert await taken(wire, 1) == b"b"
        began_s = asyncio.get_running_loop().time()
        assert await wire.reader.read() == b""
        assert 59 < asyncio.get_running_loop().time() - began_s < 61
        await left(origin.conversations[0])
        assert not origin.conversations[0].was_reset
        wire.writer.close()
        outcome = await accord.outcomes.next()
        assert (outcome.outcome, outcome.reason, outcome.code) == ("idle", None, None)


@in_virtual_time
async def test_a_tunnel_whose_other_side_does_not_end_is_cut(tmp_path: Path) -> None:
    """A moment after the first has ended: a client that is gone holds no upstream connection."""
    never = asyncio.Event()
    async with (
        serve((head(), send(SWITCHED), wait(never))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await open_tunnel(wire)
        wire.writer.write_eof()
        began_s = asyncio.get_running_loop().time()
        with suppress(ConnectionError):
            assert await wire.reader.read() == b""
        assert CLOSING_S - 1 < asyncio.get_running_loop().time() - began_s < CLOSING_S + 1
        assert (await accord.outcomes.next()).outcome == "ok"
        assert await places(accord) == 0


@in_virtual_time
async def test_the_gateway_ends(tmp_path: Path) -> None:
    """Tunnels live through the grace, and both sides are told by the end of their connections."""
    shutdown = {"grace": "20s"}
    async with (
        serve((head(), send(SWITCHED), echo(2))) as origin,
        gateway(tmp_path, upstream(origin), shutdown=shutdown) as accord,
        await connect(accord.port) as wire,
    ):
        await open_tunnel(wire)
        stopping = asyncio.create_task(accord.application.stop())
        await asyncio.sleep(15)  # of virtual time
        await wire.send(b"ab")
        assert await taken(wire, 2) == b"ab"
        assert await wire.reader.read() == b""
        assert 19 < asyncio.get_running_loop().time() < 22
        await left(origin.conversations[0])
        assert not origin.conversations[0].was_reset
        await stopping
        outcome = await accord.outcomes.next()
        assert (outcome.status, outcome.outcome) == (101, "cut")
        assert outcome.code is not None
        assert outcome.code == "shutting_down"


@on_every_loop
async def test_a_client_that_leaves_before_the_101_leaves_nothing_behind(tmp_path: Path) -> None:
    """It is as with any other request."""
    asked = asyncio.Event()
    async with serve((head(), tell(asked))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        async with await connect(accord.port) as wire:
            await wire.send(asking())
            await asked.wait()
            wire.leave()
            await left(origin.conversations[0])
        assert (await accord.outcomes.next()).outcome == "cancelled"
        assert await places(accord) == 0


def pieces(data: bytes, places: list[int]) -> list[bytes]:
    """Cut `data` at places."""
    edges = sorted({0, len(data), *(place % len(data) for place in places)})
    return [data[begin:end] for begin, end in pairwise(edges)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 2**32), st.lists(st.integers(0, 2**20), max_size=12), st.lists(st.integers(0, 2**20), max_size=12)
)
def test_segments_make_no_difference(tmp_path: Path, seed: int, ours: list[int], theirs: list[int]) -> None:
    """However handshake, answer and frames are cut, the same bytes arrive on both sides."""
    chance = random.Random(seed)
    up, down = chance.randbytes(1 + seed % 200_000), chance.randbytes(1 + seed % 150_000)

    @on_uvloop
    async def play() -> None:
        script = (head(), send(*pieces(SWITCHED + down, theirs)), body(len(up)), half_close())
        async with (
            serve(script) as origin,
            gateway(tmp_path, upstream(origin)) as accord,
            await connect(accord.port) as wire,
        ):
            for piece in pieces(asking() + up, ours):
                await wire.send(piece)
                await asyncio.sleep(0)
            assert (await wire.reply()).status == 101
            assert await wire.at_end() == down
            assert origin.conversations[0].received.endswith(b"\r\n\r\n" + up)

    play()
