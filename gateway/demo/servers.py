"""The demo APIs as HTTP servers on loopback: a row in, its bytes out.

Built on aiohttp's low-level server, one for each API. Time and pauses are arguments, so that a test needs neither.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aiohttp import web

from gateway.demo import salla, status_message_body, type_code_param
from gateway.demo.rows import Asked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from gateway.demo.rows import DemoApi, Row

APIS: Final[Mapping[str, DemoApi]] = {
    module.API.dialect: module.API for module in (salla, status_message_body, type_code_param)
}
STOP_S: Final = 1.0
"""How long `stop` waits for answers that are under way, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoUpstreams:
    """The demo APIs while they run: `urls` holds each one's base URL (no slash at the end) by its dialect."""

    urls: Mapping[str, str]
    _stack: AsyncExitStack = field(repr=False)

    async def stop(self) -> None:
        """Stop all of them; an answer that is under way has `STOP_S` to end."""
        await self._stack.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Handler:
    """Answers the requests of one API."""

    api: DemoApi
    base_url: str
    pause: Callable[[float], Awaitable[object]]
    wall_clock: Callable[[], float]

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = Asked(
            method=request.method,
            path=request.path,
            query=request.query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        row = self.api.answer(asked)
        if (pause_s := row.pause_for(asked)) > 0:
            await self.pause(pause_s)
        headers = {name.decode(): value.decode() for name, value in row.headers_at(self.wall_clock())}
        headers["Server"] = f"accord-demo ({self.api.dialect})"
        return await _send(request, row, headers, row.body_for(asked, self.base_url))


async def _send(request: web.BaseRequest, row: Row, headers: dict[str, str], body: bytes) -> web.StreamResponse:
    if not row.missing_bytes:
        return web.Response(status=row.status, headers=headers, body=body or None)
    response = web.StreamResponse(status=row.status, headers=headers)
    response.content_length = len(body) + row.missing_bytes
    response.force_close()  # the connection ends with what was sent, short of what was promised
    await response.prepare(request)
    await response.write(body)
    return response


async def start(
    host: str = "127.0.0.1",
    first_port: int = 0,
    *,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    wall_clock: Callable[[], float] = time.time,  # noqa: TID251 - the APIs stand for machines with clocks of their own
) -> DemoUpstreams:
    """Start the demo APIs, on ports that follow each other or else on free ones. Raises `OSError`.

    `await DemoUpstreams.stop()` ends them.
    """
    async with AsyncExitStack() as stack:
        urls = {}
        for number, (dialect, api) in enumerate(APIS.items()):
            listener = stack.enter_context(socket.create_server((host, first_port + number if first_port else 0)))
            urls[dialect] = f"http://{host}:{listener.getsockname()[1]}"
            handler = _Handler(api=api, base_url=urls[dialect], pause=pause, wall_clock=wall_clock)
            await _serve(handler, listener, stack)
        return DemoUpstreams(urls=urls, _stack=stack.pop_all())


async def _serve(handler: _Handler, listener: socket.socket, stack: AsyncExitStack) -> None:
    """Serve on `listener`; a client that leaves ends its handler."""
    server = web.Server(handler, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=STOP_S)
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    await web.SockSite(runner, listener).start()
