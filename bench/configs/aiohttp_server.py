# ruff: noqa: INP001 - a script, and no part of the package
"""aiohttp's server answering by itself, with no upstream: what any gateway on it can reach at most. Argument: port."""

import asyncio
import sys

import uvloop
from aiohttp import web


async def main() -> None:
    """Serve until ended."""
    body = b"x" * 1024

    async def handle(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=body, content_type="text/plain")

    runner = web.ServerRunner(web.Server(handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1])).start()
    await asyncio.Event().wait()


uvloop.run(main())
