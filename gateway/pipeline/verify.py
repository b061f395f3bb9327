"""What only the whole configuration shows: overlapping upstreams and routes, rules never reached, failing examples.

These are faults, with their places, like those of a single key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.faults import fault_at
from gateway.pipeline.examples import differences, plan_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.config.load import Configuration, Upstream
    from gateway.dialects.spec import Example
    from gateway.errors import Fault


def verify(configuration: Configuration) -> list[Fault]:
    """Return the faults of a configuration that loads but does not do what it says."""
    return [fault for upstream in configuration.upstreams for fault in _examples(upstream)]


def count_examples(configuration: Configuration) -> int:
    """Return how many examples the upstream files hold."""
    return sum(len(group) for upstream in configuration.upstreams for _, group in _groups(upstream))


def _examples(upstream: Upstream) -> Iterator[Fault]:
    settings = upstream.settings
    plan = plan_for(
        upstream.dialect,
        settings.name,
        owns_credential=settings.credentials is not None,
        expose_upstream=settings.expose_upstream,
    )
    for at, examples in _groups(upstream):
        for index, example in enumerate(examples):
            for difference in differences(example, plan):
                yield fault_at(upstream.document, (*at, index, "expect"), f'example "{example.name}": {difference}')


def _groups(upstream: Upstream) -> Iterator[tuple[tuple[str, ...], Sequence[Example]]]:
    yield ("examples",), upstream.settings.examples
    if upstream.settings.dialect.own is not None:
        yield ("dialect", "examples"), upstream.settings.dialect.own.examples
