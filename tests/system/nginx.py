"""A real nginx on loopback, for tests: it runs while a context lasts, with all its files in one folder."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from typing import TYPE_CHECKING

from tests.components import require_component
from tests.integration.wire import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_FRAME = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    types {{ text/plain txt; text/html html; application/json json; video/mp4 mp4; }}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""


@contextlib.asynccontextmanager
async def nginx(folder: Path, servers: str, port: int) -> AsyncIterator[Path]:
    """Run nginx with these `server` and `upstream` blocks until the context ends; yield the file of its complaints.

    `port` is one that it listens on: it is ready when that answers.
    """
    complaints = folder / "error.log"
    command = [require_component("nginx"), "-p", str(folder), "-e", str(complaints), "-c", str(_file(folder, servers))]
    with subprocess.Popen(command) as process:  # noqa: ASYNC220 - it is started, not waited for
        try:
            await _listening(process, port)
            yield complaints
        finally:
            process.terminate()


def _file(folder: Path, servers: str) -> Path:
    """Write the configuration."""
    folder.mkdir()
    file = folder / "nginx.conf"
    file.write_text(_FRAME.format(folder=folder, servers=servers))
    return file


async def _listening(process: subprocess.Popen[bytes], port: int) -> None:
    """Try to connect until nginx is there."""
    async with asyncio.timeout(PATIENCE_S):
        while process.poll() is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0)
            else:
                writer.close()
                await writer.wait_closed()
                return
    raise AssertionError(f"nginx ended with {process.returncode}")
