"""Families whose lines are ready: the same text as the client library's, in bounded memory."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.utils import floatToGoString

from gateway.edge.exposition import exposition
from gateway.edge.series import Counters, Family, Told, number

NAMES = st.text(st.characters(codec="utf-8"), max_size=8)
FAMILY = Family("accord_x", "counter", "About.", ("upstream", "status", "outcome"))


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


def test_what_is_beyond_the_bound_is_counted_as_other() -> None:
    """Nothing is lost, labels that do not fold stay true, and of another upstream there is room."""
    counters = Counters(FAMILY, most=10, folded=("status",))
    every = list(product(("api", "second"), map(str, range(40)), ("ok", "cut")))
    for labels in every * 2:
        counters.at(*labels).count += 1
    samples = {tuple(sample.labels.values()): sample.value for sample in counters.metric().samples}
    assert sum(samples.values()) == 2 * len(every)
    for upstream in ("api", "second"):
        mine = {labels: value for labels, value in samples.items() if labels[0] == upstream}
        assert len(mine) == 10 + 2 == counters.at_most({"status": 1000, "outcome": 2})
        assert mine[upstream, "other", "ok"] == mine[upstream, "other", "cut"] == 2 * 35
        assert mine[upstream, "4", "cut"] == 2


def test_a_family_without_so_many_values_does_not_reach_its_bound() -> None:
    """What is said of it at most is no more than there can be."""
    assert Counters(FAMILY, most=100, folded=("status",)).at_most({"status": 5, "outcome": 3}) == 15


def test_what_is_kept_goes_on_and_the_rest_makes_room() -> None:
    """A cell that somebody holds is still the one that is told."""
    counters = Counters(FAMILY, most=1)
    kept = counters.at("api", "200", "ok")
    counters.at("gone", "200", "ok").count += 1
    counters.keep({"api"})
    kept.count += 1
    assert [sample.value for sample in counters.metric().samples] == [1]
    assert counters.at("gone", "200", "ok").count == 0
