"""Whatever several processes count, and whenever they die: the sums are right, and never go back."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from gateway.supervisor import pages
from gateway.supervisor.ledger import Ledger
from gateway.supervisor.sums import Part, total
from tests.unit.supervisor.scrapes import by_upstream, counters, finish

if TYPE_CHECKING:
    from gateway.supervisor.samples import Scrape

UPSTREAMS = st.sampled_from("abc")
SCRAPES = st.dictionaries(UPSTREAMS, st.integers(0, 2**40), max_size=3).map(lambda values: counters("n", values))
STEPS = st.lists(st.tuples(st.sampled_from(("count", "answer", "scrape", "die")), st.integers(0, 2), UPSTREAMS))
FRACTIONS = st.sampled_from((0.1, 0.2, 0.7, 1e-9, 3.0, 1e9 / 3))


def _sum(*scrapes: Scrape) -> Scrape:
    return finish(total([Part(name="", scrape=scrape) for scrape in scrapes]))


@given(SCRAPES)
def test_one_is_itself(scrape: Scrape) -> None:
    """Alone, and beside one that counted nothing."""
    assert _sum(scrape) == _sum(scrape, {}) == _sum({}, scrape) == scrape


@given(SCRAPES, SCRAPES, SCRAPES)
def test_it_does_not_matter_who_is_added_first(one: Scrape, two: Scrape, three: Scrape) -> None:
    """Sums of sums are the sum."""
    assert _sum(_sum(one, two), three) == _sum(one, _sum(two, three)) == _sum(three, one, two)


class _Machine:
    """Three places of processes that count, answer and die, and what an exact observer would know of them."""

    def __init__(self, fraction: float) -> None:
        self.ledger = Ledger()
        self.fraction = fraction
        self.lives = count()
        self.now: dict[int, tuple[int, dict[str, int]]] = {}
        self.told: dict[int, dict[str, int]] = {}
        self.shown: dict[str, float] = {}
        for place in range(3):
            self.die(place)

    def count(self, place: int, upstream: str) -> None:
        """Count one more."""
        counted = self.now[place][1]
        counted[upstream] = counted.get(upstream, 0) + 1

    def answer(self, place: int) -> None:
        """Tell all that was counted."""
        life, counted = self.now[place]
        self.told[life] = dict(counted)
        whole = counters("n", counted)
        parts = counters("s", {name: value * self.fraction for name, value in counted.items()})
        self.ledger.note(life, whole | parts)

    def die(self, place: int) -> None:
        """End, and be started anew."""
        if place in self.now:
            self.ledger.end(self.now[place][0])
        life = next(self.lives)
        self.now[place] = (life, {})
        self.ledger.begin(life, str(place))

    def scrape(self) -> None:
        """Look at the totals: all that was ever told, and nothing less than was shown before."""
        scrape = finish(self.ledger.total((), Part(name="supervisor", scrape={})))
        expected: dict[str, int] = {}
        for counted in self.told.values():
            for name, value in counted.items():
                expected[name] = expected.get(name, 0) + value
        assert (by_upstream(scrape["n"]) if "n" in scrape else {}) == expected
        shown = by_upstream(scrape["s"]) if "s" in scrape else {}
        assert all(shown[name] >= before for name, before in self.shown.items())
        self.shown = shown


@given(STEPS, FRACTIONS)
def test_counters_are_exact_and_never_go_back(steps: list[tuple[str, int, str]], fraction: float) -> None:
    """Whole numbers to the last one that was told; sums of fractions never less than they were."""
    machine = _Machine(fraction)
    for what, place, upstream in steps:
        if what == "count":
            machine.count(place, upstream)
        elif what == "answer":
            machine.answer(place)
        elif what == "scrape":
            machine.scrape()
        else:
            machine.die(place)
    machine.scrape()


OUTCOMES = st.dictionaries(st.sampled_from(("ok", "timeout", "cut")), st.integers(1, 2**40))
STATUSES = st.builds(
    lambda outcomes, times, flight: {
        "in_flight": flight,
        "upstreams": [
            {
                "name": "api",
                "outcomes": outcomes,
                "last_failures": [{"time": time} for time in sorted(times, reverse=True)],
            }
        ],
    },
    OUTCOMES,
    st.lists(st.integers(0, 10**9), max_size=10),
    st.integers(0, 10**6),
)


@given(STATUSES, STATUSES, STATUSES)
def test_pages_of_pages_are_the_page(one: dict[str, object], two: dict[str, object], three: dict[str, object]) -> None:
    """The same whoever is added first, and one is itself."""
    assert pages.status([one]) == one
    first = pages.status([pages.status([one, two]), three])
    assert first == pages.status([one, pages.status([two, three])]) == pages.status([one, two, three])
