"""What an API grants: its budgets by plan, how its counts behave, and how far its refusals reach."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.dialects.spec.condition import Condition
from gateway.dialects.spec.durations import Duration
from gateway.dialects.spec.values import OneOrList, Strict

BudgetPath = Annotated[str, Field(title="path", pattern=r"^/[^?#\s%\\;]*$")]
"""A path as it goes upstream, with `*` for one segment and `**` at the end for all the rest."""


class BudgetSpec(Strict, title="granted budget"):
    """How many requests an API grants in a time."""

    name: Annotated[str, Field(title="name", pattern=r"^[a-z0-9][a-z0-9._-]{0,30}$")] | None = None
    """What tells it apart from the other budgets of its plan."""
    requests: Annotated[int, Field(ge=1)]
    """How many requests are granted in the time of `per`."""
    per_s: Annotated[Duration, Field(alias="per")]
    """The time in which they are granted."""
    shape: Literal["fixed_window", "leaky_bucket"] = "fixed_window"
    """`fixed_window`: all come back when a new window begins, and nobody says when that is. `leaky_bucket`: they come
    back evenly, and all of them may be spent at once.
    """
    by: Literal["credential", "address"] = "credential"
    """Whom the API counts: each `credential`, or the `address` that requests come from, which is ours for all clients.
    """
    paths: Annotated[tuple[BudgetPath, ...], OneOrList()] = ()
    """The paths that are counted, as they go upstream, `base_url`'s own included; left out, all."""


class PauseSpec(Strict, title="pause"):
    """A refusal for which nothing is sent for some time."""

    when: Condition
    """Which replies are such a refusal; only their status and header are looked at."""
    scope: Literal["credential", "bucket", "route"] = "bucket"
    """What pauses: all that is sent under our `credential`; what the API counts in one `bucket` with the request, which
    is all where it names none; or the `route`, requests with the same method and path.
    """


BudgetSpecs = Annotated[tuple[BudgetSpec, ...], Field(min_length=1), OneOrList()]
PauseSpecs = Annotated[tuple[PauseSpec, ...], OneOrList()]
