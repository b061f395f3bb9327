"""One connection to one server, kept, and shared by all who ask.

Requests that are asked for in one turn of the loop, or while calls are under way, go together in the next call; one
that is alone is sent at once. Calls go out in order and are answered in order, without waiting for each other
(pipelining). Connecting is done here in the background and never while somebody waits: without a connection a request
fails at once.

Security limits: `REQUESTS` in a call, `calls` under way, `WAITING` requests in all; each call has `timeout_s` from when
it was sent, and one that is not answered by then ends the connection, for nothing behind it can be answered either.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from typing import TYPE_CHECKING, Final, TypeGuard

from redis.exceptions import InvalidResponse, NoScriptError, ReadOnlyError, RedisError, ResponseError

from gateway.errors import StoreReason
from gateway.limits.stores.redis.failures import reason_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from redis.asyncio.connection import AbstractConnection

    from gateway.limits.stores.redis.request import Request

    Dial = Callable[[], Awaitable[AbstractConnection]]
    """Returns a connection that has answered once; raises what redis-py raises, or TimeoutError."""
    Pack = Callable[[Sequence[Request], bool], bytes]
    """Returns the call of several requests as it is sent, with the script itself or without."""
    Redirect = Callable[[Sequence[Request], ResponseError], bool]
    """Is told which requests a server would not answer, and takes them over, or says False."""

REQUESTS: Final = 64
CALLS: Final = 2
WAITING: Final = 8_192
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 1.0
_GRACE_S: Final = 0.002
"""For an answer that came in time and was not read yet, since this process was busy."""


class _Call:
    """Requests under way together."""

    __slots__ = ("late", "requests", "sent_s", "with_script")

    def __init__(self, requests: list[Request]) -> None:
        self.requests = requests
        self.sent_s = 0.0
        self.with_script = False
        self.late = False


class Line:
    """See the module."""

    def __init__(
        self, dial: Dial, pack: Pack, timeout_s: float, *, calls: int = CALLS, redirect: Redirect | None = None
    ) -> None:
        """Begin to connect. Needs the running loop."""
        self._loop = asyncio.get_running_loop()
        self._dial = dial
        self._pack = pack
        self._timeout_s = timeout_s
        self._calls = calls
        self._redirect = redirect
        self._waiting: deque[Request] = deque()
        self._again: deque[_Call] = deque()
        self._flying: deque[_Call] = deque()
        self._news = asyncio.Event()
        self._up = asyncio.Event()
        self._answers = 0
        self._watching = False
        self._limit = asyncio.timeout(None)
        self._reason = StoreReason.REFUSED
        self._keeping = self._loop.create_task(self._keep())

    @property
    def up(self) -> bool:
        """Whether there is a connection."""
        return self._up.is_set()

    async def ready(self) -> None:
        """Return when there is a connection."""
        await self._up.wait()

    def ask(self, request: Request) -> None:
        """Send `request` with the next call."""
        if not self._up.is_set():
            request.failed(self._reason)
        elif len(self._waiting) >= WAITING:
            request.failed(StoreReason.FULL)
        else:
            request.since_s = self._loop.time()
            self._waiting.append(request)
            if len(self._flying) < self._calls:
                self._news.set()

    async def aclose(self) -> None:
        """Close the connection; what was not answered fails."""
        self._keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._keeping

    async def _keep(self) -> None:
        """Connect, serve until it breaks, connect anew: at once after a connection that worked, else ever later."""
        pause_s = 0.0
        while True:
            answers = self._answers
            try:
                await self._serve(await self._dial())
            except Exception as error:  # noqa: BLE001 - whatever a server says, it is asked again later
                self._reason = reason_of(error)
            pause_s = 0.0 if self._answers > answers else min(max(2 * pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _serve(self, connection: AbstractConnection) -> None:
        """Send and read until something breaks, and raise what did."""
        sending = self._loop.create_task(self._send(connection))
        try:
            async with asyncio.timeout(None) as self._limit:
                self._up.set()
                while True:
                    await self._read(connection)
        except Exception as error:
            self._reason = reason_of(error)
            raise
        finally:
            self._drop()
            sending.cancel()
            await connection.disconnect(nowait=True)

    async def _send(self, connection: AbstractConnection) -> None:
        """Send calls as they may go. Ends when the connection breaks, which its reader notices too."""
        with contextlib.suppress(RedisError, OSError):
            while True:
                await self._news.wait()
                self._news.clear()
                while (call := self._next()) is not None:
                    packed = self._pack(call.requests, call.with_script)
                    await connection.send_packed_command(packed, check_health=False)

    def _next(self) -> _Call | None:
        """Take the next call, if one may go."""
        if self._again:
            call = self._again.popleft()
        elif self._waiting and len(self._flying) < self._calls:
            if not (requests := self._together()):
                return None
            call = _Call(requests)
        else:
            return None
        call.sent_s = self._loop.time()
        self._flying.append(call)
        if not self._watching:
            self._watching = True
            self._loop.call_at(call.sent_s + self._timeout_s, self._watch)
        return call

    def _together(self) -> list[Request]:
        """Take the requests of the next call: of one slot, and none that waited so long that nobody waits for it."""
        requests: list[Request] = []
        oldest_s = self._loop.time() - self._timeout_s
        while self._waiting and len(requests) < REQUESTS:
            request = self._waiting[0]
            if requests and request.slot != requests[0].slot:
                break
            self._waiting.popleft()
            if request.since_s < oldest_s:
                request.failed(StoreReason.TIMEOUT)
            else:
                requests.append(request)
        return requests

    async def _read(self, connection: AbstractConnection) -> None:
        """Read one answer and hand it to those who asked."""
        try:
            said = await connection.read_response(timeout=math.inf, disconnect_on_error=False)
        except ResponseError as error:
            self._refused(self._answered(), error)
        else:
            hand_out(self._answered().requests, said)
        if self._waiting or self._again:
            self._news.set()

    def _answered(self) -> _Call:
        """Take the call that an answer is to."""
        if not self._flying:
            raise InvalidResponse("an answer to no call")
        self._answers += 1
        return self._flying.popleft()

    def _refused(self, call: _Call, error: ResponseError) -> None:
        """Send the script itself to a server that does not know it; else fail, and leave a server that is no master."""
        if isinstance(error, NoScriptError) and not call.with_script:
            call.with_script = True
            self._again.append(call)
        elif self._redirect is None or not self._redirect(call.requests, error):
            fail(call.requests, reason_of(error))
            if isinstance(error, ReadOnlyError):
                raise error

    def _watch(self) -> None:
        """See whether the oldest call under way is overdue."""
        self._watching = bool(self._flying)
        if not self._flying:
            return
        oldest, now_s = self._flying[0], self._loop.time()
        due_s = oldest.sent_s + self._timeout_s
        if due_s > now_s:
            self._loop.call_at(due_s, self._watch)
        elif oldest.late:
            self._watching = False
            self._limit.reschedule(now_s)
        else:
            oldest.late = True
            self._loop.call_later(_GRACE_S, self._watch)

    def _drop(self) -> None:
        """Fail all that is under way or waits, with the reason for which the connection ended."""
        self._up.clear()
        self._news.clear()
        lost = [request for call in (*self._flying, *self._again) for request in call.requests]
        lost += self._waiting
        for queue in (self._flying, self._again, self._waiting):
            queue.clear()
        fail(lost, self._reason)


def _numbers(said: object, count: int) -> TypeGuard[list[int]]:
    """Tell whether a server said `count` numbers and nothing else."""
    return isinstance(said, list) and len(said) == count and {int}.issuperset(map(type, said))


def hand_out(requests: Sequence[Request], said: object) -> None:
    """Give each of `requests` its part of what the script said."""
    if not _numbers(said, sum([request.width for request in requests])):
        fail(requests, StoreReason.PROTOCOL)
        return
    at = 0
    for request in requests:
        request.answered(said, at)
        at += request.width


def fail(requests: Sequence[Request], reason: StoreReason) -> None:
    """Fail all of `requests`."""
    for request in requests:
        request.failed(reason)
