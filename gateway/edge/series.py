"""Families of samples that are ready to be written: all of a line but its number is made once.

prometheus-client takes 10 to 16 µs for a sample, a line that is ready a tenth of a microsecond. A family is told in
both ways, as `samples` to whoever collects and as `lines` to the page, and both are made of the same rows, so that they
cannot differ.

Invariants: cells may be added and taken away while a family is read; the samples of one histogram are of one moment,
however slowly they are read.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING, Final

from prometheus_client.core import Metric, Sample
from prometheus_client.utils import floatToGoString

from gateway.model import OTHER

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    Row = tuple["Line", float]

Labels = tuple[str, ...]

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds of what is measured, unless others are given."""

_LE: Final = "le"
_LAST: Final = "+Inf"
_PLAIN: Final = 1_000_000
"""Numbers below it are written as Python writes them, the others as Go does."""


class Line:
    """One sample's name and labels, and the `text` that it is written by: all but its number, once it was written."""

    __slots__ = ("labels", "name", "text", "values")

    def __init__(self, name: str, labels: Labels, values: Labels) -> None:
        """Leave the writing to the first who needs it: a reload makes thousands of these, and a scrape is in slices."""
        self.name = name
        self.labels = labels
        self.values = values
        self.text = ""

    def write(self) -> str:
        """Write it: the labels are in alphabetical order, as prometheus-client has them."""
        given = sorted(zip(self.labels, self.values, strict=True))
        pairs = ",".join([f'{label}="{_escaped(value)}"' for label, value in given])
        self.text = f"{self.name}{{{pairs}}} " if pairs else f"{self.name} "
        return self.text

    def sample(self, value: float) -> Sample:
        """Return it as a sample."""
        return Sample(self.name, dict(zip(self.labels, self.values, strict=True)), value)


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def number(value: float) -> str:
    """Write a number as prometheus-client does, whose own way takes a microsecond."""
    if 0 <= value < _PLAIN:
        return repr(float(value))
    text: str = floatToGoString(value)  # type: ignore[no-untyped-call]
    return text


def written(rows: Iterable[Row]) -> str:
    """Write some rows."""
    return "".join(
        [
            f"{line.text or line.write()}{value}.0\n"
            if isinstance(value, int) and 0 <= value < _PLAIN
            else f"{line.text or line.write()}{number(value)}\n"
            for line, value in rows
        ]
    )


class Family:
    """What one metric is called (a counter without its `_total`), what it is about, its kind and its labels."""

    __slots__ = ("about", "kind", "labels", "name")

    def __init__(self, name: str, kind: str, about: str, labels: Labels = ()) -> None:
        """Keep what never changes of it."""
        self.name = name
        self.kind = kind
        self.about = about
        self.labels = labels

    @property
    def full_name(self) -> str:
        """The name that it is written and asked for by."""
        return f"{self.name}_total" if self.kind == "counter" else self.name

    @property
    def heading(self) -> str:
        """The lines above its samples."""
        name, about = self.full_name, self.about.replace("\\", r"\\").replace("\n", r"\n")
        return f"# HELP {name} {about}\n# TYPE {name} {self.kind}\n"

    def line(self, values: Labels) -> Line:
        """Return the line of a counter or a gauge."""
        return Line(self.full_name, self.labels, values)


class Samples(list[Sample]):
    """Samples that are made while they are read."""

    def __init__(self, make: Callable[[], Iterator[Sample]]) -> None:
        """Make them by `make`, each time."""
        super().__init__()
        self._make = make

    def __iter__(self) -> Iterator[Sample]:
        return self._make()


class Ready(Metric):
    """A family that can be written as it is: see `gateway.edge.exposition`."""

    def __init__(self, family: Family, rows: Callable[[], Iterator[Row]]) -> None:
        """Have `rows` make its samples, each time that somebody reads them."""
        super().__init__(family.name, family.about, family.kind)
        self.labels = family.labels
        self.samples = Samples(lambda: (line.sample(value) for line, value in rows()))
        self.heading = family.heading
        self.rows = rows


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


class Told:
    """A family whose samples are asked for at each scrape, under labels that stay the same from one to the next."""

    def __init__(self, family: Family, values: Callable[[], Iterable[tuple[Labels, float]]]) -> None:
        """Ask `values` for the labels' values of each sample, and its number. They must be different ones."""
        self.family = family
        self._values = values
        self._lines: dict[Labels, Line] = {}

    def metric(self) -> Metric:
        """Return the family as it is now."""
        return Ready(self.family, self._rows)

    def _rows(self) -> Iterator[Row]:
        known, self._lines = self._lines, {}
        for values, number in self._values():
            line = self._lines[values] = known.get(values) or self.family.line(values)
            yield line, number
