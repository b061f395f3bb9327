"""The operator's port: metrics for Prometheus, the state of each upstream, and what of its replies nobody knows.

It is never the client port, and shows what clients must not see: upstream addresses, pools, who is refused.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from gateway import __version__
from gateway.catalog import CODES
from gateway.edge.answer import Answer, DateLine, lines_of
from gateway.edge.exposition import exposition
from gateway.edge.turn import Turn
from gateway.errors import ClientGone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp.streams import StreamReader
    from prometheus_client.registry import CollectorRegistry

    from gateway.edge.answer import Lines
    from gateway.edge.clock import Clock
    from gateway.edge.connection import ClientConnection
    from gateway.edge.lifecycle import Lifecycle
    from gateway.edge.message import Message
    from gateway.edge.status import StatusBoard
    from gateway.edge.unknown import UnknownShapes

_METHODS: Final = ("GET", "HEAD")
_METRICS: Final = "/metrics"
_UNKNOWN_SHAPES: Final = "/unknown-shapes"
_OURS: Final = ((b"Cache-Control", b"no-store"), (b"Server", b"accord"))
_JSON: Final = lines_of((*_OURS, (b"Content-Type", b"application/json")))
_NOT_ALLOWED: Final = lines_of(
    (*_OURS, (b"Content-Type", b"application/json"), (b"Allow", ", ".join(_METHODS).encode("ascii")))
)
_SAMPLES: Final = lines_of((*_OURS, (b"Content-Type", CONTENT_TYPE_PLAIN_0_0_4.encode("ascii"))))


class Admin:
    """Answers on the admin port. `describe` returns, for each upstream's name, its address and its pool."""

    def __init__(
        self,
        *,
        registry: CollectorRegistry,
        board: StatusBoard,
        lifecycle: Lifecycle,
        clock: Clock,
        unknown: UnknownShapes,
        describe: Callable[[], Mapping[str, Mapping[str, Any]]],
    ) -> None:
        """Keep what is shown, and the moment from which the uptime counts."""
        self._registry = registry
        self._board = board
        self._lifecycle = lifecycle
        self._clock = clock
        self._unknown = unknown
        self._describe = describe
        self._began_s = clock.monotonic_s()
        self._date = DateLine(clock)
        self._pages: dict[str, Callable[[], tuple[int, object]]] = {
            "/status": self._status,
            "/-/health": lambda: (200, {"status": "ok"}),
            "/-/ready": self._ready,
        }

    def serve(self, connection: ClientConnection, message: Message, payload: StreamReader) -> Turn:
        """Answer one request."""
        turn = _AdminTurn(connection, Answer(connection, message, self._date))
        if not payload.is_eof():
            turn.answer.leave_unread()
        path = message.path.partition("?")[0]
        if path not in (_METRICS, _UNKNOWN_SHAPES) and path not in self._pages:
            turn.say(404, {"error": "not found", "pages": [_METRICS, _UNKNOWN_SHAPES, *self._pages]})
        elif message.method not in _METHODS:
            turn.say(405, {"error": "method not allowed"}, _NOT_ALLOWED)
        elif path == _METRICS:
            turn.wait_for(self._metrics(turn.answer))
        elif path == _UNKNOWN_SHAPES:
            turn.wait_for(self._unknown_shapes(turn.answer))
        else:
            turn.say(*self._pages[path]())
        return turn

    def refuse(self, connection: ClientConnection, code: str) -> Turn:
        """Answer what could not be parsed."""
        turn = _AdminTurn(connection, Answer(connection, None, self._date))
        turn.answer.leave_unread()
        turn.say(CODES[code].status, {"error": code})
        return turn

    async def _metrics(self, answer: Answer) -> None:
        answer.send(200, _SAMPLES, await exposition(self._registry))

    async def _unknown_shapes(self, answer: Answer) -> None:
        answer.send(200, _JSON, msgspec.json.encode(await self._unknown.page()))

    def _status(self) -> tuple[int, object]:
        upstreams = [
            {"name": name, **described, **self._board.upstream(name)} for name, described in self._describe().items()
        ]
        return 200, {
            "version": __version__,
            "state": self._lifecycle.state.value,
            "uptime_s": round(self._clock.monotonic_s() - self._began_s, 1),
            "in_flight": self._lifecycle.in_flight,
            "upstreams": upstreams,
            "refused_clients": self._board.refused(),
        }

    def _ready(self) -> tuple[int, object]:
        return 200 if self._lifecycle.ready else 503, {"status": self._lifecycle.state.value}


class _AdminTurn(Turn):
    """One request of the operator's."""

    __slots__ = ()

    def say(self, status: int, value: object, lines: Lines = _JSON) -> None:
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
