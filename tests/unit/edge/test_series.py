"""Families whose lines are ready: the same text as the client library's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.utils import floatToGoString

from gateway.edge.exposition import exposition
from gateway.edge.series import Family, Told, number

NAMES = st.text(st.characters(codec="utf-8"), max_size=8)


@given(st.floats() | st.integers(-(2**70), 2**70))
def test_numbers_are_written_as_the_client_library_writes_them(value: float) -> None:
    """The small, the large, the negative and what is no number."""
    assert number(value) == floatToGoString(value)  # type: ignore[no-untyped-call]


@given(st.lists(st.tuples(st.tuples(NAMES, NAMES), st.floats()), max_size=5, unique_by=lambda one: one[0]), NAMES)
async def test_lines_are_those_of_the_client_library(samples: list[tuple[tuple[str, str], float]], about: str) -> None:
    """Whatever stands in labels and in the heading; their order is the library's, not ours."""
    registry = CollectorRegistry()
    gauge = Gauge("accord_x", about, ("upstream", "client"), registry=registry)
    for labels, value in samples:
        gauge.labels(*labels).set(value)
    told = Told(Family("accord_x", "gauge", about, ("upstream", "client")), lambda: samples)
    assert await exposition((told.metric(),)) == generate_latest(registry)
    assert await exposition((told.metric(),)) == generate_latest(registry)  # with what was remembered
