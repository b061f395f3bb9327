"""`python -m gateway.demo HOST PORT`: the three demo APIs by themselves, each on a port of its own from PORT upwards.

For a gateway in another container; `accord demo` runs both together.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from gateway.demo import servers


async def main(host: str, first_port: int) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError when a port cannot be had."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    upstreams = await servers.start(host, first_port)
    for dialect, url in upstreams.urls.items():
        print(f"{dialect}: {url}", flush=True)  # noqa: T201 - what it is run for
    await stop.wait()
    await upstreams.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
