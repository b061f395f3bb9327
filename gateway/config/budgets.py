"""Budgets as a configuration writes them: what an upstream grants us, for whom some is kept, and how it is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from gateway.config.values import Duration, Name  # noqa: TC001 - pydantic needs the types at run time
from gateway.dialects.spec import BudgetPath, BudgetSpec, OneOrList, Strict
from gateway.limits.budget.declared import Declared, Shape, percent_or_number
from gateway.limits.budget.values import NO_RESERVE, Reserve
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


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
    """`fixed_window`: all come back when a new window begins; nobody says when that is, so that requests are spread.
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
    """`client`: while it runs short, a client that had more than another that was turned away lets it go first."""
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
        for spec in self.specs({}):
            yield from _impossible(spec)

    def _spec(self, requests: int, per_s: float) -> BudgetSpec:
        """Return what is declared here as a plan would say it."""
        return BudgetSpec.model_construct(
            name=None, requests=requests, per_s=per_s, shape=self.shape, by=self.by, paths=self.paths
        )

    def specs(self, plans: Mapping[str, Sequence[BudgetSpec]]) -> tuple[BudgetSpec, ...]:
        """Return the budgets that are declared here, `plans` being those of the dialect."""
        if self.plan is not None:
            return tuple(plans.get(self.plan, ()))
        if self.requests is None or self.per_s is None:
            return ()
        return (self._spec(self.requests, self.per_s),)


def _impossible(spec: BudgetSpec) -> Iterator[str]:
    try:
        Declared(
            name="", scope="", requests=spec.requests, per_us=round(spec.per_s * US_IN_S), shape=Shape(spec.shape)
        ).whole()
    except ValueError as error:
        yield str(error).partition(": ")[2]
