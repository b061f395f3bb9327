"""Budgets as a configuration writes them: what an upstream grants us, for whom some of it is kept, and how it is shared."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from gateway.config.faults import fault_at
from gateway.config.values import Duration, Name
from gateway.dialects.spec import BudgetPath, BudgetSpec, OneOrList, Strict
from gateway.limits.budget.declared import Declared, Shape, percent_or_number
from gateway.limits.budget.values import NO_RESERVE, Reserve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gateway.config.document import Document
    from gateway.config.models import GatewayFile, UpstreamFile
    from gateway.dialects.spec import DialectSpec
    from gateway.errors import Fault

_US_IN_S = 1_000_000


def _reserve(value: Any) -> Reserve:
    if isinstance(value, Reserve):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("a reserve is a percentage such as 10%, or a number of requests")
    return percent_or_number(str(value))


def _spelled_reserve(reserve: Reserve) -> str | int:
    return f"{reserve.percent}%" if reserve.percent else reserve.requests


ReserveValue = Annotated[
    Reserve,
    PlainValidator(_reserve),
    PlainSerializer(_spelled_reserve),
    WithJsonSchema(
        {
            "title": "reserve",
            "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]{1,2}%$"}],
            "examples": ["10%", 20],
        }
    ),
]


class ReservedFor(Strict, title="chosen"):
    """Whom a reserve is kept for. A request counts as theirs that has one of the clients, or one of the routes."""

    clients: Annotated[tuple[Name, ...], OneOrList()] = ()
    """Names of `clients` of the gateway's file."""
    routes: Annotated[tuple[Name, ...], OneOrList()] = ()
    """Names of this upstream's routes."""


class BudgetConfig(Strict, title="budget"):
    """What an upstream grants us. What its replies say is learned besides, and the stricter of the two counts."""

    plan: str | None = None
    """The plan that we have with this API; [its preset](presets/README.md) knows what that grants."""
    name: Name | None = None
    """What the client sees it called in `RateLimit-Policy`; left out, as the upstream."""
    requests: Annotated[int, Field(ge=1)] | None = None
    """In place of `plan`: how many requests are granted in the time of `per`."""
    per_s: Annotated[Duration | None, Field(alias="per")] = None
    """The time in which they are granted."""
    shape: Literal["fixed_window", "leaky_bucket"] = "fixed_window"
    """`fixed_window`: all come back when a new window begins, and nobody says when that is, so that requests are spread.
    `leaky_bucket`: they come back evenly, and all of them may be spent at once.
    """
    by: Literal["credential", "address"] = "credential"
    """Whom the API counts: each `credential`, or the `address` that requests come from, which is ours for all clients.
    """
    paths: Annotated[tuple[BudgetPath, ...], OneOrList()] = ()
    """The paths that are counted, as they go upstream, `base_url`'s own included; left out, all."""
    reserve: ReserveValue = NO_RESERVE
    """How much is kept for those in `reserved_for`: a percentage, or a number of requests."""
    reserved_for: ReservedFor | None = None
    """Whom the reserve is kept for."""
    fair: Literal["client"] | None = None
    """`client`: while it runs short, a client that had more than another that was turned away lets that one go first."""
    when_exceeded: Literal["refuse", "wait"] = "refuse"
    """`wait`: a request that the budget has no room for waits for its turn, as long as `max_wait` at most."""
    max_wait_s: Annotated[Duration, Field(alias="max_wait")] = 2.0
    """How long a request may wait; one that would wait longer is refused at once."""
    queue: Annotated[int, Field(ge=1, le=100_000)] = 100
    """How many requests may wait; further ones are refused."""
    learn: bool = True
    """Read from replies what is left, and keep to it. `false`: only what is declared here counts, and no pause either
    that the upstream asks for. That, and for whom what is learned is kept, is said in the first of several budgets.
    """

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        for fault in self._faults():
            raise ValueError(fault)
        return self

    def _faults(self) -> Iterator[str]:
        own = {"requests", "per_s", "shape", "by", "paths"} & self.model_fields_set
        if self.plan is not None and own:
            yield "give a plan, or requests and per: a plan says all of that"
        if (self.requests is None) != (self.per_s is None) or (self.requests is None and own):
            yield "give requests and per"
        if (self.reserve == NO_RESERVE) != (self.reserved_for is None):
            yield "reserve and reserved_for belong together: how much is kept, and for whom"
        if self.requests is not None and self.reserve.of(self.requests) >= self.requests:
            yield "a reserve of all leaves nothing to anybody else"
        if self.when_exceeded == "refuse" and {"max_wait_s", "queue"} & self.model_fields_set:
            yield "max_wait and queue are for when_exceeded: wait"
        if self.requests is not None:
            yield from _impossible(self._spec())

    def _spec(self) -> BudgetSpec:
        """Return what is declared here as a plan would say it."""
        return BudgetSpec.model_construct(
            name=None, requests=self.requests, per_s=self.per_s, shape=self.shape, by=self.by, paths=self.paths
        )

    def specs(self, plans: Mapping[str, Sequence[BudgetSpec]]) -> tuple[BudgetSpec, ...]:
        """Return the budgets that are declared here, `plans` being those of the dialect."""
        if self.plan is not None:
            return tuple(plans.get(self.plan, ()))
        return () if self.requests is None else (self._spec(),)


def _impossible(spec: BudgetSpec) -> Iterator[str]:
    try:
        Declared(name="", scope="", requests=spec.requests, per_us=_us(spec.per_s), shape=Shape(spec.shape)).whole()
    except ValueError as error:
        yield str(error).partition(": ")[2]


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


def granted(settings: UpstreamFile, plans: Mapping[str, Sequence[BudgetSpec]]) -> tuple[Granted, ...]:
    """Return the declared budgets of an upstream.

    A budget that the API counts by credentials, where the clients bring their own, is theirs: it is only watched.
    """
    found: list[Granted] = []
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
            faults.append(fault_at(document, (*at, "plan"), "the dialect knows no such plan", _near(config.plan, plans)))
        for number, route in enumerate(config.reserved_for.routes if config.reserved_for is not None else ()):
            if route not in routes:
                place = (*at, "reserved_for", "routes", number)
                faults.append(fault_at(document, place, "there is no route of this name"))
        for spec in config.specs(plans):
            if config.reserve.of(spec.requests) >= spec.requests:
                faults.append(
                    fault_at(document, (*at, "reserve"), "a reserve of all leaves nothing to anybody else")
                )
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
        scope=f"budget:{upstream}",
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
    return round(seconds * _US_IN_S)
