"""The operator's port: metrics for Prometheus, and the state of each upstream.

It is never the client port, and shows what clients must not see: upstream addresses, pools, who is refused.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from gateway import __version__
from gateway.catalog import CODES
from gateway.edge.exposition import exposition

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from prometheus_client.registry import CollectorRegistry

    from gateway.edge.clock import Clock
    from gateway.edge.connection import ClientConnection
    from gateway.edge.lifecycle import Lifecycle
    from gateway.edge.status import StatusBoard

_METHODS: Final = ("GET", "HEAD")
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_HEADERS: Final = {"Cache-Control": "no-store", "Server": "accord"}


class Admin:
    """Answers on the admin port. `describe` returns, for each upstream's name, its address and its pool."""

    def __init__(
        self,
        *,
        registry: CollectorRegistry,
        board: StatusBoard,
        lifecycle: Lifecycle,
        clock: Clock,
        describe: Callable[[], Mapping[str, Mapping[str, Any]]],
    ) -> None:
        """Keep what is shown, and the moment from which the uptime counts."""
        self._registry = registry
        self._board = board
        self._lifecycle = lifecycle
        self._clock = clock
        self._describe = describe
        self._began_s = clock.monotonic_s()
        self._pages: dict[str, Callable[[], Awaitable[web.Response]]] = {
            "/metrics": self._metrics,
            "/status": self._status,
            "/-/health": self._health,
            "/-/ready": self._ready,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        page = self._pages.get(request.path)
        if page is None:
            return _json({"error": "not found", "pages": list(self._pages)}, status=404)
        if request.method not in _METHODS:
            return _json({"error": "method not allowed"}, status=405, more={"Allow": ", ".join(_METHODS)})
        return await page()

    async def refuse(
        self,
        connection: ClientConnection,  # noqa: ARG002 - what is no request is refused alike on both ports
        request: web.BaseRequest,  # noqa: ARG002 - as above
        code: str,
    ) -> web.StreamResponse:
        """Answer what could not be parsed."""
        answer = _json({"error": code}, status=CODES[code].status)
        answer.force_close()
        return answer

    async def _metrics(self) -> web.Response:
        text = await exposition(self._registry)
        return web.Response(body=text, headers={**_HEADERS, "Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    async def _status(self) -> web.Response:
        upstreams = [
            {"name": name, **described, **self._board.upstream(name)} for name, described in self._describe().items()
        ]
        return _json(
            {
                "version": __version__,
                "state": self._lifecycle.state.value,
                "uptime_s": round(self._clock.monotonic_s() - self._began_s, 1),
                "in_flight": self._lifecycle.in_flight,
                "upstreams": upstreams,
                "refused_clients": self._board.refused(),
            }
        )

    async def _health(self) -> web.Response:
        return _json({"status": "ok"})

    async def _ready(self) -> web.Response:
        state = self._lifecycle.state.value
        return _json({"status": state}, status=200 if self._lifecycle.ready else 503)


def _json(value: object, *, status: int = 200, more: Mapping[str, str] = _NOTHING) -> web.Response:
    headers = {**_HEADERS, "Content-Type": "application/json", **more}
    return web.Response(status=status, body=msgspec.json.encode(value), headers=headers)
