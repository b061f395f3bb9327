"""A scraped page and the families that are written from it say the same."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gateway.edge.metrics import Metrics
from gateway.supervisor.samples import read, write
from gateway.supervisor.steps import AT_ONCE
from tests.unit.edge.outcomes import outcome
from tests.unit.supervisor.scrapes import count_steps, finish


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
    assert finish(write(finish(read(text)).values())).decode() == text


def test_texts_of_any_kind_come_through() -> None:
    """Quotes, backslashes, line breaks and letters beyond ASCII, in labels and in headings; and numbers of any size."""
    registry = CollectorRegistry()
    strange = 'a "b" \\n \n é\u2028 # HELP x'
    gauge = Gauge("a", f"about {strange}", ("name",), registry=registry)
    for place, value in enumerate((1.5, 1e-9, 0, -2, 1e6, 123456789.5, 1e21, float("inf"), float("nan"))):
        gauge.labels(f"{strange}{place}").set(value)
    Histogram("h", "about", registry=registry).observe(0.3)
    Counter("c", "about", registry=registry, labelnames=("x", "y")).labels("1", "2").inc(7)
    text = generate_latest(registry).decode()
    scrape = finish(read(text))
    assert finish(write(scrape.values())).decode() == text
    assert scrape["c"].samples['c_total{x="1",y="2"}'] == 7
    assert (scrape["c"].kind, scrape["h"].kind) == ("counter", "histogram")


def test_a_page_is_read_in_steps() -> None:
    """So that others have their turn within a long one."""
    text = _page()
    assert count_steps(read(text)) == -(-text.count("\n") // AT_ONCE) > 1


def test_an_empty_page_has_no_families() -> None:
    """Nor has what is written of them any line."""
    assert finish(read("")) == {}
    assert finish(write(())) == b""


def test_what_is_no_page_is_refused() -> None:
    """It must not be counted as nothing."""
    with pytest.raises(ValueError, match="could not convert"):
        finish(read("<html>not\nmetrics</html>"))
