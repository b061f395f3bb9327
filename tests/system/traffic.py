"""Steady traffic of many kinds, for tests: what is asked, what must come, and everything that went otherwise."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass
from itertools import count, cycle
from typing import TYPE_CHECKING, Final

from tests.integration.harness import get, post, upstream
from tests.integration.wire import ask
from tests.system.nginx import nginx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path
    from typing import Any

    from tests.integration.wire import Reply

QUICK_CLIENTS, SLOW_CLIENTS, COUNTED_CLIENTS = 1, 8, 4
_SUCCESS: Final = '{"status":200,"success":true,"data":{"id":7}}'
_ERROR: Final = '{"status":422,"success":false,"error":{"code":"error","message":"No","fields":{"name":["Too long"]}}}'
_LONG_BYTES: Final = 4 * 1024
_ORIGIN: Final = """
server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    keepalive_timeout 1h;
    keepalive_requests 1000000;
    client_max_body_size 0;
    location = /ok {{ return 200 '{success}'; }}
    location = /err {{ return 422 '{error}'; }}
    location = /slow.txt {{ root {folder}; limit_rate 4k; }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A request, without its last field, and what its answer must have."""

    name: str
    path: str
    body: bytes | None
    status: int
    proof: bytes
    """What its body must contain; one that breaks off is no answer anyway."""

    def request(self, stage: str) -> bytes:
        """Return the request as bytes; `stage` is whom limits count."""
        fields = (f"X-Stage: {stage}", "Connection: close")
        return get(self.path, *fields) if self.body is None else post(self.path, self.body, *fields)


_UNIFIED, _FIELD, _END = b'"id":7', b'"validation_failed"', b"the end"
QUICK: Final = (
    Kind(name="get", path="/api/ok", body=None, status=200, proof=_UNIFIED),
    Kind(name="small post", path="/api/ok", body=b"x" * 300, status=200, proof=_UNIFIED),
    Kind(name="large post", path="/api/ok", body=b"x" * 200_000, status=200, proof=_UNIFIED),
    Kind(name="error", path="/api/err", body=None, status=422, proof=_FIELD),
    Kind(name="error to a post", path="/api/err", body=b"{}", status=422, proof=_FIELD),
)
SLOW: Final = (Kind(name="slow", path="/api/slow.txt", body=None, status=200, proof=_END),)


@contextlib.asynccontextmanager
async def origin(folder: Path, port: int) -> AsyncIterator[dict[str, Any]]:
    """Run what answers all kinds; yield the settings of an upstream that is it."""
    (folder.parent / "www").mkdir()
    (folder.parent / "www" / "slow.txt").write_bytes(b"." * _LONG_BYTES + _END)
    text = _ORIGIN.format(port=port, folder=folder.parent / "www", success=_SUCCESS, error=_ERROR)
    async with nginx(folder, text, port):
        yield upstream(port)


class Traffic:
    """Clients that ask, each on a new connection for each request, and as soon as it has its answer."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answered: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.over = False
        self._heard = asyncio.Event()
        self._keys = (f"nobody-{number}" for number in count())

    async def more(self, number: int = 10) -> None:
        """Wait until each kind has been answered so many times more, or anything went wrong."""
        before = Counter(self.answered)
        wanted = {kind.name: before[kind.name] + (number if kind in QUICK else SLOW_CLIENTS) for kind in QUICK + SLOW}
        while not self.wrong and any(self.answered[name] < least for name, least in wanted.items()):
            self._heard.clear()
            await self._heard.wait()

    async def run(self) -> None:
        """Ask until told that it is over; each client takes its last answer."""
        clients = [self._client(cycle(QUICK)) for _ in range(QUICK_CLIENTS)]
        clients += [self._client(cycle(SLOW)) for _ in range(SLOW_CLIENTS)]
        await asyncio.gather(*clients)

    async def counted(self, stage: str, requests: int) -> Counter[int]:
        """Ask so often, all in the name of `stage`; return how often each status came."""
        kinds, statuses = cycle(QUICK[:2]), Counter[int]()

        async def client() -> None:
            for _ in range(requests // COUNTED_CLIENTS):
                statuses[(await ask(self.port, next(kinds).request(stage))).status] += 1

        await asyncio.gather(*[client() for _ in range(COUNTED_CLIENTS)])
        return statuses

    async def _client(self, kinds: Iterator[Kind]) -> None:
        for kind in kinds:
            try:
                reply = await ask(self.port, kind.request(next(self._keys)))
            except (OSError, EOFError, AssertionError, ValueError) as error:
                self.wrong.append(f"{kind.name}: {error!r}")
            else:
                self._note(kind, reply)
            self._heard.set()
            if self.over:
                return

    def _note(self, kind: Kind, reply: Reply) -> None:
        if (reply.status, kind.proof in reply.body) != (kind.status, True):
            self.wrong.append(f"{kind.name}: {reply.status} {reply.body[:300]!r}")
        self.answered[kind.name] += 1


@contextlib.asynccontextmanager
async def traffic(port: int) -> AsyncIterator[Traffic]:
    """Have steady traffic to `port` while the context lasts."""
    one = Traffic(port)
    running = asyncio.create_task(one.run())
    try:
        await one.more(10)
        yield one
    finally:
        one.over = True
        await running
