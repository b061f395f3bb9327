"""WebSockets through the gateway with real peers at both ends: aiohttp's server and client."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import WSCloseCode, WSMsgType, web

from tests.integration.harness import gateway, upstream
from tests.integration.loops import on_every_loop
from tests.integration.wire import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.harness import Running

LARGE = bytes(range(256)) * 40_000


async def _talk(request: web.BaseRequest) -> web.StreamResponse:
    """Send back what comes, and do what is asked for by a word."""
    if request.path == "/closed":
        return web.json_response({"status": 401, "success": False, "error": {"code": "Unauthorized"}}, status=401)
    ws = web.WebSocketResponse(protocols=("chat",), max_msg_size=0)
    await ws.prepare(request)
    async for message in ws:
        if message.type is WSMsgType.BINARY:
            await ws.send_bytes(message.data)
        elif message.data == "leave":
            await ws.close(code=WSCloseCode.GOING_AWAY, message=b"maintenance")
        elif message.data == "ping":
            await ws.ping(b"are you there")
        else:
            await ws.send_str(message.data)
    return ws


@asynccontextmanager
async def _served() -> AsyncIterator[int]:
    """Serve WebSockets, and give the port."""
    runner = web.ServerRunner(web.Server(_talk))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _opened(
    accord: Running, path: str = "/api/talk", compress: int = 0
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    url = f"http://127.0.0.1:{accord.port}{path}"
    async with (
        asyncio.timeout(PATIENCE_S),
        aiohttp.ClientSession() as session,  # noqa: TID251 - a test's client: the ban is for the way to upstreams
        session.ws_connect(url, protocols=("chat",), compress=compress, max_msg_size=0, autoping=False) as ws,
    ):
        yield ws


@pytest.mark.parametrize("compress", [0, 15])
@on_every_loop
async def test_messages_go_both_ways(tmp_path: Path, compress: int) -> None:
    """Text, bytes of ten megabytes, empty ones; compressed by the two ends between themselves."""
    async with _served() as port, gateway(tmp_path, upstream(port)) as accord:
        async with _opened(accord, compress=compress) as ws:
            assert ws.protocol == "chat"
            assert ws.compress == compress
            for text in ("hello", "", "سلام"):
                await ws.send_str(text)
                assert await ws.receive_str() == text
            await ws.send_bytes(LARGE)
            assert await ws.receive_bytes() == LARGE
        outcome = await accord.outcomes.next()
        assert (outcome.status, outcome.outcome) == (101, "ok")


@on_every_loop
async def test_pings_go_through(tmp_path: Path) -> None:
    """They are between the two ends, whichever begins."""
    async with _served() as port, gateway(tmp_path, upstream(port)) as accord, _opened(accord) as ws:
        await ws.ping(b"ours")
        pong = await ws.receive()
        assert (pong.type, pong.data) == (WSMsgType.PONG, b"ours")
        await ws.send_str("ping")
        ping = await ws.receive()
        assert (ping.type, ping.data) == (WSMsgType.PING, b"are you there")


@on_every_loop
async def test_a_goodbye_arrives_with_its_reason(tmp_path: Path) -> None:
    """The code and the reason of a close, from the upstream to the client."""
    async with _served() as port, gateway(tmp_path, upstream(port)) as accord:
        async with _opened(accord) as ws:
            await ws.send_str("leave")
            message = await ws.receive()
            assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 1001, "maintenance")
        assert (await accord.outcomes.next()).outcome == "ok"


@on_every_loop
async def test_a_refusal_is_a_problem(tmp_path: Path) -> None:
    """An upstream that answers a handshake with an error is translated as ever."""
    async with _served() as port, gateway(tmp_path, upstream(port)) as accord:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with _opened(accord, "/api/closed"):
                pass
        assert caught.value.status == 401
        assert caught.value.headers is not None
        assert caught.value.headers["Content-Type"] == "application/problem+json"


@on_every_loop
async def test_many_at_once(tmp_path: Path) -> None:
    """Each gets its own."""
    async with _served() as port, gateway(tmp_path, upstream(port)) as accord:

        async def one(number: int) -> None:
            async with _opened(accord) as ws:
                for count in range(10):
                    await ws.send_str(f"{number} {count}")
                    assert await ws.receive_str() == f"{number} {count}"

        await asyncio.gather(*map(one, range(40)))
        assert [(await accord.outcomes.next()).outcome for _ in range(40)] == ["ok"] * 40
        assert accord.application.lifecycle.in_flight == 0
