"""Prometheus metrics, as an observer of `Outcome`.

Counting is one look in a dictionary, which finds every cell that requests of this kind are counted in, and additions of
plain integers: prometheus-client's own `inc` costs as much as routing a request. The samples are made when somebody
scrapes. Label values come from closed sets alone: the names of the upstreams that are served, our own vocabulary, known
statuses, and the methods in `METHODS`; a path, a header or an upstream's text never becomes one. Beside that each
family tells only so many series of one upstream apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import UNSET
from prometheus_client.registry import Collector

from gateway.catalog import CODES
from gateway.edge.counters import Cell, Counters, Histogram, Histograms
from gateway.edge.series import Family, Told
from gateway.edge.words import CLIENT_CLOSED_REQUEST, OUTCOMES, WITHOUT_UPSTREAM, fault_of, status_label
from gateway.headers import SWITCHING_PROTOCOLS
from gateway.model import NONE, OTHER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.model import Outcome

METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))
USUAL_METHOD: Final = "GET"
"""The method under which each outcome is there from the start."""

OVERHEAD_BUCKETS_S: Final = (
    0.000_05,
    0.000_1,
    0.000_25,
    0.000_5,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    5.0,
)

KINDS_REMEMBERED: Final = 4_096
"""Kinds of requests whose cells are known by one look; they are forgotten together, and what they counted is not."""

MOST_SERIES: Final = 100
"""Series of one upstream that each family of counters tells apart; what comes then is counted as `other`."""

_UPSTREAM: Final = ("upstream",)

REQUESTS: Final = Family(
    "accord_requests",
    "counter",
    "Requests answered, or left by their client. outcome is one word a request, so that ratios add up; fault is who "
    "must act.",
    ("upstream", "method", "status", "outcome", "fault"),
)
ERRORS: Final = Family(
    "accord_errors",
    "counter",
    "Failures told to clients: who answered, who must act, and the code.",
    ("upstream", "origin", "fault", "category", "code"),
)
REPLIES: Final = Family(
    "accord_upstream_replies", "counter", "Replies of upstreams by the status they had.", ("upstream", "status")
)
REWRITES: Final = Family(
    "accord_status_rewrites",
    "counter",
    "Replies of which the client got another status than the upstream sent.",
    ("upstream", "upstream_status", "status"),
)
TRANSLATIONS: Final = Family(
    "accord_translations",
    "counter",
    "Replies of upstreams by what became of their bodies.",
    ("upstream", "dialect", "result"),
)
SHADOWED: Final = Family(
    "accord_shadow_replies",
    "counter",
    "Replies that passed in shadow mode, by what would have become of them.",
    ("upstream", "result", "outcome", "code"),
)
TRANSPORT: Final = Family(
    "accord_transport_failures",
    "counter",
    "Exchanges without a usable answer, by RFC 9209 error type.",
    ("upstream", "reason"),
)
REQUEST_BYTES: Final = Family(
    "accord_request_bytes", "counter", "Bytes of request bodies read from clients.", _UPSTREAM
)
RESPONSE_BYTES: Final = Family(
    "accord_response_bytes", "counter", "Bytes of response bodies sent to clients.", _UPSTREAM
)
DURATION: Final = Family(
    "accord_request_duration_seconds",
    "histogram",
    "From the request's head to the last byte of its answer handed to the socket.",
    _UPSTREAM,
)
UPSTREAM_DURATION: Final = Family(
    "accord_upstream_duration_seconds",
    "histogram",
    "From asking for a connection to the upstream to the last byte of its reply read.",
    _UPSTREAM,
)
OVERHEAD: Final = Family(
    "accord_overhead_duration_seconds",
    "histogram",
    "What the gateway added: the whole without the upstream, and without waiting for a client's body and for limits.",
    _UPSTREAM,
)
IN_FLIGHT: Final = Family("accord_in_flight_requests", "gauge", "Requests under way now.")
DROPPED: Final = Family(
    "accord_log_lines_dropped",
    "counter",
    "Log lines that were not written: nobody read them in time, or the output is gone.",
)


class Bound(NamedTuple):
    """Where requests of one kind are counted.

    `durations` and `overhead` are None for tunnels: how long one lived says nothing of how fast anybody was.
    `upstream_durations` are None for them too, and where none of the kind reached an upstream.
    """

    cells: tuple[Cell, ...]
    request_bytes: Cell
    response_bytes: Cell
    durations: Histogram | None
    overhead: Histogram | None
    upstream_durations: Histogram | None


class Tables:
    """What is counted by upstream."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.requests = Counters(REQUESTS, most=MOST_SERIES, folded=("method", "status"))
        self.errors = Counters(ERRORS, most=MOST_SERIES, folded=("category", "code"))
        self.replies = Counters(REPLIES, most=MOST_SERIES, folded=("status",))
        self.rewrites = Counters(REWRITES, most=MOST_SERIES, folded=("upstream_status", "status"))
        self.translations = Counters(TRANSLATIONS, most=MOST_SERIES, folded=("dialect",))
        self.shadowed = Counters(SHADOWED, most=MOST_SERIES, folded=("outcome", "code"))
        self.transport = Counters(TRANSPORT, most=MOST_SERIES)
        self.request_bytes = Counters(REQUEST_BYTES, most=1)
        self.response_bytes = Counters(RESPONSE_BYTES, most=1)
        self.durations = Histograms(DURATION)
        self.upstream_durations = Histograms(UPSTREAM_DURATION)
        self.overhead = Histograms(OVERHEAD, OVERHEAD_BUCKETS_S)

    def every(self) -> tuple[Counters | Histograms, ...]:
        """Return the families in their order."""
        return (
            *(self.requests, self.errors, self.replies, self.rewrites, self.translations, self.shadowed),
            *(self.transport, self.request_bytes, self.response_bytes),
            *(self.durations, self.upstream_durations, self.overhead),
        )


class Metrics(Collector):
    """Counts every request once.

    `in_flight` is asked for the number of requests under way, `dropped_lines` for that of log lines not written.
    """

    def __init__(
        self, registry: CollectorRegistry, in_flight: Callable[[], int], dropped_lines: Callable[[], int]
    ) -> None:
        """Register with `registry`, which is given so that tests have one each. Nothing is served yet."""
        self._tables = Tables()
        self._in_flight = Told(IN_FLIGHT, lambda: (((), in_flight()),))
        self._dropped = Told(DROPPED, lambda: (((), dropped_lines()),))
        self._served: frozenset[str] = frozenset()
        self._bound: dict[tuple[object, ...], Bound] = {}
        registry.register(self)

    @property
    def kinds(self) -> int:
        """How many kinds of requests are remembered."""
        return len(self._bound)

    # ---- which upstreams there are ---------------------------------------------------------------------------------

    def serve(self, upstreams: Iterable[str]) -> None:
        """Count for these upstreams from now on, each outcome from 0; those of before go on where they are among them.

        What was counted of others is told no more; requests to them that still end are counted under `other`.
        """
        before, self._served = self._served, frozenset(upstreams)
        if before and before == self._served:
            return
        self._bound.clear()
        kept = self._served | {NONE, OTHER}
        for family in self._tables.every():
            family.keep(kept)
        for name in sorted(self._served - before):
            self._begin(name, OUTCOMES)
        self._begin(NONE, WITHOUT_UPSTREAM)

    def _begin(self, upstream: str, outcomes: Iterable[str]) -> None:
        for outcome in outcomes:
            status, fault = OUTCOMES[outcome]
            self._tables.requests.at(upstream, USUAL_METHOD, status_label(status), outcome, fault)

    # ---- counting --------------------------------------------------------------------------------------------------

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
            outcome.upstream_status,
            outcome.upstream_ms is None,
            outcome.dialect,
            outcome.translation,
            outcome.reason,
        )
        bound = self._bound.get(kind)
        if bound is None:
            bound = self._bind(kind, outcome)
        cells, request_bytes, response_bytes, durations, overhead, upstream_durations = bound
        for cell in cells:
            cell.count += 1
        request_bytes.count += outcome.request_bytes
        response_bytes.count += outcome.response_bytes
        if durations is not None and overhead is not None:
            durations.observe(outcome.duration_ms)
            overhead.observe(outcome.overhead_ms)
        if upstream_durations is not None and outcome.upstream_ms is not None:
            upstream_durations.observe(outcome.upstream_ms)
        if outcome.would_status is not UNSET:
            self._count_shadowed(outcome)

    def _count_shadowed(self, outcome: Outcome) -> None:
        """Count what would have become of a reply."""
        would = (outcome.would_translation, outcome.would_outcome, outcome.would_code or NONE)
        self._tables.shadowed.at(self._label(outcome), *map(str, would)).count += 1

    def _bind(self, kind: tuple[object, ...], outcome: Outcome) -> Bound:
        """Find the cells of a kind of requests, for this one and for those to come."""
        if len(self._bound) >= KINDS_REMEMBERED:
            self._bound.clear()
        upstream = self._label(outcome)
        tunnel = outcome.status == SWITCHING_PROTOCOLS
        bound = self._bound[kind] = Bound(
            cells=tuple(self._cells(outcome, upstream)),
            request_bytes=self._tables.request_bytes.at(upstream),
            response_bytes=self._tables.response_bytes.at(upstream),
            durations=None if tunnel else self._tables.durations.at(upstream),
            overhead=None if tunnel else self._tables.overhead.at(upstream),
            upstream_durations=None
            if tunnel or outcome.upstream_ms is None
            else self._tables.upstream_durations.at(upstream),
        )
        return bound

    def _label(self, outcome: Outcome) -> str:
        """Return the label of a request's upstream."""
        if outcome.upstream is None:
            return NONE
        return outcome.upstream if outcome.upstream in self._served else OTHER

    def _cells(self, outcome: Outcome, upstream: str) -> Iterator[Cell]:
        """Find what one request is counted in."""
        method = outcome.method if outcome.method in METHODS else OTHER
        status, word = status_label(outcome.status), outcome.outcome
        yield self._tables.requests.at(upstream, method, status, word, fault_of(word, outcome.fault))
        if outcome.upstream_status is not None:
            came = status_label(outcome.upstream_status)
            yield self._tables.replies.at(upstream, came)
            yield self._tables.translations.at(upstream, outcome.dialect or NONE, outcome.translation.value)
            if outcome.status not in (outcome.upstream_status, CLIENT_CLOSED_REQUEST):
                yield self._tables.rewrites.at(upstream, came, status)
        if outcome.code is not None and outcome.origin is not None and outcome.fault is not None:
            category = CODES[outcome.code].category
            yield self._tables.errors.at(
                upstream, outcome.origin.value, outcome.fault.value, category.value, outcome.code
            )
        if outcome.reason is not None:
            yield self._tables.transport.at(upstream, outcome.reason)

    # ---- telling ---------------------------------------------------------------------------------------------------

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape; their samples are made when they are read, so that it can be in slices."""
        for family in (*self._tables.every(), self._in_flight, self._dropped):
            yield family.metric()
