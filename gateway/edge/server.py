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
    from collections.abc import Awaitable, Callable

    from aiohttp.web_protocol import RequestHandler

OLDEST_AIOHTTP: Final = (3, 14, 4)
"""The first release without known request smuggling in its parsers."""

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
    """Listens on one port; every connection is a `ClientConnection`. `handler` answers requests."""

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], terms: Terms) -> None:
        """Check aiohttp itself first. Must be called in a running loop."""
        require_c_parser()
        super().__init__(handler, handler_cancellation=True)
        self._terms = terms

    def __call__(self) -> RequestHandler:
        """Make the protocol of one connection."""
        return ClientConnection(self, self._terms, loop=self._loop)

    def drain(self) -> None:
        """Close idle connections now, and each other one after its current answer."""
        self._terms.draining = True
        for connection in self._clients():
            connection.close_if_idle()

    async def end(self) -> None:
        """Cancel every request that is under way, let each say so, and close all connections."""
        handlers = [handler for connection in self._clients() if (handler := connection.handler) is not None]
        for handler in handlers:
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
        await self.shutdown(_AT_ONCE_S)

    def _clients(self) -> list[ClientConnection]:
        return [connection for connection in self.connections if isinstance(connection, ClientConnection)]
