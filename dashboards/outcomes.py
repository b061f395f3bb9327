"""How requests end: the panel that stands wherever the question is what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import looks
from dashboards.panels import Query, graph
from dashboards.queries import UPSTREAM, rate

if TYPE_CHECKING:
    from dashboards.panels import Panel


def outcomes() -> Panel:
    """Return the panel."""
    return graph(
        "How do requests end?",
        "Requests in a second by their outcome, one word for each request. Greens are fine, blues are clients' faults, "
        "oranges upstreams', red ours.",
        Query(rate("accord_requests_total", UPSTREAM, by="outcome"), "{{outcome}}"),
        unit=looks.PER_SECOND,
        colours=looks.OUTCOMES,
        stacked=True,
    )
