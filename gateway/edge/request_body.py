"""The body of a request, read with bounds.

A client that sends slowly is the cheapest attack on a proxy: each holds an upstream connection. So the first bytes are
collected here before anybody takes one, and every wait for more is measured: the client has `body_s` seconds in all for
waiting, and earns more with each byte at `min_rate_bytes_s`. Time in which *we* did not read does not count.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self

from aiohttp.web_protocol import RequestPayloadError

from gateway.edge.refusals import MalformedBody
from gateway.errors import AccordError, ClientGone

if TYPE_CHECKING:
    from aiohttp.streams import StreamReader

    from gateway.config.models import ClientTimeouts
    from gateway.edge.clock import Clock
    from gateway.edge.connection import ClientConnection

PREFETCH_BYTES: Final = 65_536
"""A body up to this size is collected whole before an upstream connection is taken."""

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class BodyRefused(AccordError):  # noqa: N818 - a refusal; it becomes a problem, not a crash
    """A body that the gateway will not take further; `code` names why."""

    def __init__(self, code: str) -> None:
        """Keep the name of the code to answer with."""
        super().__init__(code)
        self.code = code


class RequestBody:
    """One request's body, read once: `collect` first, then iterate over what is left.

    `limit_bytes` bounds it in all. Raises BodyRefused when it is too large, too slow or badly framed, ClientGone when
    the client left.
    """

    def __init__(
        self,
        payload: StreamReader,
        connection: ClientConnection,
        *,
        limit_bytes: int,
        timeouts: ClientTimeouts,
        clock: Clock,
        asked_to_continue: bool,
    ) -> None:
        """Take the stream; nothing is read yet. `asked_to_continue`: the client waits for a 100."""
        self._payload = payload
        self._connection = connection
        self._limit_bytes = limit_bytes
        self._timeouts = timeouts
        self._clock = clock
        self._asked = asked_to_continue
        self._waited_s = 0.0
        self.received_bytes = 0

    @property
    def complete(self) -> bool:
        """Tell whether the client has sent all of it."""
        return self._payload.is_eof()

    @property
    def at_end(self) -> bool:
        """Tell whether nothing is left of it to be read."""
        return self._payload.at_eof()

    def at_hand(self) -> bytes:
        """Return what has arrived, without waiting; all of the body when it is `complete`."""
        return self._take()

    async def collect(self) -> bytes:
        """Return the first bytes: all of the body where it is within PREFETCH_BYTES, else at least that many."""
        if self._payload.is_eof():
            return self._take()
        chunks: list[bytes] = []
        while self.received_bytes < PREFETCH_BYTES and (chunk := await self._next()):
            chunks.append(chunk)
        return b"".join(chunks)

    def __aiter__(self) -> Self:
        """Iterate over what comes after that."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece, none of which is empty."""
        if chunk := await self._next():
            return chunk
        raise StopAsyncIteration

    async def _next(self) -> bytes:
        """Return the next bytes, empty at the end."""
        chunk = self._take()
        while not chunk and not self._payload.at_eof():
            chunk = await self._wait()
        return chunk

    def _take(self) -> bytes:
        """Return what has arrived, without waiting."""
        try:
            return self._count(self._payload.read_nowait(-1))
        except _BROKEN as exc:
            raise _reason(exc) from exc

    async def _wait(self) -> bytes:
        """Wait until something arrives, as long as the client is allowed."""
        if self._asked:
            self._asked = False
            self._connection.send(_CONTINUE)
        began_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(self._allowed_s()):
                return self._count(await self._payload.readany())
        except TimeoutError:
            raise BodyRefused("request_timeout") from None
        except _BROKEN as exc:
            raise _reason(exc) from exc
        finally:
            self._waited_s += self._clock.monotonic_s() - began_s

    def _allowed_s(self) -> float:
        """Return how long the client may take for its next bytes."""
        timeouts = self._timeouts
        earned_s = self.received_bytes / timeouts.min_rate_bytes_s
        return min(timeouts.body_s, timeouts.body_s + earned_s - self._waited_s)

    def _count(self, chunk: bytes) -> bytes:
        self.received_bytes += len(chunk)
        if self.received_bytes > self._limit_bytes:
            raise BodyRefused("body_too_large")
        return chunk


_BROKEN: Final = (MalformedBody, ConnectionError, RequestPayloadError)


def _reason(exc: BaseException) -> AccordError:
    """Tell a body that broke its framing from a client that left."""
    return BodyRefused("malformed_request") if isinstance(exc, MalformedBody) else ClientGone()
