"""Limits as a configuration writes them: whom a policy counts, how, and what becomes of a request that is over it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, WithJsonSchema, model_validator

from gateway.config.values import Duration, Method, Name, spelled
from gateway.dialects.spec import OneOrList, Strict
from gateway.limits import Algorithm, OnStoreError, Period, Policy
from gateway.limits.policy import PERIOD_US
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY_PART = re.compile(r"^(client|ip|upstream|route|method|header:[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$")

KeyPart = Annotated[
    str,
    spelled(
        _KEY_PART,
        "must be client, ip, upstream, route, method or header:NAME, or a list of them, as in [client, route]",
    ),
    WithJsonSchema({"title": "key part", "type": "string", "pattern": _KEY_PART.pattern}),
]
"""What a limit counts by: `client`, `ip`, `upstream`, `route`, `method` or `header:NAME`."""

Mode = Literal["enforce", "shadow"]
"""Whether what was worked out is done, or only counted and logged."""

Cost = Annotated[int, Field(ge=1)] | dict[Method, Annotated[int, Field(ge=0)]]
"""What a request costs: a number, or numbers by method."""


class PolicyConfig(Strict, title="limit"):
    """A limit that we impose: so many requests in a time, so many by the calendar, or so many at once."""

    name: Name
    """What the client sees it called in `RateLimit-Policy`; once in each list."""
    key: Annotated[tuple[KeyPart, ...], Field(min_length=1), OneOrList()] = ("client",)
    """What is counted by: `client`, `ip`, `upstream`, `route`, `method`, `header:NAME`, or several of them together."""
    requests: Annotated[int, Field(ge=1)] | None = None
    """How many requests each key has in the time of `per`, or in each period of `calendar`."""
    per_s: Annotated[Duration | None, Field(alias="per")] = None
    """The time in which `requests` come back, evenly: there is no window that starts anew."""
    calendar: Literal["minute", "hour", "day", "week", "month"] | None = None
    """In place of `per`: all `requests` come back at once when this period begins, in UTC; a week begins on Monday."""
    concurrent: Annotated[int, Field(ge=1)] | None = None
    """In place of `requests` and `per`: how many may be under way at the same time."""
    burst: Annotated[int, Field(ge=1)] | None = None
    """How many may come at once; left out, as many as `requests`."""
    algorithm: Literal["gcra", "sliding_log"] = "gcra"
    """`gcra`: requests come back one by one. `sliding_log`: never more than `requests` in any time of `per`; it keeps
    the time of each request, and so counts 1000 at most.
    """
    cost: Cost = 1
    """What a request costs, or numbers by method: `{POST: 5}`. A method that is not listed costs 1, HEAD what GET does;
    0 is not counted.
    """
    mode: Mode = "enforce"
    """`shadow`: counted by itself and told to nobody but the operator; it refuses nothing."""
    when_exceeded: Literal["refuse", "wait"] = "refuse"
    """`wait`: a request over the limit waits for its turn, as long as `max_wait` at most."""
    max_wait_s: Annotated[Duration, Field(alias="max_wait")] = 2.0
    """How long a request may wait; one that would wait longer is refused at once."""
    queue: Annotated[int, Field(ge=1, le=10_000)] = 100
    """How many requests of one key may wait; further ones are refused."""
    on_store_error: Literal["local", "refuse", "allow"] = "local"
    """What happens while the store does not answer. `local`: count here, by the limit divided by the number of
    replicas; `refuse`: 503; `allow`: let pass, uncounted.
    """
    local: bool = False
    """Count in each process by itself, without the store: for cheap limits that stop a flood at the door."""
    lease: Annotated[int, Field(ge=2)] | None = None
    """Take so many from a store on the network at once and spend them here. Cheaper, and stricter than the limit says:
    what is not spent lapses.
    """

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        for fault in self._faults():
            raise ValueError(fault)
        try:
            self.policy("")
        except ValueError as error:
            raise ValueError(str(error).partition(": ")[2]) from error  # without the name: values are never shown
        return self

    def _faults(self) -> list[str]:
        """Return what does not go together."""
        counted = (self.requests is not None, self.per_s is not None, self.calendar is not None)
        timed = counted in {(True, True, False), (True, False, True)}
        if timed == (self.concurrent is not None) or (self.concurrent is not None and any(counted)):
            return ["give one of these: requests with per, requests with calendar, or concurrent alone"]
        if self.per_s is None and self.algorithm != "gcra":
            return ["only a limit with per has an algorithm"]
        if self.concurrent is not None and self.lease is not None:
            return ["places of concurrent cannot be leased: they come back when a request ends"]
        if self.local and self.lease is not None:
            return ["a local limit does not ask the store: it cannot lease"]
        if self.when_exceeded == "refuse" and {"max_wait_s", "queue"} & self.model_fields_set:
            return ["max_wait and queue are for when_exceeded: wait"]
        return []

    def policy(self, scope: str) -> Policy:
        """Return the limit as the decisions use it. `scope` tells apart limits of one name at several levels."""
        algorithm = self._algorithm()
        requests = self.requests or self.concurrent or 0
        waits = self.when_exceeded == "wait"
        period = None if self.calendar is None else Period(self.calendar)
        return Policy(
            name=self.name,
            requests=requests,
            per_us=round((self.per_s or 0) * US_IN_S) if period is None else PERIOD_US[period],
            burst=self.burst or requests,
            key=self.key,
            cost=self.cost if isinstance(self.cost, int) else 1,
            costs=() if isinstance(self.cost, int) else _by_method(self.cost),
            scope=scope,
            algorithm=algorithm,
            period=period,
            shadow=self.mode == "shadow",
            max_wait_us=round(self.max_wait_s * US_IN_S) if waits else 0,
            queue=self.queue if waits else 0,
            on_store_error=OnStoreError(self.on_store_error),
            local=self.local,
            lease=self.lease or 0,
        )

    def _algorithm(self) -> Algorithm:
        if self.concurrent is not None:
            return Algorithm.CONCURRENCY
        return Algorithm(self.algorithm) if self.calendar is None else Algorithm.CALENDAR


def _by_method(costs: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Return the costs by method, HEAD's being that of GET where it has none of its own."""
    head = {"HEAD": costs["GET"]} if "GET" in costs else {}
    return tuple(sorted((head | dict(costs)).items()))
