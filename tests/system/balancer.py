"""A load balancer that hears who is ready, as in a cluster: a real nginx, and what rewrites its list of replicas.

nginx passes each request on once and tries no other replica, so that a request which a replica loses is lost for its
client, too. It keeps connections to replicas open. Its workers are renewed with each list, as an ingress does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Final

from tests.components import require_component
from tests.integration.wire import connect
from tests.system.accord import START_S, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.system.accord import Served

_LOOK_S: Final = 0.1
"""How often replicas are asked whether they are ready."""
_CONFIG: Final = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    log_format told "$status $upstream_addr $upstream_status";
    access_log {folder}/access.log told;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream accord {{ {servers} keepalive 32; }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 0;
        location = /list {{ return 200 "{list}"; }}
        location / {{
            proxy_pass http://accord;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_next_upstream off;
        }}
    }}
}}
"""


class Balancer:
    """nginx on `port`, and the replicas that it may choose from."""

    def __init__(self, folder: Path, port: int, replicas: tuple[Served, ...]) -> None:
        folder.mkdir()
        self.port = port
        self.replicas = list(replicas)
        self._folder = folder
        self._ready = [replica.port for replica in replicas]
        self._write()
        command = [require_component("nginx"), "-p", str(folder), "-e", str(folder / "error.log"), "-c"]
        self._process = subprocess.Popen([*command, str(folder / "nginx.conf")])

    async def watch(self) -> None:
        """Ask replicas whether they are ready, and tell nginx whenever that has changed; until cancelled."""
        while True:
            ready = [replica.port for replica in self.replicas if await _is_ready(replica)]
            if ready != self._ready:
                self._ready = ready
                self._write()
                self._process.send_signal(signal.SIGHUP)
            await asyncio.sleep(_LOOK_S)

    async def chooses_from(self, *replicas: Served) -> None:
        """Wait until nginx has these in its list and no others."""
        wanted = " ".join(str(replica.port) for replica in replicas).encode()
        await until(self._list, lambda found: found == wanted)

    def complaints(self) -> list[str]:
        """Return what nginx says that went wrong."""
        lines = (self._folder / "error.log").read_text().splitlines()
        return [line for line in lines if "[warn]" not in line]

    def passed_on(self) -> list[tuple[str, str, str]]:
        """Return, for each request: the status that its client got, the replica's address, and its status."""
        rows = [line.split(" ") for line in (self._folder / "access.log").read_text().splitlines()]
        return [(row[0], row[1], row[2]) for row in rows if row[1] != "-"]

    def end(self) -> None:
        """End nginx."""
        self._process.terminate()
        self._process.wait(START_S)

    async def _list(self) -> bytes | None:
        try:
            async with await connect(self.port) as wire:
                await wire.send(b"GET /list HTTP/1.1\r\nHost: list.test\r\nConnection: close\r\n\r\n")
                return (await wire.reply()).body
        except (ConnectionError, asyncio.IncompleteReadError):  # it has not begun to listen
            return None

    def _write(self) -> None:
        text = _CONFIG.format(
            folder=self._folder,
            port=self.port,
            user="user root;" if os.geteuid() == 0 else "",
            servers="".join(f"server 127.0.0.1:{port} max_fails=0;" for port in self._ready) or "server 127.0.0.1:1;",
            list=" ".join(map(str, self._ready)),
        )
        (self._folder / "nginx.conf").write_text(text)


async def _is_ready(replica: Served) -> bool:
    try:
        return (await replica.admin("/-/ready")).status == 200
    except (OSError, asyncio.IncompleteReadError):
        return False


@contextlib.asynccontextmanager
async def balancer(folder: Path, port: int, *replicas: Served) -> AsyncIterator[Balancer]:
    """Run one in front of `replicas`, which are ready, until the context ends; more may join."""
    one = Balancer(folder, port, replicas)
    try:
        await one.chooses_from(*replicas)  # a signal before it listens would end it
        watching = asyncio.create_task(one.watch())
        try:
            yield one
        finally:
            watching.cancel()
    finally:
        one.end()
