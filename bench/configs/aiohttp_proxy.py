# ruff: noqa: INP001 - a script, and no part of the package
"""What a team writes first: aiohttp's server in front, its client behind. Arguments: port, origin's port."""

import asyncio
import sys

import uvloop
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web  # noqa: TID251 - this is the peer
from yarl import URL  # noqa: TID251 - as above

_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host", "content-length"}


async def main() -> None:
    """Serve until ended."""
    origin = f"http://127.0.0.1:{sys.argv[2]}"
    session = ClientSession(
        connector=TCPConnector(limit=0),
        auto_decompress=False,
        cookie_jar=DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        timeout=ClientTimeout(total=None),
    )

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOP]
        data = await request.read() if request.body_exists else None
        url = URL(origin + request.path_qs, encoded=True)
        async with session.request(request.method, url, headers=headers, data=data, allow_redirects=False) as reply:
            body = await reply.read()
            kept = [(name, value) for name, value in reply.headers.items() if name.lower() not in _HOP]
            return web.Response(status=reply.status, body=body, headers=kept)

    runner = web.ServerRunner(web.Server(handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1])).start()
    await asyncio.Event().wait()


uvloop.run(main())
