"""Prometheus metrics, as an observer of `Outcome`.

Counting is one look in a dictionary, which finds every cell that requests of this kind are counted in, and additions of
plain integers: prometheus-client's own `inc` costs as much as routing a request. The samples are made when somebody
scrapes. Label values come from closed sets alone: configured names, our own vocabulary,
HTTP statuses, and the methods in `METHODS`; a path, a header or an upstream's text never becomes one.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from msgspec import UNSET
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, Sample
from prometheus_client.registry import Collector

from gateway.catalog import CODES
from gateway.headers import SWITCHING_PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.registry import CollectorRegistry

    from gateway.model import Outcome

METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))
OTHER: Final = "other"
NONE: Final = "none"
"""The label of a request that reached no upstream."""

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_BOUNDS_MS: Final = tuple(round(bound_s * 1000, 3) for bound_s in BUCKETS_S)
_BOUNDS: Final = (*map(str, BUCKETS_S), "+Inf")

KINDS_REMEMBERED: Final = 4_096
"""Kinds of requests whose cells are known by one look; they are forgotten together, and what they counted is not."""

Labels = tuple[str, ...]
_T = TypeVar("_T")


class Cell:
    """One count."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        """Start at nothing."""
        self.count = 0


class Histogram:
    """Durations of one upstream: how many fell into each bucket, and their sum in milliseconds."""

    __slots__ = ("counts", "sum_ms")

    def __init__(self) -> None:
        """Start empty."""
        self.counts = [0] * len(_BOUNDS)
        self.sum_ms = 0.0

    def observe(self, duration_ms: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(_BOUNDS_MS, duration_ms)] += 1
        self.sum_ms += duration_ms

    def cumulated(self) -> list[tuple[str, float]]:
        """Return (upper bound in seconds, how many were not longer), the last bound being +Inf."""
        return list(zip(_BOUNDS, accumulate(self.counts), strict=True))


class Bound(NamedTuple):
    """Where requests of one kind are counted.

    `durations` are None for tunnels: how long one lived says nothing of how fast anybody was. `upstream_durations` are
    None for them too, and where none of the kind reached an upstream.
    """

    cells: tuple[Cell, ...]
    request_bytes: Cell
    response_bytes: Cell
    durations: Histogram | None
    upstream_durations: Histogram | None


class Metrics(Collector):
    """Counts every request once.

    `in_flight` is asked for the number of requests under way, `dropped_lines` for that of log lines not written.
    """

    def __init__(
        self, registry: CollectorRegistry, in_flight: Callable[[], int], dropped_lines: Callable[[], int]
    ) -> None:
        """Register with `registry`, which is given so that tests have one each."""
        self._in_flight = in_flight
        self._dropped_lines = dropped_lines
        self._requests: dict[Labels, Cell] = {}
        self._errors: dict[Labels, Cell] = {}
        self._translations: dict[Labels, Cell] = {}
        self._shadowed: dict[Labels, Cell] = {}
        self._transport: dict[Labels, Cell] = {}
        self._request_bytes: dict[Labels, Cell] = {}
        self._response_bytes: dict[Labels, Cell] = {}
        self._durations: dict[Labels, Histogram] = {}
        self._upstream_durations: dict[Labels, Histogram] = {}
        self._bound: dict[tuple[object, ...], Bound] = {}
        registry.register(self)

    @property
    def kinds(self) -> int:
        """How many kinds of requests are remembered."""
        return len(self._bound)

    def observe(self, outcome: Outcome) -> None:
        """Count one request."""
        kind = (
            outcome.upstream,
            outcome.method,
            outcome.status,
            outcome.outcome,
            outcome.code,
            outcome.origin,
            outcome.fault,
            outcome.upstream_status is None,
            outcome.upstream_ms is None,
            outcome.dialect,
            outcome.translation,
            outcome.reason,
        )
        bound = self._bound.get(kind)
        if bound is None:
            bound = self._bind(kind, outcome)
        cells, request_bytes, response_bytes, durations, upstream_durations = bound
        for cell in cells:
            cell.count += 1
        request_bytes.count += outcome.request_bytes
        response_bytes.count += outcome.response_bytes
        if durations is not None:
            durations.observe(outcome.duration_ms)
        if upstream_durations is not None and outcome.upstream_ms is not None:
            upstream_durations.observe(outcome.upstream_ms)
        if outcome.would_status is not UNSET:
            self._count_shadowed(outcome)

    def _count_shadowed(self, outcome: Outcome) -> None:
        """Count what would have become of a reply."""
        would = (outcome.would_translation, outcome.would_outcome, outcome.would_code or NONE)
        _at(self._shadowed, (outcome.upstream or NONE, *map(str, would)), Cell).count += 1

    def _bind(self, kind: tuple[object, ...], outcome: Outcome) -> Bound:
        """Find the cells of a kind of requests, for this one and for those to come."""
        if len(self._bound) >= KINDS_REMEMBERED:
            self._bound.clear()
        upstream = (outcome.upstream or NONE,)
        tunnel = outcome.status == SWITCHING_PROTOCOLS
        bound = self._bound[kind] = Bound(
            cells=tuple(self._cells(outcome)),
            request_bytes=_at(self._request_bytes, upstream, Cell),
            response_bytes=_at(self._response_bytes, upstream, Cell),
            durations=None if tunnel else _at(self._durations, upstream, Histogram),
            upstream_durations=(
                None if tunnel or outcome.upstream_ms is None else _at(self._upstream_durations, upstream, Histogram)
            ),
        )
        return bound

    def _cells(self, outcome: Outcome) -> Iterator[Cell]:
        """Find what one request is counted in."""
        upstream = outcome.upstream or NONE
        method = outcome.method if outcome.method in METHODS else OTHER
        yield _at(self._requests, (upstream, method, str(outcome.status), outcome.outcome), Cell)
        if outcome.upstream_status is not None:
            yield _at(self._translations, (upstream, outcome.dialect or NONE, outcome.translation), Cell)
        if outcome.code is not None and outcome.origin is not None and outcome.fault is not None:
            category = CODES[outcome.code].category
            yield _at(self._errors, (outcome.origin, outcome.fault, category, outcome.code), Cell)
        if outcome.reason is not None:
            yield _at(self._transport, (upstream, outcome.reason), Cell)

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape; their samples are made when they are read, so that it can be in slices."""
        yield _counter("accord_requests", _REQUESTS, ("upstream", "method", "status", "outcome"), self._requests)
        yield _counter("accord_errors", _ERRORS, ("origin", "fault", "category", "code"), self._errors)
        yield _counter("accord_translations", _TRANSLATIONS, ("upstream", "dialect", "result"), self._translations)
        yield _counter("accord_shadow_replies", _SHADOWED, ("upstream", "result", "outcome", "code"), self._shadowed)
        yield _counter("accord_transport_failures", _TRANSPORT, ("upstream", "reason"), self._transport)
        yield _counter("accord_request_bytes", _REQUEST_BYTES, ("upstream",), self._request_bytes)
        yield _counter("accord_response_bytes", _RESPONSE_BYTES, ("upstream",), self._response_bytes)
        yield _histogram("accord_request_duration_seconds", _DURATION, self._durations)
        yield _histogram("accord_upstream_duration_seconds", _UPSTREAM_DURATION, self._upstream_durations)
        yield GaugeMetricFamily("accord_in_flight_requests", _IN_FLIGHT, value=self._in_flight())
        yield CounterMetricFamily("accord_log_lines_dropped", _LOG_LINES_DROPPED, value=self._dropped_lines())


_REQUESTS: Final = "Requests answered, or left by their client. outcome is one word a request, so that ratios add up."
_ERRORS: Final = "Failures told to clients: who answered, who must act, and the code."
_TRANSLATIONS: Final = "Replies of upstreams by what became of their bodies."
_SHADOWED: Final = "Replies that passed in shadow mode, by what would have become of them."
_TRANSPORT: Final = "Exchanges without a usable answer, by RFC 9209 error type."
_REQUEST_BYTES: Final = "Bytes of request bodies read from clients."
_RESPONSE_BYTES: Final = "Bytes of response bodies sent to clients."
_DURATION: Final = "From the request's head to the last byte of its answer handed to the socket."
_UPSTREAM_DURATION: Final = "From the first byte sent to the upstream to the last byte of its reply read."
_IN_FLIGHT: Final = "Requests under way now."
_LOG_LINES_DROPPED: Final = "Log lines that were not written: nobody read them in time, or the output is gone."


def _at(table: dict[Labels, _T], labels: Labels, make: Callable[[], _T]) -> _T:
    """Return what is counted under some labels, from nothing on."""
    found = table.get(labels)
    if found is None:
        found = table[labels] = make()
    return found


class Samples(list[Sample]):
    """Samples that are made while they are read."""

    def __init__(self, make: Callable[[], Iterator[Sample]]) -> None:
        """Make them by `make`, each time."""
        super().__init__()
        self._make = make

    def __iter__(self) -> Iterator[Sample]:
        return self._make()


def _counter(name: str, about: str, labels: Labels, cells: dict[Labels, Cell]) -> Metric:
    """Return a family of counters. Cells may be added while it is read."""

    def samples() -> Iterator[Sample]:
        for values, cell in list(cells.items()):
            yield Sample(f"{name}_total", dict(zip(labels, values, strict=True)), cell.count)

    family = Metric(name, about, "counter")
    family.samples = Samples(samples)
    return family


def _histogram(name: str, about: str, histograms: dict[Labels, Histogram]) -> Metric:
    """Return a family of histograms by upstream; each is of one moment, however slowly they are read."""

    def samples() -> Iterator[Sample]:
        for (upstream,), histogram in list(histograms.items()):
            sum_s, counts = histogram.sum_ms / 1000, histogram.cumulated()
            for bound, count in counts:
                yield Sample(f"{name}_bucket", {"upstream": upstream, "le": bound}, count)
            yield Sample(f"{name}_count", {"upstream": upstream}, counts[-1][1])
            yield Sample(f"{name}_sum", {"upstream": upstream}, sum_s)

    family = Metric(name, about, "histogram")
    family.samples = Samples(samples)
    return family
