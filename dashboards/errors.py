"""The catalogue of errors: which codes clients get, of which upstream, and who must act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import looks
from dashboards.frame import GATEWAY, TO_CODE, TO_UPSTREAM, UPSTREAMS, Row
from dashboards.frame import dashboard as framed
from dashboards.panels import HALF, THIRD, Column, Query, graph, rows
from dashboards.queries import NOT_FINE, UPSTREAM, happened, most, now, rate

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard

    from dashboards.panels import Panel

_ABOUT = "Which errors clients get: their codes, of which upstream, and who must act. A click on a code explains it."
_ERRORS = "accord_errors_total"


def dashboard() -> Dashboard:
    """Return the dashboard."""
    parts = [Row("Which errors?", [_catalogue()]), Row("When?", _when()), Row("What is not known yet?", _unknown())]
    return framed("errors", "Accord: errors", _ABOUT, parts, UPSTREAMS, GATEWAY)


def _catalogue() -> Panel:
    return rows(
        "Which codes, of which upstream?",
        "What clients were told in the time you look at, and answers that were cut. Upstream `none`: no upstream was "
        "reached. Who answered: the upstream itself, nobody (`transport`: no usable answer came), or the gateway.",
        Column("Code", label="code", link=("What ${__value.text} means", TO_CODE)),
        Column("Category", label="category"),
        Column("Whose fault", label="fault", colours=looks.FAULTS),
        Column("Who answered", label="origin"),
        Column("Upstream", label="upstream", link=("Look at ${__value.text}", TO_UPSTREAM)),
        Column("Times", happened(_ERRORS, UPSTREAM, by="code, category, fault, origin, upstream")),
        sort="Times",
        height=12,
        empty="No errors",
    )


def _when() -> list[Panel]:
    return [
        graph(
            "Who must act?",
            "Errors in a second by whose fault they are.",
            Query(rate(_ERRORS, UPSTREAM, by="fault"), "{{fault}}"),
            unit=looks.PER_SECOND,
            colours=looks.FAULTS,
            stacked=True,
            width=THIRD,
        ),
        graph(
            "Who answered?",
            "Errors in a second by where they come from: the upstream's own, `transport` (no usable answer came from "
            "it), or the gateway's.",
            Query(rate(_ERRORS, UPSTREAM, by="origin"), "{{origin}}"),
            unit=looks.PER_SECOND,
            colours={"transport": "yellow"} | looks.FAULTS,
            stacked=True,
            width=THIRD,
        ),
        graph(
            "Of which category?",
            "Errors in a second by category, which is coarser than the code.",
            Query(rate(_ERRORS, UPSTREAM, by="category"), "{{category}}"),
            unit=looks.PER_SECOND,
            stacked=True,
            width=THIRD,
        ),
        graph(
            "Which ten codes are most frequent?",
            "Errors in a second by code.",
            Query(f"topk(10, {rate(_ERRORS, UPSTREAM, by='code')})", "{{code}}"),
            unit=looks.PER_SECOND,
            width=HALF,
        ),
        graph(
            "Which statuses do clients get?",
            "Failed requests in a second by the status that clients got. 499: the client left before.",
            Query(rate("accord_requests_total", UPSTREAM, NOT_FINE, by="status"), "{{status}}"),
            unit=looks.PER_SECOND,
            stacked=True,
            width=HALF,
        ),
    ]


def _unknown() -> list[Panel]:
    return [
        graph(
            "Which errors did no dialect know?",
            "Errors in a second that only the last resort could read, by upstream. `accord infer` drafts rules for "
            "them.",
            Query(most(rate("accord_unknown_shapes_total", UPSTREAM, by="upstream")), "{{upstream}}"),
            unit=looks.PER_SECOND,
            width=THIRD,
        ),
        graph(
            "How many shapes have they?",
            "Different shapes of such replies that an instance remembers, at most 32 for each upstream.",
            Query(most(now("max", "accord_unknown_shapes_kept", UPSTREAM, by="upstream")), "{{upstream}}"),
            unit=looks.NUMBER,
            width=THIRD,
        ),
        graph(
            "What would shadow mode change?",
            "Replies in a second of upstreams in shadow mode, by what would have become of them. Empty where none is.",
            Query(rate("accord_shadow_replies_total", UPSTREAM, by="upstream, outcome"), "{{upstream}}: {{outcome}}"),
            unit=looks.PER_SECOND,
            width=THIRD,
        ),
    ]
