"""A port for HTTP: aiohttp's low-level server, fit to face anybody, with connections of our own kind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp import web
from aiohttp.http import HttpRequestParser
from aiohttp.http_parser import HttpRequestParserPy

from gateway.edge.connection import ClientConnection, Terms

if TYPE_CHECKING:
    from aiohttp.web_protocol import RequestHandler

    from gateway.config.models import Bounds, ClientTimeouts
    from gateway.edge.connection import Refuse, Serve

OLDEST_AIOHTTP: Final = (3, 14, 4)
"""The first release without known request smuggling in its parsers."""

_LOOK_S: Final = 0.01
"""How often draining looks whether new connections have begun their requests."""

_TURNS: Final = 4_096
"""So many connections are waited for at most: a flood must not keep the gateway from stopping."""

_AT_ONCE_S: Final = 0.001
"""For aiohttp, whose 0 is for ever."""


def require_c_parser() -> None:
    """Raise RuntimeError unless aiohttp is new enough and brought its C parser.

    Most of aiohttp's smuggling advisories are for the parser in Python, which it falls back to without a word.
    """
    version = tuple(int(part) for part in aiohttp.__version__.split(".")[:3] if part.isdigit())
    if version < OLDEST_AIOHTTP:
        wanted = ".".join(map(str, OLDEST_AIOHTTP))
        message = f"aiohttp {wanted} or newer is needed, found {aiohttp.__version__}"
        raise RuntimeError(message)
    if issubclass(HttpRequestParser, HttpRequestParserPy):
        message = "aiohttp has no C extensions here; its parser in Python is not strict enough to face clients"
        raise RuntimeError(message)


class ClientServer(web.Server):
    """Listens on one port; every connection is a `ClientConnection`, which has its requests served by `terms`."""

    def __init__(self, terms: Terms) -> None:
        """Check aiohttp itself first. Must be called in a running loop."""
        require_c_parser()
        super().__init__(_unused)
        self._terms = terms
        self._made = 0

    def __call__(self) -> RequestHandler:
        """Make the protocol of one connection."""
        self._made += 1
        return ClientConnection(self, self._terms, loop=self._loop)

    def follow(self, bounds: Bounds, timeouts: ClientTimeouts, serve: Serve, refuse: Refuse) -> None:
        """Serve by other parts from the next request on; those under way go on by what they began with."""
        terms = self._terms
        terms.bounds, terms.timeouts = bounds, timeouts
        terms.serve, terms.refuse = serve, refuse
        for connection in self._clients():
            connection.seen = None  # it remembers ways, and with them all that they were made of

    def wind_down(self) -> None:
        """Make each answer from here on the last of its connection."""
        self._terms.draining = True

    async def caught_up(self) -> None:
        """Wait until the kernel's queue of connections is empty; uvloop takes one each turn."""
        for _ in range(_TURNS):
            before = self._made
            for _ in range(2):
                await asyncio.sleep(0)
            if self._made == before:
                return

    async def drain(self, new_s: float) -> None:
        """Close idle connections now, and each other one after its current answer.

        One that has not asked anything yet may have a request on its way: it has `new_s` seconds to begin it.
        """
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + new_s
        for connection in self._clients():
            if not connection.awaited:
                connection.close_if_idle()
        # Looked at again and again: an event would cost every request of a whole life.
        while loop.time() < ends_s and any(connection.awaited for connection in self._clients()):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)
        for connection in self._clients():
            connection.close_if_idle()

    async def end(self) -> None:
        """Break off every request that is under way, let each say so, and close all connections."""
        turns = [turn for connection in self._clients() if (turn := connection.turn) is not None]
        for turn in turns:
            turn.cancel()
        await asyncio.gather(*[turn.ended() for turn in turns])
        await self.shutdown(_AT_ONCE_S)

    def _clients(self) -> list[ClientConnection]:
        return [connection for connection in self.connections if isinstance(connection, ClientConnection)]


async def _unused(_request: web.BaseRequest) -> web.StreamResponse:
    """Stand in for the handler that aiohttp wants: its own loop over requests does not run."""
    raise AssertionError
