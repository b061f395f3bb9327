"""The operator's port as HTTP: which page was asked for, by which method, and its answer as ready bytes.

It knows nothing of what the pages say. A page is a status and a value for JSON, now or later; one with a form of its
own is waited for and brings its bytes itself.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from gateway.catalog import CODES
from gateway.edge.answer import Answer, DateLine, lines_of
from gateway.edge.turn import Turn
from gateway.errors import ClientGone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp.streams import StreamReader

    from gateway.edge.answer import Lines
    from gateway.edge.clock import Clock
    from gateway.edge.connection import ClientConnection
    from gateway.edge.message import Message

    Page = tuple[int, object]
    Made = Callable[[str], Page | Awaitable[Page]]
    Awaited = Callable[[str], Awaitable[tuple[Lines, bytes]]]

METRICS: Final = "/metrics"
STATUS: Final = "/status"
UNKNOWN_SHAPES: Final = "/unknown-shapes"
HEALTH: Final = "/-/health"
READY: Final = "/-/ready"

_METHODS: Final = ("GET", "HEAD")
_OURS: Final = ((b"Cache-Control", b"no-store"), (b"Server", b"accord"))
JSON: Final = lines_of((*_OURS, (b"Content-Type", b"application/json")))
SAMPLES: Final = lines_of((*_OURS, (b"Content-Type", CONTENT_TYPE_PLAIN_0_0_4.encode("ascii"))))
_NOT_ALLOWED: Final = lines_of(
    (*_OURS, (b"Content-Type", b"application/json"), (b"Allow", ", ".join(_METHODS).encode("ascii")))
)


class AdminPort:
    """Answers requests by two tables of pages, by their paths; each page is given the query of the request.

    `made` return a status and a value, or what to await for them; `awaited` the header fields and the body of a 200.
    """

    def __init__(self, clock: Clock, *, made: Mapping[str, Made], awaited: Mapping[str, Awaited]) -> None:
        """Keep the tables; a 404 lists their paths."""
        self._made = made
        self._awaited = awaited
        self._date = DateLine(clock)

    def serve(self, connection: ClientConnection, message: Message, payload: StreamReader) -> Turn:
        """Answer one request."""
        turn = _AdminTurn(connection, Answer(connection, message, self._date))
        if not payload.is_eof():
            turn.answer.leave_unread()
        path, _, query = message.path.partition("?")
        if path not in self._awaited and path not in self._made:
            turn.say(404, {"error": "not found", "pages": [*self._awaited, *self._made]})
        elif message.method not in _METHODS:
            turn.say(405, {"error": "method not allowed"}, _NOT_ALLOWED)
        elif path in self._awaited:
            turn.wait_for(_awaited(turn.answer, self._awaited[path], query))
        else:
            page = self._made[path](query)
            if isinstance(page, tuple):
                turn.say(*page)
            else:
                turn.wait_for(_made(turn.answer, page))
        return turn

    def refuse(self, connection: ClientConnection, code: str) -> Turn:
        """Answer what could not be parsed."""
        turn = _AdminTurn(connection, Answer(connection, None, self._date))
        turn.answer.leave_unread()
        turn.say(CODES[code].status, {"error": code})
        return turn


async def _made(answer: Answer, page: Awaitable[Page]) -> None:
    status, value = await page
    answer.send(status, JSON, msgspec.json.encode(value))


async def _awaited(answer: Answer, page: Awaited, query: str) -> None:
    lines, body = await page(query)
    answer.send(200, lines, body)


class _AdminTurn(Turn):
    """One request of the operator's."""

    __slots__ = ()

    def say(self, status: int, value: object, lines: Lines = JSON) -> None:
        """Answer with a value in JSON, and be over."""
        with suppress(ClientGone):
            self.answer.send(status, lines, msgspec.json.encode(value))
        self.end()

    def failed(self, error: Exception) -> None:  # noqa: ARG002 - as the base has it
        """Cut the answer: whoever scrapes tells a broken one from a whole one."""
        self.answer.cut()

    def broken_off(self) -> None:
        """Say nothing: nobody waits."""
        self.answer.cut()
