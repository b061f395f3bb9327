"""The budgets of an upstream, put together: of its file, and of the plans that its preset knows."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from gateway.config import presets
from gateway.config.budgets import BudgetConfig, ReservedFor
from gateway.config.faults import fault_at
from gateway.limits.budget.declared import DECLARED, Declared, Shape
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.config.document import Document
    from gateway.config.models import GatewayFile, UpstreamFile
    from gateway.dialects.spec import BudgetSpec, DialectSpec
    from gateway.errors import Fault
    from gateway.limits.budget.values import Reserve


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """One declared budget of an upstream, with all that is said of it.

    `clients` and `routes` are those that the reserve is kept for.
    """

    declared: Declared
    paths: tuple[str, ...]
    clients: frozenset[str]
    routes: frozenset[str]
    fair: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How an upstream's learned budget is spent. `paces`: we keep to it; else it is only watched."""

    learns: bool
    paces: bool
    reserve: Reserve
    clients: frozenset[str]
    routes: frozenset[str]
    fair: bool
    max_wait_us: int
    queue: int


def plans_of(chain: Sequence[DialectSpec]) -> Mapping[str, tuple[BudgetSpec, ...]]:
    """Return the plans of a dialect, by name: those of the nearest in its chain that has any."""
    return next((spec.budgets for spec in chain if spec.budgets), {})


def _plans(settings: UpstreamFile) -> Mapping[str, tuple[BudgetSpec, ...]]:
    choice = settings.dialect
    if choice.own is None and choice.preset == presets.AUTO:
        return {}
    return plans_of(presets.chain(choice.own or presets.spec(str(choice.preset))))


def granted(settings: UpstreamFile) -> tuple[Granted, ...]:
    """Return the declared budgets of an upstream.

    A budget that the API counts by credentials, where the clients bring their own, is theirs: it is only watched.
    """
    if not settings.budget:
        return ()
    found: list[Granted] = []
    plans = _plans(settings)
    names: set[str] = set()
    for config in settings.budget:
        chosen = config.reserved_for or ReservedFor()
        for spec in config.specs(plans):
            name = _free(config.name or (f"{settings.name}-{spec.name}" if spec.name else settings.name), names)
            theirs = spec.by == "credential" and settings.credentials is None
            found.append(
                Granted(
                    declared=_declared(config, spec, name, settings.name, theirs=theirs),
                    paths=spec.paths,
                    clients=frozenset(chosen.clients),
                    routes=frozenset(chosen.routes),
                    fair=config.fair is not None,
                )
            )
    return tuple(found)


def terms(settings: UpstreamFile) -> Terms:
    """Return how what is learned of an upstream's budget is spent: as the first of its budgets says."""
    first = settings.budget[0] if settings.budget else BudgetConfig()
    chosen = first.reserved_for or ReservedFor()
    waits = first.when_exceeded == "wait"
    return Terms(
        learns=all(config.learn for config in settings.budget),
        paces=settings.credentials is not None,
        reserve=first.reserve,
        clients=frozenset(chosen.clients),
        routes=frozenset(chosen.routes),
        fair=first.fair is not None,
        max_wait_us=_us(first.max_wait_s) if waits else 0,
        queue=first.queue if waits else 0,
    )


def budget_faults(settings: UpstreamFile, chain: Sequence[DialectSpec], document: Document) -> list[Fault]:
    """Find plans and routes that do not exist, and reserves that leave nothing of a plan."""
    plans, faults = plans_of(chain), []
    listed = isinstance(document.value.get("budget"), list)
    routes = {route.name for route in settings.routes}
    for index, config in enumerate(settings.budget):
        at: tuple[str | int, ...] = ("budget", index) if listed else ("budget",)
        if config.plan is not None and config.plan not in plans:
            faults.append(
                fault_at(document, (*at, "plan"), "the dialect knows no such plan", _near(config.plan, plans))
            )
        for number, route in enumerate(config.reserved_for.routes if config.reserved_for is not None else ()):
            if route not in routes:
                place = (*at, "reserved_for", "routes", number)
                faults.append(fault_at(document, place, "there is no route of this name"))
        if any(config.reserve.of(spec.requests) >= spec.requests for spec in config.specs(plans)):
            faults.append(fault_at(document, (*at, "reserve"), "a reserve of all leaves nothing to anybody else"))
    return faults


def unknown_clients(gateway: GatewayFile, settings: UpstreamFile, document: Document) -> list[Fault]:
    """Find reserves that are kept for clients that do not exist."""
    known = {client.name for client in gateway.clients}
    listed = isinstance(document.value.get("budget"), list)
    return [
        fault_at(
            document,
            ("budget", *((index,) if listed else ()), "reserved_for", "clients", number),
            "there is no client of this name",
        )
        for index, config in enumerate(settings.budget)
        for number, client in enumerate(config.reserved_for.clients if config.reserved_for is not None else ())
        if client not in known
    ]


def _declared(config: BudgetConfig, spec: BudgetSpec, name: str, upstream: str, *, theirs: bool) -> Declared:
    waits = config.when_exceeded == "wait"
    return Declared(
        name=name,
        scope=f"{DECLARED}{upstream}",
        requests=spec.requests,
        per_us=_us(spec.per_s),
        shape=Shape(spec.shape),
        key=("client",) if theirs else ("upstream",),
        reserve=config.reserve,
        shadow=theirs,
        max_wait_us=_us(config.max_wait_s) if waits else 0,
        queue=config.queue if waits else 0,
    )


def _free(name: str, names: set[str]) -> str:
    """Return a name that no other budget of the upstream has."""
    number, free = 1, name
    while free in names:
        number += 1
        free = f"{name}-{number}"
    names.add(free)
    return free


def _near(name: str, plans: Iterable[str]) -> str:
    known = sorted(plans)
    if not known:
        return "its preset declares none: give requests and per"
    near = get_close_matches(name[:80], known, n=1)
    return f"did you mean {near[0]}?" if near else f"it knows {', '.join(known)}"


def _us(seconds: float) -> int:
    return round(seconds * US_IN_S)
