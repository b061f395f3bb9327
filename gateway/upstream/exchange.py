"""One request and its reply, between the task that waits for it and the connection that carries it.

Invariants: it ends in exactly one of three ways: the reply is complete, a failure is known, or it was closed. Only a
reply that is complete and persistent, to a request that was sent whole, leaves a connection that may be used again. A
failure shows only when all that came before it was read. Nothing here touches a socket: that is the wire's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from gateway.errors import ClientGone, TransportFailure, TransportReason
from gateway.upstream.failures import reason_of
from gateway.upstream.reply import ReplyReader
from gateway.upstream.request import LAST_CHUNK, chunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import Headers
    from gateway.upstream.port import ReplyHead, UpstreamRequest
    from gateway.upstream.reply import KnownHeads
    from gateway.upstream.tunnel import TunnelEnd

HIGH_WATER_BYTES = 256 * 1024
"""Reading pauses while more of a reply than this waits to be taken."""
LOW_WATER_BYTES = HIGH_WATER_BYTES // 4
_MOST_PIECES = 1024
"""Reading pauses too while it waits in more pieces than this: a piece of one byte costs forty."""


class Wire(Protocol):
    """What an exchange asks of its connection."""

    @property
    def reading_paused(self) -> bool:
        """Whether the transport was told to stop reading."""

    @property
    def writing_paused(self) -> bool:
        """Whether the transport asked us to stop writing."""

    def pause_reading(self) -> None:
        """Let no more of the reply come in."""

    def resume_reading(self) -> None:
        """Let it come in again."""

    def write(self, data: bytes) -> None:
        """Write a piece of the request."""

    async def drained(self) -> None:
        """Wait until writing is no longer paused."""

    def request_sent(self) -> None:
        """Hear that the last piece of the request was written."""

    def hand_over(self, early: bytes) -> TunnelEnd:
        """Let a tunnel have the socket, and the bytes that came already."""

    def release(self, *, reusable: bool) -> None:
        """Be free of this exchange, for another one or for none."""

    def cut(self) -> None:
        """Close the socket at once; this exchange still holds the connection's place in the pool."""


class HttpExchange:
    """An exchange as the port promises it, with what its connection calls on top.

    `again` says whether the request may be sent a second time, `total_at` when the whole must be over (in the loop's
    seconds), both for whoever would do so. `answered` is called once when there is a head or a failure.
    """

    __slots__ = ("_again", "_reply", "_upload", "_waiter", "_wire", "answered", "failure", "sent", "total_at")

    def __init__(
        self,
        wire: Wire,
        *,
        to_head: bool,
        head_bytes: int,
        again: bool,
        total_at: float,
        known: KnownHeads | None = None,
        upgrade: bool = False,
    ) -> None:
        """Begin; `sent` is to be set where nothing but the bytes already written belongs to the request."""
        self.failure: Exception | None = None
        self.sent = False
        self.total_at = total_at
        self.answered: Callable[[HttpExchange], None] | None = None
        self._again = again
        self._reply = ReplyReader(to_head=to_head, head_bytes=head_bytes, known=known, upgrade=upgrade)
        self._wire: Wire | None = wire
        self._waiter: asyncio.Future[None] | None = None
        self._upload: asyncio.Task[None] | None = None

    # What the port promises.

    @property
    def head(self) -> ReplyHead:
        """The head of the final reply."""
        return self._reply.head

    @property
    def status(self) -> int:
        """The final status."""
        return self._reply.head.status

    @property
    def headers(self) -> Headers:
        """The fields as received."""
        return self._reply.head.headers

    @property
    def content_length(self) -> int | None:
        """The declared length."""
        return self._reply.head.content_length

    @property
    def repeatable(self) -> bool:
        """Whether nobody saw the request, and it may be sent a second time."""
        failure = self.failure
        return (
            self._again
            and isinstance(failure, TransportFailure)
            and failure.reason is TransportReason.CONNECTION_TERMINATED
        )

    async def read(self) -> bytes:
        """Return the next piece of the body, or b"" at its clean end."""
        reply = self._reply
        while not reply.chunks:
            if reply.complete:
                return b""
            if self.failure is not None:
                self.close()
                raise self.failure
            await self._change()
        piece = reply.chunks.popleft()
        reply.buffered -= len(piece)
        wire = self._wire
        if wire is not None and wire.reading_paused and reply.buffered <= LOW_WATER_BYTES:
            wire.resume_reading()
        return piece

    def whole(self, limit_bytes: int) -> bytes | None:
        """Take the body when all of it is at hand."""
        reply = self._reply
        if not reply.complete or reply.buffered > limit_bytes:
            return None
        return self._take_all(reply)

    async def capture(self, limit_bytes: int) -> tuple[bytes, bool]:
        """Return the body up to `limit_bytes`, and whether more of it remains."""
        body = self.whole(limit_bytes)
        if body is not None:
            return body, False
        reply = self._reply
        pieces: list[bytes] = []
        size = 0
        while size <= limit_bytes:
            piece = await self.read()
            if not piece:
                return b"".join(pieces), False
            pieces.append(piece)
            size += len(piece)
        body = b"".join(pieces)
        reply.chunks.appendleft(body[limit_bytes:])
        reply.buffered += size - limit_bytes
        return body[:limit_bytes], True

    def tunnel(self) -> TunnelEnd:
        """Give the socket away, with what came behind the head."""
        if self.failure is not None or self._wire is None:
            raise self.failure or AssertionError("the exchange is closed")
        return self._wire.hand_over(self._take_all(self._reply))

    def close(self) -> None:
        """Give the connection back, or cut it."""
        wire, self._wire = self._wire, None
        if wire is None:
            return
        reply = self._reply
        if not reply.complete and self.failure is None:
            self.failure = TransportFailure(TransportReason.HTTP_RESPONSE_INCOMPLETE, "closed before its end")
        self.answered = None
        self._stop_upload()
        wire.release(reusable=reply.complete and reply.persistent and self.sent and self.failure is None)
        self._wake()

    # What the pool asks.

    async def answer(self) -> bool:
        """Wait for the reply's head, and say whether it came; if not, `failure` says why."""
        while not self.headed and self.failure is None:
            await self._change()
        return self.headed

    def hand_over(self) -> None:
        """Leave the connection's place in the pool to the exchange that repeats this one."""
        self._wire = None

    @property
    def headed(self) -> bool:
        """Whether the head of the final reply is complete."""
        return self._reply.headed

    @property
    def complete(self) -> bool:
        """Whether the reply is."""
        return self._reply.complete

    # What the wire says.

    def receive(self, data: bytes) -> None:
        """Take bytes of the reply."""
        if self.failure is not None:
            return
        reply = self._reply
        headed = reply.headed
        failure = None
        try:
            reply.feed(data)
        except TransportFailure as refusal:
            failure = refusal
        if reply.headed:
            if not headed and self._upload is not None:
                self._stop_upload()  # an early reply ends the request where it is (RFC 9112 section 9.5)
            self._hold_back(reply)
            self._wake()
        if failure is not None:
            self.fail(failure)

    def ended(self) -> None:
        """Take the orderly end of what the upstream sends, which ends a reply without a length."""
        if self.failure is None and self._reply.end():
            self._wake()
        else:
            self.broken(None)

    def broken(self, error: Exception | None) -> None:
        """Take the loss of the connection."""
        detail = f"{error or 'end of stream'}"
        if self._reply.started:
            self.fail(TransportFailure(TransportReason.HTTP_RESPONSE_INCOMPLETE, f"within a reply: {detail}"))
        else:
            reason = TransportReason.CONNECTION_TERMINATED if error is None else reason_of(error)
            self.fail(TransportFailure(reason, f"before a reply: {detail}"))

    def fail(self, failure: Exception) -> None:
        """End with `failure`, unless it has ended."""
        if self._reply.complete or self.failure is not None:
            return
        self.failure = failure
        self._stop_upload()
        if self._wire is not None:
            self._wire.cut()
        self._wake()

    def upload(self, request: UpstreamRequest, loop: asyncio.AbstractEventLoop) -> None:
        """Send what `request.rest` brings, while the reply is waited for."""
        self._upload = loop.create_task(self._send_rest(request))
        self._upload.add_done_callback(self._upload_ended)

    # Inside.

    async def _change(self) -> None:
        """Wait until something was heard of the reply."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._waiter = None

    def _take_all(self, reply: ReplyReader) -> bytes:
        body = reply.chunks[0] if len(reply.chunks) == 1 else b"".join(reply.chunks)
        reply.chunks.clear()
        reply.buffered = 0
        return body

    def _wake(self) -> None:
        answered, self.answered = self.answered, None
        if answered is not None:
            answered(self)
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _hold_back(self, reply: ReplyReader) -> None:
        if reply.complete or self._wire is None or self._wire.reading_paused:
            return
        if reply.buffered > HIGH_WATER_BYTES or len(reply.chunks) > _MOST_PIECES:
            self._wire.pause_reading()

    async def _send_rest(self, request: UpstreamRequest) -> None:
        """Write the streamed part of the body as fast as the upstream takes it. Raises what `rest` raises."""
        if request.rest is None or self._wire is None:
            return
        wire = self._wire
        left = None if request.length is None else request.length - len(request.body or b"")
        async for piece in request.rest:
            if not piece:
                continue
            if left is not None:
                left -= len(piece)
                if left < 0:
                    raise ValueError("the body is longer than its declared length")
            wire.write(chunk(piece) if left is None else piece)
            if left == 0:
                break
            if wire.writing_paused:
                await wire.drained()
        if left:
            raise ClientGone(f"the request's body ended {left} bytes early")
        if left is None:
            wire.write(LAST_CHUNK)
        self.sent = True
        wire.request_sent()

    def _upload_ended(self, task: asyncio.Task[None]) -> None:
        # If it was we who cancelled it, the exchange has its head or its failure, and neither is touched here.
        error = ClientGone("the request's body was given up") if task.cancelled() else task.exception()
        if isinstance(error, Exception) and not self.headed:
            self.fail(error)

    def _stop_upload(self) -> None:
        if self._upload is not None and not self.sent:
            self._upload.cancel()
