"""A scraped page and the families that are written from it say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gateway.edge.metrics import Metrics
from gateway.supervisor.samples import families, pieces, read, scrape_of
from gateway.supervisor.steps import AT_ONCE
from tests.unit.edge.outcomes import outcome
from tests.unit.supervisor.scrapes import count_steps, finish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric


class _Registry(CollectorRegistry):
    """Has the families of a scrape."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def collect(self) -> Iterator[Metric]:
        """Return the families as they were read."""
        return families(finish(read(self._text)))


def _page() -> str:
    """Return a page with every type of family that the gateway has."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, lambda: 3, lambda: 2)
    metrics.serve(f"api-{number}" for number in range(4 * AT_ONCE))
    for number in range(4 * AT_ONCE):
        metrics.observe(outcome(upstream=f"api-{number}"))
    return generate_latest(registry).decode()


def test_what_is_read_is_written_as_it_was() -> None:
    """Byte for byte, headings of families without samples among them."""
    text = _page()
    assert generate_latest(_Registry(text)).decode() == text


def test_texts_of_any_kind_come_through() -> None:
    """Quotes, backslashes, line breaks and letters beyond ASCII, in labels and in headings."""
    registry = CollectorRegistry()
    strange = 'a "b" \\n \n é\u2028 # HELP x'
    Gauge("a", f"about {strange}", ("name",), registry=registry).labels(strange).set(1.5)
    Histogram("h", "about", registry=registry).observe(0.3)
    Counter("c", "about", registry=registry).inc(float("inf"))
    scrape = finish(read(generate_latest(registry).decode()))
    assert scrape["a"].samples == {("a", (("name", strange),)): 1.5}
    assert scrape["a"].about == f"about {strange}"
    assert scrape["c"].samples["c_total", ()] == float("inf")


def test_a_page_is_read_in_pieces_of_bounded_length() -> None:
    """Each below the heading of its family, so that others have their turn within a long one."""
    text = _page()
    parts = list(pieces(text, AT_ONCE))
    assert len(parts) > 4 * 18
    assert all(len(part.splitlines()) <= AT_ONCE + 2 for part in parts)
    assert all(part.startswith("# HELP ") and part.count("# HELP ") == 1 for part in parts)
    assert count_steps(read(text)) == len(parts)


def test_an_empty_page_has_no_pieces() -> None:
    """And no families."""
    assert list(pieces("", 3)) == []
    assert finish(read("")) == {}


def test_our_own_registry_is_read_without_a_page() -> None:
    """To the same families."""
    registry = CollectorRegistry()
    Metrics(registry, lambda: 3, lambda: 2).observe(outcome())
    assert scrape_of(registry.collect()) == finish(read(generate_latest(registry).decode()))
