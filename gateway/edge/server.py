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

NEW_S: Final = 1.0
"""When the gateway stops: how long a client may take to begin the request that it may just be sending."""

_LOOK_S: Final = 0.02
"""How often draining looks which connections are done with."""

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
        """Make each answer from here on the last of its connection, unless its client has asked more already."""
        self._terms.draining = True

    async def caught_up(self) -> None:
        """Wait until the kernel's queue of connections is empty; uvloop takes one each turn."""
        for _ in range(_TURNS):
            before = self._made
            for _ in range(2):
                await asyncio.sleep(0)
            if self._made == before:
                return

    async def drain(self, grace_s: float) -> None:
        """Close every connection on which no request is under way or to be expected, for `grace_s` seconds at most.

        A client sends a request on a connection that it believes to stay, and would lose it by our closing: one that
        has not asked anything yet, or was told a moment ago that its connection stays, has `NEW_S` to ask once more.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        # Looked at again and again: an event would cost every request of a whole life.
        while self._close_idle(began_s) and loop.time() < began_s + grace_s:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)

    def _close_idle(self, began_s: float) -> bool:
        """Close what is done with; return whether anything is not."""
        expected_s, left = self._loop.time() - NEW_S, False
        for connection in self._clients():
            if connection.awaited_since(began_s) > expected_s:
                left = True
            else:
                connection.close_if_idle()
                left = left or connection.turn is not None
        return left

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
