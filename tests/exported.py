"""Every name that Accord exports to Prometheus, with its labels: what dashboards, rules and pages may ask for."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from gateway import app
from gateway.config.load import load
from gateway.edge.clock import SystemClock
from gateway.edge.config_record import ConfigRecord
from gateway.edge.lifecycle import Lifecycle
from gateway.edge.limiting.budget_metrics import BoardMetrics
from gateway.edge.limiting.store_metrics import StoreMetrics
from gateway.edge.series import Ready
from gateway.supervisor.admin import Overview
from gateway.supervisor.ledger import Ledger
from tests.unit.edge.stores import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

_UPSTREAM = "version: 1\nname: api\nbase_url: https://api.example\nmatch: {prefix: /api}\n"


class Exported(NamedTuple):
    """One metric of ours: what it is, and its labels but for a histogram's `le`."""

    kind: str
    labels: frozenset[str]


@cache
def exported() -> Mapping[str, Exported]:
    """Return every metric of ours by the name that it is documented under: a counter's with `_total`."""
    return asyncio.run(_exported())


def series() -> Mapping[str, frozenset[str]]:
    """Return every series of ours that a query can name, with its labels; three of a histogram."""
    found: dict[str, frozenset[str]] = {}
    for name, one in exported().items():
        if one.kind == "histogram":
            found[f"{name}_bucket"] = one.labels | {"le"}
            found |= {f"{name}_count": one.labels, f"{name}_sum": one.labels}
        else:
            found[name] = one.labels
    return found


async def _exported() -> dict[str, Exported]:
    with TemporaryDirectory() as folder:
        (Path(folder) / "upstreams").mkdir()
        (Path(folder) / "upstreams" / "api.yaml").write_text(_UPSTREAM)
        (Path(folder) / "gateway.yaml").write_text("version: 1\n")
        registry = app.build(load(Path(folder) / "gateway.yaml"), environ={}).registry
    StoreMetrics(registry, counted)
    BoardMetrics(registry, lambda _reason: None)
    overview = Overview((), ledger=Ledger(), lifecycle=Lifecycle(), clock=SystemClock(), record=ConfigRecord("", 0))
    return {**_ours(registry), **_ours(overview)}


def _ours(collector: CollectorRegistry | Overview) -> dict[str, Exported]:
    families: Iterable[Metric] = collector.collect()
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: _one(family)
        for family in families
        if family.name.startswith("accord_")
    }


def _one(family: Metric) -> Exported:
    assert isinstance(family, Ready), f"{family.name} does not say which labels it has"
    return Exported(family.type, frozenset(family.labels))
