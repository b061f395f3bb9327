"""What the operator's port tells of one process: metrics, its upstreams, and what of their replies nobody knows.

It is never the client port, and shows what clients must not see: upstream addresses, pools, who is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gateway import __version__
from gateway.edge.admin_port import HEALTH, JSON, METRICS, READY, SAMPLES, STATUS, UNKNOWN_SHAPES, AdminPort
from gateway.edge.exposition import exposition

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from prometheus_client.registry import CollectorRegistry

    from gateway.edge.admin_port import Page
    from gateway.edge.answer import Lines
    from gateway.edge.clock import Clock
    from gateway.edge.lifecycle import Lifecycle
    from gateway.edge.status import StatusBoard
    from gateway.edge.unknown import UnknownShapes


class Admin:
    """The pages, and the `port` that answers by them.

    `standing` answers queries of `/status`. `describe` returns, for each upstream's name, its address and its pool;
    `configuration` which configuration is served.
    """

    def __init__(
        self,
        *,
        registry: CollectorRegistry,
        board: StatusBoard,
        lifecycle: Lifecycle,
        clock: Clock,
        unknown: UnknownShapes,
        standing: Callable[[str], Awaitable[Page]],
        describe: Callable[[], Mapping[str, Mapping[str, Any]]],
        configuration: Callable[[], Mapping[str, Any]],
    ) -> None:
        """Keep what is shown, and the moment from which the uptime counts."""
        self._registry = registry
        self._board = board
        self._lifecycle = lifecycle
        self._clock = clock
        self._unknown = unknown
        self._standing = standing
        self._describe = describe
        self._configuration = configuration
        self._began_s = clock.monotonic_s()
        self.port = AdminPort(
            clock,
            awaited={METRICS: self._metrics, UNKNOWN_SHAPES: self._unknown_shapes},
            made={STATUS: self._status, HEALTH: lambda _query: (200, {"status": "ok"}), READY: self._ready},
        )

    async def _metrics(self, _query: str) -> tuple[Lines, bytes]:
        body = await exposition(self._registry.collect())  # mypyc cannot wait in the middle of a tuple
        return SAMPLES, body

    async def _unknown_shapes(self, _query: str) -> tuple[Lines, bytes]:
        page = await self._unknown.page()
        return JSON, msgspec.json.encode(page)

    def _status(self, query: str) -> tuple[int, object] | Awaitable[tuple[int, object]]:
        """Tell of everything, or of what one request would meet."""
        return self._standing(query) if query else self._everything()

    def _everything(self) -> tuple[int, object]:
        upstreams = [
            {"name": name, **described, **self._board.upstream(name)} for name, described in self._describe().items()
        ]
        return 200, {
            "version": __version__,
            "state": self._lifecycle.state.value,
            "uptime_s": round(self._clock.monotonic_s() - self._began_s, 1),
            "in_flight": self._lifecycle.in_flight,
            "configuration": self._configuration(),
            "upstreams": upstreams,
            "refused_clients": self._board.refused(),
        }

    def _ready(self, _query: str) -> tuple[int, object]:
        return 200 if self._lifecycle.ready else 503, {"status": self._lifecycle.state.value}
