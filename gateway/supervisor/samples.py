"""A scraped page as a value, and a value as families that can be written. Pure.

The page is one of ours, read by prometheus-client's parser. That reads a family in one go, however long it is; so the
page is handed to it in pieces, each below its family's heading.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Final

from prometheus_client.core import Metric, Sample
from prometheus_client.parser import text_string_to_metric_families

from gateway.edge.series import Samples
from gateway.supervisor.steps import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.supervisor.steps import Steps

Key = tuple[str, tuple[tuple[str, str], ...]]
"""A sample's name and its labels, sorted."""

_BEGINS: Final = "# HELP "

COUNTED: Final = frozenset(("counter", "histogram"))
"""The types of families whose samples only ever grow."""


@dataclass(frozen=True, slots=True)
class Family:
    """The samples of one metric. `name` is without the `_total` of counters."""

    name: str
    kind: str
    about: str
    samples: dict[Key, float] = field(default_factory=dict)


Scrape = dict[str, Family]
"""Families by name."""


def read(text: str) -> Steps[Scrape]:
    """Read a page, piece by piece. Raises ValueError for what is none."""
    scrape: Scrape = {}
    for piece in pieces(text, AT_ONCE):
        for metric in text_string_to_metric_families(piece):
            _take(scrape, metric)
        yield
    return scrape


def scrape_of(metrics: Iterable[Metric]) -> Scrape:
    """Return what a registry of this process has."""
    scrape: Scrape = {}
    for metric in metrics:
        _take(scrape, metric)
    return scrape


def families(scrape: Scrape) -> Iterator[Metric]:
    """Return the families as prometheus-client writes them; samples are made while they are read."""
    for family in scrape.values():
        metric = Metric(family.name, family.about, family.kind)
        metric.samples = Samples(lambda samples=family.samples: _samples(samples))  # type: ignore[misc]
        yield metric


def pieces(text: str, lines: int) -> Iterator[str]:
    """Cut a page into parts of so many samples at most, each below the heading of its family."""
    heading: list[str] = []
    body: list[str] = []
    for line in StringIO(text):  # which knows no line's end but ours
        begins = line.startswith(_BEGINS)
        if (begins and heading) or len(body) == lines:
            yield "".join((*heading, *body))
            body = []
        if begins:
            heading = []
        (heading if line.startswith("#") else body).append(line)
    if heading or body:
        yield "".join((*heading, *body))


def _take(scrape: Scrape, metric: Metric) -> None:
    family = scrape.get(metric.name)
    if family is None:
        family = scrape[metric.name] = Family(metric.name, metric.type, metric.documentation)
    for sample in metric.samples:
        family.samples[sample.name, tuple(sorted(sample.labels.items()))] = sample.value


def _samples(samples: dict[Key, float]) -> Iterator[Sample]:
    for (name, labels), value in samples.items():
        yield Sample(name, dict(labels), value)
