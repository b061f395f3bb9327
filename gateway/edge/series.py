"""Families of samples that are ready to be written: all of a line but its number is made once.

prometheus-client takes 10 to 16 µs for a sample, a line that is ready half of one. A family is told in both ways, as
`samples` to whoever collects and as lines to the page.

Invariants: both are made of the same rows, so that they cannot differ; rows are made while they are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client.core import Metric, Sample
from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Row = tuple["Line", float]

Labels = tuple[str, ...]

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
