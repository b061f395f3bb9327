"""Prometheus metrics, as an observer of `Outcome`.

Counting is a dictionary entry and an addition: prometheus-client's own `inc` costs as much as routing a request. The
samples are made when somebody scrapes. Label values come from closed sets alone: configured names, our own vocabulary,
HTTP statuses, and the methods in `METHODS`; a path, a header or an upstream's text never becomes one.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from gateway.headers import SWITCHING_PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.model import Outcome

METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))
OTHER: Final = "other"
NONE: Final = "none"
"""The label of a request that reached no upstream."""

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

Labels = tuple[str, ...]


class Histogram:
    """Durations of one upstream: how many fell into each bucket, and their sum in seconds."""

    __slots__ = ("counts", "sum_s")

    def __init__(self) -> None:
        """Start empty."""
        self.counts = [0] * (len(BUCKETS_S) + 1)
        self.sum_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(BUCKETS_S, seconds)] += 1
        self.sum_s += seconds

    def cumulated(self) -> list[tuple[str, float]]:
        """Return (upper bound, how many were not longer), the last bound being +Inf."""
        pairs: list[tuple[str, float]] = []
        total = 0
        for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), self.counts, strict=True):
            total += count
            pairs.append((bound, total))
        return pairs


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
        self._requests: dict[tuple[str, str, int, str], int] = {}
        self._errors: dict[Labels, int] = {}
        self._translations: dict[Labels, int] = {}
        self._transport: dict[Labels, int] = {}
        self._request_bytes: dict[str, int] = {}
        self._response_bytes: dict[str, int] = {}
        self._durations: dict[str, Histogram] = {}
        self._upstream_durations: dict[str, Histogram] = {}
        registry.register(self)

    def observe(self, outcome: Outcome) -> None:
        """Count one request."""
        upstream = outcome.upstream or NONE
        method = outcome.method if outcome.method in METHODS else OTHER
        _add(self._requests, (upstream, method, outcome.status, outcome.outcome))
        _add(self._request_bytes, upstream, outcome.request_bytes)
        _add(self._response_bytes, upstream, outcome.response_bytes)
        if outcome.status != SWITCHING_PROTOCOLS:  # how long a tunnel lived says nothing of how fast anybody was
            _time(self._durations, upstream, outcome.duration_s)
            if outcome.upstream_s is not None:
                _time(self._upstream_durations, upstream, outcome.upstream_s)
        if outcome.upstream_status is not None:
            _add(self._translations, (upstream, outcome.dialect or NONE, outcome.translation))
        if outcome.code is not None and outcome.source is not None:
            code, source = outcome.code, outcome.source
            _add(self._errors, (source.origin, source.fault, code.category, code.name))
        if outcome.reason is not None:
            _add(self._transport, (upstream, outcome.reason))

    def collect(self) -> Iterator[Metric]:
        """Make the samples of one scrape. Safe in another thread: each table is copied before it is walked."""
        requests: dict[Labels, int] = {
            (upstream, method, str(status), outcome): count
            for (upstream, method, status, outcome), count in list(self._requests.items())
        }
        yield _counter("accord_requests", _REQUESTS, ("upstream", "method", "status", "outcome"), requests)
        yield _counter("accord_errors", _ERRORS, ("origin", "fault", "category", "code"), self._errors)
        yield _counter("accord_translations", _TRANSLATIONS, ("upstream", "dialect", "result"), self._translations)
        yield _counter("accord_transport_failures", _TRANSPORT, ("upstream", "reason"), self._transport)
        yield _counter("accord_request_bytes", _REQUEST_BYTES, ("upstream",), _labelled(self._request_bytes))
        yield _counter("accord_response_bytes", _RESPONSE_BYTES, ("upstream",), _labelled(self._response_bytes))
        yield _histogram("accord_request_duration_seconds", _DURATION, self._durations)
        yield _histogram("accord_upstream_duration_seconds", _UPSTREAM_DURATION, self._upstream_durations)
        yield GaugeMetricFamily("accord_in_flight_requests", _IN_FLIGHT, value=self._in_flight())
        yield CounterMetricFamily("accord_log_lines_dropped", _LOG_LINES_DROPPED, value=self._dropped_lines())


_REQUESTS: Final = "Requests answered, or left by their client. outcome is one word a request, so that ratios add up."
_ERRORS: Final = "Failures told to clients: who answered, who must act, and the code."
_TRANSLATIONS: Final = "Replies of upstreams by what became of their bodies."
_TRANSPORT: Final = "Exchanges without a usable answer, by RFC 9209 error type."
_REQUEST_BYTES: Final = "Bytes of request bodies read from clients."
_RESPONSE_BYTES: Final = "Bytes of response bodies sent to clients."
_DURATION: Final = "From the request's head to the last byte of its answer handed to the socket."
_UPSTREAM_DURATION: Final = "From the first byte sent to the upstream to the last byte of its reply read."
_IN_FLIGHT: Final = "Requests under way now."
_LOG_LINES_DROPPED: Final = "Log lines that were not written: nobody read them in time, or the output is gone."


_K = TypeVar("_K")


def _add(cells: dict[_K, int], key: _K, amount: int = 1) -> None:
    cells[key] = cells.get(key, 0) + amount


def _time(cells: dict[str, Histogram], upstream: str, seconds: float) -> None:
    histogram = cells.get(upstream)
    if histogram is None:
        histogram = cells[upstream] = Histogram()
    histogram.observe(seconds)


def _labelled(cells: dict[str, int]) -> dict[Labels, int]:
    return {(label,): count for label, count in list(cells.items())}


def _counter(name: str, about: str, labels: Labels, cells: dict[Labels, int]) -> Metric:
    family = CounterMetricFamily(name, about, labels=labels)
    for values, count in sorted(cells.items()):
        family.add_metric(values, count)
    return family


def _histogram(name: str, about: str, cells: dict[str, Histogram]) -> Metric:
    family = HistogramMetricFamily(name, about, labels=("upstream",))
    for upstream, histogram in sorted(cells.items()):
        family.add_metric((upstream,), histogram.cumulated(), histogram.sum_s)
    return family
