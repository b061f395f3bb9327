"""What several processes measured, as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway import app
from gateway.config.load import load
from gateway.edge.limiting.store_metrics import StoreMetrics
from gateway.supervisor.samples import Family, write
from gateway.supervisor.steps import AT_ONCE
from gateway.supervisor.sums import GAUGES, Part, no_less, total
from tests.unit.edge.stores import counted
from tests.unit.supervisor.scrapes import count_steps, counters, finish, gauge

if TYPE_CHECKING:
    from pathlib import Path


def test_what_grows_is_added_up() -> None:
    """By name and labels; what only one has stays as it is."""
    one = Part(name="1", scrape=counters("a", {"x": 1, "y": 2}))
    other = Part(name="2", scrape=counters("a", {"y": 3, "z": 4}) | counters("b", {"x": 5}))
    expected = counters("a", {"x": 1, "y": 5, "z": 4}) | counters("b", {"x": 5})
    assert finish(total((one, other))) == expected


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("accord_in_flight_requests", {"accord_in_flight_requests": 5.0}),
        ("accord_unknown_shapes_kept", {"accord_unknown_shapes_kept": 3.0}),
        ("process_open_fds", {'process_open_fds{process="1"}': 2.0, 'process_open_fds{process="2"}': 3.0}),
        ("unheard_of", {'unheard_of{process="1"}': 2.0, 'unheard_of{process="2"}': 3.0}),
    ],
)
def test_a_gauge_is_what_it_means(name: str, samples: dict[object, float]) -> None:
    """Added up, the largest, or one of each process; one that nobody thought of is one of each."""
    parts = (Part(name="1", scrape=gauge(name, 2)), Part(name="2", scrape=gauge(name, 3)))
    assert finish(total(parts))[name].samples == samples


def test_the_process_is_put_among_the_labels_in_their_order() -> None:
    """Whatever stands in their values."""
    key = r'accord_budget_limit{about="a \"b\", c=\"d\"",upstream="x\\"}'
    scrape = {"accord_budget_limit": Family("accord_budget_limit", "gauge", "", {key: 1.0})}
    told = finish(total((Part(name="1", scrape=scrape),)))["accord_budget_limit"].samples
    assert told == {key.replace("upstream=", 'process="1",upstream='): 1.0}


def test_gauges_of_those_who_did_not_answer_are_left_out() -> None:
    """What they counted is not."""
    silent = Part(name="1", scrape=counters("a", {"x": 1}) | gauge("accord_in_flight_requests", 7), now=False)
    assert finish(total((silent,))) == counters("a", {"x": 1})


def test_long_families_are_added_in_steps() -> None:
    """So that others have their turn."""
    many = counters("a", {str(number): 1 for number in range(10 * AT_ONCE)})
    assert count_steps(total((Part(name="1", scrape=many),))) == 10
    assert count_steps(write(many.values())) == 10
    assert count_steps(no_less(many, many)) == 10


def test_what_grows_is_never_less_than_before() -> None:
    """Gauges may be, and what was not there is not invented."""
    now = counters("a", {"x": 1.0, "y": 3.0}) | gauge("accord_in_flight_requests", 1)
    before = counters("a", {"x": 1.5, "y": 2.0, "gone": 9.0}) | gauge("accord_in_flight_requests", 7)
    finish(no_less(now, before | counters("b", {"x": 1})))
    assert now == counters("a", {"x": 1.5, "y": 3.0}) | gauge("accord_in_flight_requests", 1)


async def test_every_gauge_of_ours_says_what_it_means(tmp_path: Path) -> None:
    """A new one must be given its rule in `GAUGES`."""
    (tmp_path / "gateway.yaml").write_text("version: 1\n")
    (tmp_path / "upstreams").mkdir()
    (tmp_path / "upstreams" / "api.yaml").write_text(
        "version: 1\nname: api\nbase_url: https://api.example\nmatch: {prefix: /api}\n"
    )
    registry = app.build(load(tmp_path / "gateway.yaml"), environ={}).registry
    StoreMetrics(registry, counted)
    gauges = {family.name for family in registry.collect() if family.type == "gauge"}
    assert gauges - GAUGES.keys() == set()
    assert GAUGES.keys() - gauges == {"accord_supervisor_children"}
