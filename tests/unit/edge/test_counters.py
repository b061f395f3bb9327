"""Counts by upstream are told apart in bounded memory."""

from __future__ import annotations

from itertools import product

from gateway.edge.counters import Counters
from gateway.edge.series import Family

FAMILY = Family("accord_x", "counter", "About.", ("upstream", "status", "outcome"))


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
