"""No counter goes back when a process dies, is started anew, or does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.supervisor.ledger import Ledger
from gateway.supervisor.sums import Part
from tests.unit.supervisor.scrapes import by_upstream, counters, finish, gauge

if TYPE_CHECKING:
    from gateway.supervisor.samples import Scrape

OWN = Part(name="supervisor", scrape={})


def _count(ledger: Ledger, *answered: int) -> dict[str, float]:
    """Return the totals of the counter `a` by upstream."""
    scrape = finish(ledger.total(answered, OWN))
    return {} if "a" not in scrape else by_upstream(scrape["a"])


def _two_lives() -> Ledger:
    ledger = Ledger()
    for life in (0, 1):
        ledger.begin(life, str(life + 1))
        ledger.note(life, counters("a", {"x": 10 + life}))
    return ledger


def test_all_lives_count() -> None:
    """The last answers, not all that came before."""
    ledger = _two_lives()
    assert _count(ledger, 0, 1) == {"x": 21}
    ledger.note(0, counters("a", {"x": 15}))
    assert _count(ledger, 0, 1) == {"x": 26}


def test_the_dead_are_remembered() -> None:
    """However many die, and whether or not somebody looked in between."""
    ledger = _two_lives()
    ledger.end(0)
    assert _count(ledger, 1) == {"x": 21}
    assert _count(ledger, 1) == {"x": 21}
    ledger.end(1)
    ledger.begin(2, "1")
    assert _count(ledger) == {"x": 21}
    ledger.note(2, counters("a", {"x": 1}))
    assert _count(ledger, 2) == {"x": 22}


def test_one_that_does_not_answer_counts_as_before() -> None:
    """Without its gauges, which may be otherwise by now."""
    ledger = _two_lives()
    ledger.note(0, counters("a", {"x": 10}) | gauge("accord_in_flight_requests", 4))
    scrape = finish(ledger.total((1,), OWN))
    assert set(scrape) == {"a"}
    assert _count(ledger, 1) == {"x": 21}


def test_an_answer_that_comes_after_the_death_is_too_late() -> None:
    """It must not count beside what was kept."""
    ledger = _two_lives()
    ledger.end(0)
    ledger.note(0, counters("a", {"x": 12}))
    assert _count(ledger, 1) == {"x": 21}


def test_a_death_that_nobody_knew_of_changes_nothing() -> None:
    """A life that never answered leaves nothing behind."""
    ledger = Ledger()
    ledger.begin(0, "1")
    ledger.end(0)
    ledger.end(7)
    assert _count(ledger) == {}


def test_work_that_is_left_in_the_middle_loses_nothing() -> None:
    """Whoever asked may go away before all is added up; and a process may die meanwhile."""
    ledger = _two_lives()
    ledger.end(0)
    left = ledger.total((1,), OWN)
    next(left)
    left.close()
    assert _count(ledger, 1) == {"x": 21}
    under_way = ledger.total((1,), OWN)
    next(under_way)
    ledger.end(1)
    assert _values(finish(under_way)) == [21]
    assert _count(ledger) == {"x": 21}


def _values(scrape: Scrape) -> list[float]:
    return list(scrape["a"].samples.values())


def test_fractions_do_not_go_back_by_a_last_digit() -> None:
    """A sum depends on its order; to Prometheus the least step back is a restart."""
    ledger = Ledger()
    for life, value in enumerate((0.1, 0.2, 0.3)):
        ledger.begin(life, "1")
        ledger.note(life, counters("a", {"x": value}))
    before = _count(ledger, 0, 1, 2)["x"]
    assert before == 0.1 + 0.2 + 0.3 > 0.2 + 0.3 + 0.1
    ledger.end(0)
    assert _count(ledger, 1, 2) == {"x": before}
