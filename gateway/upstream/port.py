"""The port to upstreams: all that the rest of the program knows of how an exchange is carried out.

A `Transport` takes an `UpstreamRequest` and gives an `Exchange` once the reply's head is there. Whoever holds an
exchange must `close()` it, always, whatever happened to it; nothing else gives its connection back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from gateway.model import Header, Headers
    from gateway.upstream.tunnel import TunnelEnd


class UpstreamRequest:
    """A request as it goes upstream.

    `target` begins with `/`, or is `*` (RFC 9112 section 3.2), and goes out byte for byte. `headers` are the end-to-end
    fields, `Host` among them; framing and connection fields are written by the connection alone, and any found here are
    left out, as is `Expect`. `lines` are further fields that `field_lines()` wrote before. `body` is the part that is
    at hand: all of it when `rest` is None, else what comes before `rest`. `length` is the total that the client
    declared, in bytes; None with a `rest` means chunked. `upgrade` asks to switch to WebSocket, and
    lets a 101 be the final reply.

    Whoever makes `rest` owns it: it is iterated by one task of the exchange, cancelled there when the upload must stop,
    and never closed. What it raises comes out of `send()` unchanged.

    Raises ValueError for a target of another form, and for a `length` that a body without `rest` does not have.
    """

    __slots__ = ("body", "headers", "length", "lines", "method", "rest", "target", "upgrade")

    def __init__(
        self,
        *,
        method: bytes,
        target: bytes,
        headers: Sequence[Header] = (),
        lines: bytes = b"",
        body: bytes | None = None,
        rest: AsyncIterator[bytes] | None = None,
        length: int | None = None,
        upgrade: bool = False,
    ) -> None:
        if not target.startswith(b"/") and target != b"*":
            raise ValueError("a target begins with / or is *")
        if length is not None:
            at_hand = len(body or b"")
            if length < at_hand or (rest is None and length != at_hand):
                raise ValueError(f"a body of {at_hand} bytes was declared as {length}")
        self.method = method
        self.target = target
        self.headers = headers
        self.lines = lines
        self.body = body
        self.rest = rest
        self.length = length
        self.upgrade = upgrade


class ReplyHead:
    """The head of a final reply (status 200 to 599, or 101 where an upgrade was asked for).

    `headers` are the fields as received, hop-by-hop ones among them, without the white space around values.
    `content_length` is the declared length in bytes; for HEAD, 204 and 304 it says nothing about a body, for there is
    none. Replies with the same head may share one value, so whoever works something out from a head alone can keep it
    in `made`, under a key of its own: there must be few such keys.
    """

    __slots__ = ("content_length", "headers", "made", "status")

    def __init__(self, status: int, headers: Headers, content_length: int | None) -> None:
        self.status = status
        self.headers = headers
        self.content_length = content_length
        self.made: dict[object, Any] = {}


class Exchange(Protocol):
    """One request and its reply, from the moment the reply's head is complete.

    One task at a time may wait in it. Cancelling that task breaks the exchange off at once.
    """

    @property
    def head(self) -> ReplyHead:
        """The head of the final reply."""

    @property
    def status(self) -> int:
        """That of the head."""

    @property
    def headers(self) -> Headers:
        """Those of the head."""

    @property
    def content_length(self) -> int | None:
        """That of the head."""

    @property
    def failure(self) -> Exception | None:
        """Why the exchange failed: a TransportFailure, or what the request's `rest` raised."""

    @property
    def repeatable(self) -> bool:
        """Whether it failed because its connection had been closed at rest, so that nobody saw the request.

        That is so when not one byte of a reply came, and the method is idempotent (RFC 9110 section 9.2.2).
        """

    def whole(self, limit_bytes: int) -> bytes | None:
        """Take the body when all of it is at hand and within `limit_bytes`; else return None and take nothing."""

    async def read(self) -> bytes:
        """Return the next piece of the body, b"" at its clean end, and every time after that.

        Raises TransportFailure: HTTP_RESPONSE_INCOMPLETE, HTTP_RESPONSE_TIMEOUT or HTTP_PROTOCOL_ERROR.
        """

    async def capture(self, limit_bytes: int) -> tuple[bytes, bool]:
        """Return the body up to `limit_bytes`, a bound on memory, and whether more of it remains to be read.

        Raises what `read()` raises.
        """

    def tunnel(self) -> TunnelEnd:
        """Give the connection away after a 101, with the bytes behind its head; it counts as used until `close()`.

        Raises TransportFailure where it broke in the meantime.
        """

    def close(self) -> None:
        """Give the connection back if both directions ended cleanly and completely, else cut it. Idempotent."""


class Stats(NamedTuple):
    """How a transport stands: connections made or being made, those of them at rest and those that became tunnels.

    `waiting` are requests that wait for one.
    """

    open: int
    idle: int
    waiting: int
    tunnels: int = 0


class Transport(Protocol):
    """The way to one upstream."""

    async def send(self, request: UpstreamRequest) -> Exchange:
        """Send `request` and return the exchange when the head of its final reply has come.

        Raises TransportFailure, ValueError for a request that must not be written (a line break or NUL in its head),
        and whatever `request.rest` raises. Cancelling the caller cuts the connection at once.
        """

    def begin(self, request: UpstreamRequest, answered: Callable[[Exchange], None]) -> Exchange | None:
        """Send `request`, which has no `rest`, at once on a connection at rest; return None when there is none.

        `answered` is called once, with the exchange, when the head of the reply has come or the exchange has failed,
        unless it was closed before; it must not raise. A failure that is `repeatable` is not repeated here: see
        `repeat`. Raises ValueError like `send`.
        """

    async def repeat(self, request: UpstreamRequest, exchange: Exchange) -> Exchange:
        """Send the request of an exchange that is `repeatable` on a new connection, in the place that it had.

        Raises what `send` raises.
        """

    async def aclose(self) -> None:
        """Cut every connection, fail every waiting request, and return when all sockets are closed."""

    def stats(self) -> Stats:
        """Return how the transport stands now."""
