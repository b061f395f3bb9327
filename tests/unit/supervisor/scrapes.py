"""Scrapes for tests, and work in steps done at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from gateway.supervisor.samples import Family, Scrape, joined, parted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.supervisor.samples import Key
    from gateway.supervisor.steps import Steps

T = TypeVar("T")


def finish(steps: Steps[T]) -> T:
    """Do all steps, and return what came out."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


def count_steps(steps: Steps[T]) -> int:
    """Do all steps, and return how many turns others had."""
    return sum(1 for _ in steps)


def counters(name: str, values: Mapping[str, float]) -> Scrape:
    """Return a family of counters by upstream."""
    samples: dict[Key, float] = {
        joined(f"{name}_total", [("upstream", upstream)]): value for upstream, value in values.items()
    }
    return {name: Family(name, "counter", "", samples)}


def by_upstream(family: Family) -> dict[str, float]:
    """Return the samples of such a family, by upstream."""
    return {parted(key)[1][0][1]: value for key, value in family.samples.items()}


def gauge(name: str, value: float) -> Scrape:
    """Return a gauge without labels."""
    return {name: Family(name, "gauge", "", {name: value})}
