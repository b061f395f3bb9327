"""What only the whole configuration shows: overlapping upstreams and routes, rules never reached, failing examples.

These are faults, with their places, like those of a single key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.faults import fault_at
from gateway.dialects.spec import Condition
from gateway.pipeline.examples import differences, plan_for_upstream
from gateway.pipeline.overlaps import overlaps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.config.load import Configuration, Upstream
    from gateway.dialects.spec import Example
    from gateway.errors import Fault


def verify(configuration: Configuration) -> list[Fault]:
    """Return the faults of a configuration that loads but does not do what it says."""
    faults = ambiguities(configuration)
    for upstream in configuration.upstreams:
        faults += verify_upstream(upstream)
    return faults


def verify_upstream(upstream: Upstream) -> list[Fault]:
    """Return an upstream's rules that are never reached, and its examples that come out otherwise."""
    return [*_unreachable(upstream), *_failing(upstream)]


def ambiguities(configuration: Configuration) -> list[Fault]:
    """Return the upstreams and routes that stand in each other's way: a gateway must not guess between them."""
    upstreams = configuration.upstreams
    return [
        fault_at(
            upstreams[overlap.upstream].document,
            ("match", "prefix") if overlap.route is None else ("routes", overlap.route),
            overlap.sentence,
        )
        for overlap in overlaps([upstream.settings for upstream in upstreams])
    ]


def count_examples(configuration: Configuration) -> int:
    """Return how many examples the upstream files hold."""
    return sum(len(group) for upstream in configuration.upstreams for _, group in _groups(upstream))


def _unreachable(upstream: Upstream) -> Iterator[Fault]:
    """Find rules behind one that already takes every reply they are for."""
    own = upstream.settings.dialect.own
    rules = own.errors if own is not None else ()
    for index, rule in enumerate(rules):
        for number, earlier in enumerate(rules[:index], 1):
            if _covers(earlier.when, rule.when):
                message = f"this rule is never reached: rule {number} takes every reply that it is for"
                yield fault_at(upstream.document, ("dialect", "errors", index, "when"), message)
                break


def _covers(earlier: Condition, later: Condition) -> bool:
    """Say whether every reply of `later` is surely one of `earlier`: the same test, or none but on the status."""
    if not (later.status or frozenset()) <= (earlier.status or frozenset()):
        return False
    rest = earlier.model_copy(update={"status": None})
    return rest in (Condition(), later.model_copy(update={"status": None}))


def _failing(upstream: Upstream) -> Iterator[Fault]:
    plan = plan_for_upstream(upstream)
    for at, examples in _groups(upstream):
        for index, example in enumerate(examples):
            for difference in differences(example, plan):
                yield fault_at(upstream.document, (*at, index, "expect"), f'example "{example.name}": {difference}')


def _groups(upstream: Upstream) -> Iterator[tuple[tuple[str, ...], Sequence[Example]]]:
    yield ("examples",), upstream.settings.examples
    if upstream.settings.dialect.own is not None:
        yield ("dialect", "examples"), upstream.settings.dialect.own.examples
