"""How many series a configuration can have, worked out from the sets that labels come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.catalog import CODES
from gateway.config import presets
from gateway.config.policies import all_of
from gateway.edge.counters import Counters, Histograms
from gateway.edge.limiting import budget_metrics, store_metrics
from gateway.edge.metrics import METHODS, Tables
from gateway.edge.upstream_metrics import FAMILIES as POOLS
from gateway.edge.words import OUTCOMES, STATUSES, WITHOUT_UPSTREAM
from gateway.errors import StoreReason, TransportReason
from gateway.limits.stores.guard.tally import Where
from gateway.model import Category, Origin, Party, Translation
from gateway.pipeline.plan import mode_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config.load import Configuration, Upstream
    from gateway.limits import Policy

MANY: Final = 250_000
"""Series from which on `accord check` warns: a Prometheus holds a few million, of all that it watches."""

SIZES: Final[Mapping[str, int]] = {
    "method": len(METHODS) + 1,
    "status": len(set(STATUSES.values())) + 1,
    "upstream_status": len(set(STATUSES.values())) + 1,
    "outcome": len(OUTCOMES),
    "fault": len(Party) + 1,
    "origin": len(Origin),
    "category": len(Category) + 1,
    "code": len(CODES) + 2,
    "dialect": len(presets.names()) + 3,
    "result": len(Translation),
    "reason": len(TransportReason),
}
"""How many values each label has, `none` and `other` among them."""

_SHADOWED: Final = "accord_shadow_replies"
_UNKNOWN: Final = 2
_VERDICTS: Final = 3
_WAITS: Final = 7
_LEARNED: Final = 3
"""Policies that the budget stands behind that is learned of an upstream."""
_PROCESS: Final = 50
"""What a process tells of itself: its build, its loop, its configuration, and what the client library adds."""


@dataclass(frozen=True, slots=True)
class SeriesBudget:
    """How many series there are before the first request, and how many there can be at most, of one process."""

    start: int
    most: int


def series_budget(configuration: Configuration) -> SeriesBudget:
    """Count the series of a configuration."""
    upstreams = configuration.upstreams
    asked = len(POOLS) + len(budget_metrics.FAMILIES)
    start = len(upstreams) * (len(OUTCOMES) + asked) + len(WITHOUT_UPSTREAM)
    most = sum(_counted(one) + asked + _UNKNOWN + _learned(one) for one in upstreams) + 2 * _counted(None)
    limits = sum(_of_policy(policy) for policy in all_of(configuration))
    store = _store() if configuration.gateway.store.redis is not None else 0
    return SeriesBudget(start + store + _PROCESS, most + limits + store + _PROCESS)


def _counted(upstream: Upstream | None) -> int:
    """Return how many series are counted of an upstream; None stands for `none`, and for `other`."""
    return sum(
        family.at_most(SIZES) if isinstance(family, Counters) else family.lines
        for family in Tables().every()
        if family.family.name != _SHADOWED or (upstream is not None and _shadows(upstream))
    )


def _shadows(upstream: Upstream) -> bool:
    settings = upstream.settings
    return any(mode_of(settings, route) == "shadow" for route in (None, *settings.routes))


def _learned(upstream: Upstream) -> int:
    settings = upstream.settings
    return 0 if settings.credentials is None and not settings.budget else _LEARNED * (_VERDICTS + _WAITS)


def _of_policy(policy: Policy) -> int:
    return _VERDICTS + (_WAITS if policy.max_wait_us else 0)


def _store() -> int:
    """Return how many series tell of a store on the network, and of what replicas say to each other there."""
    single = len((store_metrics.UP, store_metrics.REPLICAS))
    return single + 2 * len(StoreReason) + len(Where) + Histograms(store_metrics.SECONDS).lines
