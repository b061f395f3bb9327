"""What the tests of the upstream side share: a pool to a scripted origin, and requests with few words."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.upstream import Pool, UpstreamRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from gateway.upstream import Exchange
    from gateway.upstream.sessions import ResumingContext
    from gateway.upstream.settings import Endpoint

HOST = (b"Host", b"origin.example")
SOON_S = 0.05
"""A deadline that a test waits for."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Timeouts that no test reaches unless it sets them."""

    connect_s: float = 20.0
    first_byte_s: float = 20.0
    idle_s: float = 20.0
    total_s: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Room:
    """Limits of a small pool."""

    max_connections: int = 4
    max_waiting: int = 4
    wait_s: float = 20.0
    idle_s: float = 60.0


@contextlib.asynccontextmanager
async def pool_to(
    endpoint: Endpoint,
    *,
    timeouts: Patience = Patience(),
    limits: Room = Room(),
    ssl_context: ResumingContext | None = None,
    head_bytes: int = 64 * 1024,
    max_age_s: float = 300.0,
) -> AsyncIterator[Pool]:
    """A pool to `endpoint`, closed at the end, with every place given back."""
    loop = asyncio.get_running_loop()
    pool = Pool(endpoint, timeouts, limits, loop, ssl_context, head_bytes=head_bytes, max_age_s=max_age_s)
    try:
        yield pool
        assert pool.stats().open == pool.stats().idle, "a place was not given back"
        assert pool.stats().waiting == 0
    finally:
        await pool.aclose()


def get(
    target: bytes = b"/", *, method: bytes = b"GET", headers: tuple[tuple[bytes, bytes], ...] = ()
) -> UpstreamRequest:
    """A request without a body."""
    return UpstreamRequest(method=method, target=target, headers=(HOST, *headers))


async def pieces_of(*pieces: bytes) -> AsyncGenerator[bytes, None]:
    """A remainder that comes in `pieces`."""
    for piece in pieces:
        yield piece


async def turns(times: int = 10) -> None:
    """Let the loop turn: on loopback, what was sent arrives in that, and what is wrong has time to show."""
    for _ in range(times):
        await asyncio.sleep(0)


async def rest_of(exchange: Exchange) -> bytes:
    """Read a body to its end."""
    pieces: list[bytes] = []
    while piece := await exchange.read():
        pieces.append(piece)
    return b"".join(pieces)
