"""One upstream: what it sent, what clients got instead, how long it took, and why no answer came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import looks
from dashboards.frame import GATEWAY, ONE_UPSTREAM, TO_CODE, TO_ERRORS, Row
from dashboards.frame import dashboard as framed
from dashboards.outcomes import outcomes
from dashboards.panels import HALF, THIRD, Column, Query, graph, rows
from dashboards.queries import UPSTREAM, happened, now, quantile, rate

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard

    from dashboards.panels import Panel

_ABOUT = "One upstream: what it sent, what clients got instead, how long it took, and why no answer came."


def dashboard() -> Dashboard:
    """Return the dashboard."""
    parts = [
        Row("What came of requests?", _outcomes()),
        Row("Which errors?", [_codes()]),
        Row("How long did it take?", _durations()),
        Row("Could it be reached?", _reached()),
        Row("Were its replies understood?", _read()),
        Row("What does it grant us?", _granted()),
    ]
    return framed("upstream", "Accord: upstream", _ABOUT, parts, ONE_UPSTREAM, GATEWAY)


def _outcomes() -> list[Panel]:
    return [
        outcomes(),
        graph(
            "Which statuses did it send?",
            "Its own replies in a second, by the status that it truly sent.",
            Query(rate("accord_upstream_replies_total", UPSTREAM, by="status"), "{{status}}"),
            unit=looks.PER_SECOND,
            stacked=True,
            width=HALF,
        ),
        graph(
            "Which statuses did clients get?",
            "Answers in a second, by the status that clients got. 499: the client left before.",
            Query(rate("accord_requests_total", UPSTREAM, by="status"), "{{status}}"),
            unit=looks.PER_SECOND,
            stacked=True,
            width=HALF,
        ),
        rows(
            "Where do the two differ?",
            "Replies that were passed on with another status than they came with: an error under 200, say.",
            Column("It sent", label="upstream_status"),
            Column("Clients got", label="status"),
            Column("Times", happened("accord_status_rewrites_total", UPSTREAM, by="upstream_status, status")),
            sort="Times",
            width=HALF,
            empty="No status was changed",
        ),
    ]


def _codes() -> Panel:
    return rows(
        "Which errors did clients get?",
        "What clients were told in the time you look at. A click on a code tells what it means, one on a number leads "
        "to all errors of this upstream.",
        Column("Code", label="code", link=("What it means", TO_CODE)),
        Column("Whose fault", label="fault", colours=looks.FAULTS),
        Column("Who answered", label="origin"),
        Column(
            "Times",
            happened("accord_errors_total", UPSTREAM, by="code, fault, origin"),
            link=("When these were", TO_ERRORS),
        ),
        sort="Times",
        empty="No errors",
    )


def _durations() -> list[Panel]:
    def of(title: str, about: str, histogram: str) -> Panel:
        quantiles = [
            Query(quantile(share, f"accord_{histogram}_duration_seconds", UPSTREAM), name)
            for share, name in ((0.5, "half"), (0.95, "95 of 100"), (0.99, "99 of 100"))
        ]
        return graph(title, about, *quantiles, unit=looks.SECONDS, width=THIRD)

    return [
        of(
            "How long did clients wait?",
            "From a request's head to the last byte of its answer: so many were faster.",
            "request",
        ),
        of(
            "How long did it take itself?",
            "From asking for a connection to the last byte of its reply: so many were faster.",
            "upstream",
        ),
        of(
            "How much did the gateway add?",
            "The whole less the upstream's time, and less waits for the client's own body and for limits.",
            "overhead",
        ),
    ]


def _reached() -> list[Panel]:
    return [
        graph(
            "Why did no answer come?",
            "Exchanges in a second without a usable answer, by the reason (RFC 9209 names them).",
            Query(rate("accord_transport_failures_total", UPSTREAM, by="reason"), "{{reason}}"),
            unit=looks.PER_SECOND,
            stacked=True,
            width=HALF,
        ),
        graph(
            "How full is its pool?",
            "Connections that are open, those of them that rest, and requests that wait for one, of all instances.",
            Query(now("sum", "accord_pool_open_connections", UPSTREAM), "open"),
            Query(now("sum", "accord_pool_idle_connections", UPSTREAM), "idle"),
            Query(now("sum", "accord_pool_waiting_requests", UPSTREAM), "requests that wait"),
            unit=looks.NUMBER,
            colours={"requests that wait": looks.GATEWAY},
            width=HALF,
        ),
        graph(
            "How much went through?",
            "Bytes of bodies and of WebSockets in a second.",
            Query(rate("accord_request_bytes_total", UPSTREAM), "to it"),
            Query(rate("accord_response_bytes_total", UPSTREAM), "from it"),
            unit=looks.BYTES_PER_SECOND,
            width=HALF,
        ),
        graph(
            "How many WebSockets are open?",
            "Tunnels to this upstream, of all instances.",
            Query(now("sum", "accord_open_tunnels", UPSTREAM), "open"),
            unit=looks.NUMBER,
        ),
    ]


def _read() -> list[Panel]:
    return [
        graph(
            "By which dialect were replies read?",
            "Replies in a second by the dialect that read them and what became of them: `problem` an error, `unified` "
            "a success in our form, `passed` as it came. `generic` is the reader of last resort.",
            Query(rate("accord_translations_total", UPSTREAM, by="dialect, result"), "{{dialect}}: {{result}}"),
            unit=looks.PER_SECOND,
            stacked=True,
        ),
        graph(
            "Which errors did no dialect know?",
            "Errors in a second that only the last resort could read. `accord infer` drafts a rule for them.",
            Query(rate("accord_unknown_shapes_total", UPSTREAM), "a second"),
            unit=looks.PER_SECOND,
        ),
    ]


def _granted() -> list[Panel]:
    return [
        graph(
            "How much is left of its budget?",
            "Of the strictest budget that its replies tell of: what is left, and what there is when it is full. The "
            "least of all instances.",
            Query(now("min", "accord_budget_remaining", UPSTREAM), "left"),
            Query(now("min", "accord_budget_limit", UPSTREAM), "full"),
            unit=looks.NUMBER,
            colours={"left": looks.UPSTREAM, "full": looks.NEUTRAL},
        ),
        graph(
            "Did it call us one too many?",
            "Replies in a second by which it refused a request as one too many.",
            Query(rate("accord_budget_refused_total", UPSTREAM), "refused"),
            unit=looks.PER_SECOND,
            colours={"refused": looks.UPSTREAM},
        ),
    ]
