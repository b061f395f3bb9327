"""What is counted by upstream and told at a scrape: cells, which are integers, and histograms.

Invariants: cells may be added and taken away while a family is read; the samples of one histogram are of one moment,
however slowly they are read; of one upstream a family has no more cells than it was bounded to.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING, Final

from gateway.edge.series import Line, Ready
from gateway.model import OTHER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from prometheus_client.core import Metric

    from gateway.edge.series import Family, Labels, Row

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds of what is measured, unless others are given."""

_LE: Final = "le"
_LAST: Final = "+Inf"


class Cell:
    """One count."""

    __slots__ = ("count", "line")

    def __init__(self, line: Line) -> None:
        """Start at nothing."""
        self.line = line
        self.count = 0


class Counters:
    """A family of counts, the first label of which is an upstream.

    Bounded: of one upstream `most` are told apart. Beyond that those labels that are in `folded` become `other`.
    """

    def __init__(self, family: Family, *, most: int, folded: Collection[str] = ()) -> None:
        """Begin with none."""
        self.family = family
        self.most = most
        self.folded = frozenset(folded)
        self._folds = tuple(label in self.folded for label in family.labels)
        self._cells: dict[Labels, Cell] = {}
        self._many: Counter[str] = Counter()

    def at_most(self, sizes: Mapping[str, int]) -> int:
        """Return how many series of one upstream there can be, where labels have so many values."""
        of = self.family.labels[1:]
        told_apart = prod(sizes[label] for label in of)
        return min(told_apart, self.most + prod(sizes[label] for label in of if label not in self.folded))

    def at(self, *values: str) -> Cell:
        """Return the cell of some labels, a new one where nothing was counted under them."""
        cell = self._cells.get(values)
        if cell is None and self._many[values[0]] >= self.most:
            values = tuple([OTHER if fold else value for fold, value in zip(self._folds, values, strict=True)])
            cell = self._cells.get(values)
        if cell is None:
            cell = self._cells[values] = Cell(self.family.line(values))
            self._many[values[0]] += 1
        return cell

    def keep(self, upstreams: Collection[str]) -> None:
        """Forget what was counted of other upstreams."""
        self._cells = {values: cell for values, cell in self._cells.items() if values[0] in upstreams}
        self._many = Counter(values[0] for values in self._cells)

    def metric(self) -> Metric:
        """Return the family as it is now."""
        return Ready(self.family, self._rows)

    def _rows(self) -> Iterator[Row]:
        for cell in list(self._cells.values()):
            yield cell.line, cell.count


class Histogram:
    """How many durations fell into each bucket, and their sum in milliseconds."""

    __slots__ = ("_bounds_ms", "_lines", "counts", "sum_ms")

    def __init__(self, family: Family, bounds_s: tuple[float, ...], values: Labels = ()) -> None:
        """Start empty; `values` are those of its labels."""
        name, labels = family.name, family.labels
        bounds = (*map(str, bounds_s), _LAST)
        self._bounds_ms = tuple([round(bound_s * 1000, 3) for bound_s in bounds_s])
        self._lines = (
            *[Line(f"{name}_bucket", (*labels, _LE), (*values, bound)) for bound in bounds],
            Line(f"{name}_count", labels, values),
            Line(f"{name}_sum", labels, values),
        )
        self.counts = [0] * len(bounds)
        self.sum_ms = 0.0

    def observe(self, duration_ms: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(self._bounds_ms, duration_ms)] += 1
        self.sum_ms += duration_ms

    def rows(self) -> Iterator[Row]:
        """Return its samples, all of this moment."""
        counts = list(accumulate(self.counts))
        return zip(self._lines, [*counts, counts[-1], self.sum_ms / 1000], strict=True)


class Histograms:
    """A family of histograms by upstream: there is one of those alone that something was measured of."""

    def __init__(self, family: Family, bounds_s: tuple[float, ...] = BUCKETS_S) -> None:
        """Begin with none."""
        self.family = family
        self.lines = len(bounds_s) + 3
        self._bounds_s = bounds_s
        self._histograms: dict[str, Histogram] = {}

    def at(self, upstream: str) -> Histogram:
        """Return the histogram of an upstream."""
        found = self._histograms.get(upstream)
        if found is None:
            found = self._histograms[upstream] = Histogram(self.family, self._bounds_s, (upstream,))
        return found

    def keep(self, upstreams: Collection[str]) -> None:
        """Forget what was measured of other upstreams."""
        self._histograms = {name: one for name, one in self._histograms.items() if name in upstreams}

    def metric(self) -> Metric:
        """Return the family as it is now."""
        return Ready(self.family, self._rows)

    def _rows(self) -> Iterator[Row]:
        for histogram in list(self._histograms.values()):
            yield from histogram.rows()
