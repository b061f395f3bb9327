"""The overview: whether it is well, and if not: who fails, whose fault that is, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import looks
from dashboards.frame import TO_UPSTREAM, UPSTREAMS, Row
from dashboards.frame import dashboard as framed
from dashboards.outcomes import outcomes
from dashboards.panels import HALF, Column, Query, graph, number, rows, timeline
from dashboards.queries import (
    FAILED,
    FAILING,
    MOST,
    MOSTLY,
    NOT_FINE,
    SINCE,
    UPSTREAM,
    WORST,
    busiest,
    now,
    quantile,
    rate,
    share,
)

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard

    from dashboards.panels import Panel

_ABOUT = "Is it well? If not: who fails, whose fault is it, and since when? A click on an upstream shows it alone."


def dashboard() -> Dashboard:
    """Return the dashboard."""
    parts = [
        Row("Now", _now()),
        Row("Who fails?", [_who(), _when()]),
        Row("How much, how often wrong, how slow?", _red()),
    ]
    return framed("overview", "Accord: overview", _ABOUT, parts, UPSTREAMS)


def _now() -> list[Panel]:
    judged = 'fault!="client"'
    return [
        number(
            "Requests",
            "Requests answered in a second, all instances together.",
            Query(rate("accord_requests_total", UPSTREAM), "a second"),
            unit=looks.PER_SECOND,
        ),
        number(
            "Failed by upstreams",
            "The share of requests that an upstream failed: it gave an error of its own, or no usable answer. "
            "Requests that failed by their client's fault are left out.",
            Query(share('fault="upstream"', UPSTREAM, judged), "of requests"),
            unit=looks.SHARE,
            steps=[(0.001, "yellow"), (FAILING, looks.UPSTREAM)],
        ),
        number(
            "Failed by the gateway",
            "The share of requests that we failed: a fault of Accord, of its credentials, or of the store of limits. "
            "Requests that failed by their client's fault are left out.",
            Query(share('fault="gateway"', UPSTREAM, judged), "of requests"),
            unit=looks.SHARE,
            steps=[(0.0001, looks.GATEWAY)],
        ),
        number(
            "Refused for clients' faults",
            "The share of requests that their clients must mend: what they sent was wrong, or over a limit.",
            Query(share('fault="client"', UPSTREAM), "of requests"),
            unit=looks.SHARE,
            zero=looks.CLIENT,
        ),
        number(
            "Slowest in a hundred",
            "99 of 100 answers came faster than this. WebSockets are left out.",
            Query(quantile(0.99, "accord_request_duration_seconds", UPSTREAM), "p99"),
            unit=looks.SECONDS,
            zero=looks.NEUTRAL,
        ),
        number(
            "Instances",
            "How many instances of Accord Prometheus sees.",
            Query(now("count", "accord_build_info"), "instances"),
            unit=looks.NUMBER,
            zero=looks.NEUTRAL,
        ),
    ]


def _who() -> Panel:
    return rows(
        "Who fails, and since when?",
        f"A row for each upstream of which at least {FAILING:.0%} of the requests fail now, and each party whose fault "
        "that is: the upstream's own, the gateway's (its credential is refused, its code fails), or the clients'. "
        '"Since" is the last moment at which it was seen not to fail; the begin of the time you look at, where it '
        "failed all the while. `Mostly` is how most of the failed requests end. No row: nobody fails.",
        Column("Upstream", label="upstream", link=("Look at ${__value.text}", TO_UPSTREAM)),
        Column("Whose fault", label="fault", colours=looks.FAULTS),
        Column("Share failed", f"{FAILED} >= {FAILING}", unit=looks.SHARE),
        Column("Since", f"({SINCE}) * 1000", unit=looks.MOMENT),
        Column("Mostly", label="outcome"),
        Column("That a second", MOSTLY, unit=looks.PER_SECOND),
        sort="Share failed",
        empty="Nobody fails",
    )


def _when() -> Panel:
    states = {
        0: ("nobody", looks.FINE),
        1: ("clients", looks.CLIENT),
        2: ("upstream", looks.UPSTREAM),
        3: ("gateway", looks.GATEWAY),
    }
    return timeline(
        "When did whose fault begin?",
        f"A bar for each upstream, coloured while at least {FAILING:.0%} of its requests fail: blue by fault of "
        "clients, orange by its own, red by the gateway's. Of several parties the one furthest to the right counts. Of "
        f"more than {MOST} upstreams those are here that are worst.",
        Query(WORST, "{{upstream}}"),
        states,
    )


def _red() -> list[Panel]:
    return [
        graph(
            "How much is asked?",
            f"Requests in a second, of the {MOST} upstreams that are asked most. `none`: they reached no upstream.",
            Query(busiest("accord_requests_total", UPSTREAM), "{{upstream}}"),
            unit=looks.PER_SECOND,
            stacked=True,
        ),
        graph(
            "Whose faults?",
            "Failed requests in a second, by who must act.",
            Query(rate("accord_requests_total", UPSTREAM, NOT_FINE, by="fault"), "{{fault}}"),
            unit=looks.PER_SECOND,
            colours=looks.FAULTS,
            stacked=True,
        ),
        outcomes(),
        graph(
            "How slow, and whose time is it?",
            "95 of 100 requests took less than `whole`, upstreams answered as many within `upstream`, and the gateway "
            "itself added less than `gateway`. The three do not add up: each has slowest requests of its own.",
            Query(quantile(0.95, "accord_request_duration_seconds", UPSTREAM), "whole"),
            Query(quantile(0.95, "accord_upstream_duration_seconds", UPSTREAM), "upstream"),
            Query(quantile(0.95, "accord_overhead_duration_seconds", UPSTREAM), "gateway"),
            unit=looks.SECONDS,
            colours={"whole": looks.NEUTRAL, "upstream": looks.UPSTREAM, "gateway": looks.GATEWAY},
            width=HALF,
        ),
    ]
