"""Limits and budgets: which limit bites whom, who waits, whether the store decides, and what upstreams still grant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import looks
from dashboards.frame import TO_UPSTREAM, UPSTREAMS, Row
from dashboards.frame import dashboard as framed
from dashboards.panels import HALF, THIRD, Column, Query, graph, rows
from dashboards.queries import MOST, UPSTREAM, count, happened, mean, most, now, quantile, rate

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard

    from dashboards.panels import Panel

_ABOUT = "Which limit bites, who waits, whether the store of counts decides, and what upstreams still grant us."
_DECISIONS = "accord_limit_decisions_total"
_BY = "scope, policy"
_NAME = "{{scope}} {{policy}}"
_VERDICTS = {
    "admitted": looks.FINE,
    "refused": looks.GATEWAY,
    "spared": looks.NEUTRAL,
    "would_admit": "super-light-green",
    "would_refuse": "super-light-red",
}
_PLACES = {
    "remote": looks.FINE,
    "leased": "light-green",
    "denied": "super-light-green",
    "local": "yellow",
    "allowed": "orange",
    "refused": looks.GATEWAY,
}


def dashboard() -> Dashboard:
    """Return the dashboard."""
    parts = [
        Row("Which limit bites?", _bites()),
        Row("Who waits?", _waits()),
        Row("Does the store decide?", _store()),
        Row("What do upstreams still grant?", [_granted(), *_spent()]),
    ]
    return framed("limits", "Accord: limits and budgets", _ABOUT, parts, UPSTREAMS)


def _bites() -> list[Panel]:
    refused = 'verdict=~"refused|would_refuse"'
    return [
        rows(
            "Which limits refuse?",
            "Requests that a limit refused in the time you look at, and their share of all that it saw. The scope "
            "tells where the limit is written. `would_refuse`: it is in shadow mode, and only counts.",
            Column("Policy", label="policy"),
            Column("Scope", label="scope"),
            Column("Verdict", label="verdict"),
            Column("Times", happened(_DECISIONS, refused, by=f"{_BY}, verdict")),
            Column(
                "Of what it saw",
                f"{count(_DECISIONS, refused, by=f'{_BY}, verdict')}"
                f" / on ({_BY}) group_left () {count(_DECISIONS, by=_BY)} > 0",
                unit=looks.SHARE,
            ),
            sort="Times",
            width=HALF,
            empty="No limit refused anything",
        ),
        graph(
            "What do limits say?",
            "Decisions in a second by verdict; a request that meets three limits is counted by each. `spared`: it "
            "would have admitted what another refused, and did not charge it.",
            Query(rate(_DECISIONS, by="verdict"), "{{verdict}}"),
            unit=looks.PER_SECOND,
            colours=_VERDICTS,
            stacked=True,
            width=HALF,
        ),
        graph(
            "When does which limit refuse?",
            "Refused requests in a second, by limit.",
            Query(rate(_DECISIONS, 'verdict="refused"', by=_BY), _NAME),
            unit=looks.PER_SECOND,
            stacked=True,
            width=HALF,
        ),
        graph(
            "How many keys are counted?",
            "Clients, addresses and other keys whose counts are in the memory of an instance. They fall as they "
            "come to rest.",
            Query(now("sum", "accord_limit_keys", by="instance"), "{{instance}}"),
            unit=looks.NUMBER,
            width=HALF,
        ),
    ]


def _waits() -> list[Panel]:
    return [
        graph(
            "How many wait?",
            "Requests that wait for a limit now.",
            Query(now("sum", "accord_limit_waiting", by=_BY), _NAME),
            unit=looks.NUMBER,
            width=THIRD,
        ),
        graph(
            "How do waits end?",
            "Waits in a second that ended: `served`, `gave_up` (refused after all), `left` (the client went), `moved` "
            "(to another limit), and requests that were turned away at once, since there was no room or no hope.",
            Query(rate("accord_limit_waits_total", by="end"), "{{end}}"),
            Query(rate("accord_limit_turned_away_total"), "turned away"),
            unit=looks.PER_SECOND,
            colours={"served": looks.FINE, "gave_up": looks.GATEWAY, "turned away": "dark-red"},
            width=THIRD,
        ),
        graph(
            "How long do they wait?",
            "The average of those that are over.",
            Query(mean("accord_limit_wait_seconds_total", "accord_limit_waits_total", by=_BY), _NAME),
            unit=looks.SECONDS,
            width=THIRD,
        ),
    ]


def _store() -> list[Panel]:
    return [
        graph(
            "Where are decisions made?",
            "With `store: redis`, decisions in a second: by the store (`remote`), out of what it leased or refused "
            "before (`leased`, `denied`), by shares while it is away (`local`), or by `on_store_error` (`allowed`, "
            "`refused`). Limits are exact while all is green.",
            Query(rate("accord_limit_store_decisions_total", by="where"), "{{where}}"),
            unit=looks.PER_SECOND,
            colours=_PLACES,
            stacked=True,
            width=HALF,
        ),
        graph(
            "Why did the store not answer?",
            "Failures in a second by reason: of decisions, and of telling each other what upstreams still grant.",
            Query(rate("accord_limit_store_failures_total", by="reason"), "{{reason}}"),
            Query(rate("accord_budget_board_failures_total", by="reason"), "budgets: {{reason}}"),
            unit=looks.PER_SECOND,
            stacked=True,
            width=HALF,
        ),
        graph(
            "How fast is the store?",
            "So many of its calls were faster than this.",
            Query(quantile(0.5, "accord_limit_store_seconds"), "half"),
            Query(quantile(0.99, "accord_limit_store_seconds"), "99 of 100"),
            unit=looks.SECONDS,
            width=HALF,
        ),
        graph(
            "Who uses the store, and how many share it?",
            "Processes that let the store decide, and replicas that were last heard of.",
            Query(now("sum", "accord_limit_store_up"), "use it"),
            Query(now("max", "accord_limit_replicas"), "replicas"),
            unit=looks.NUMBER,
            width=HALF,
        ),
    ]


def _granted() -> Panel:
    return rows(
        "How much do upstreams still grant?",
        "Of the strictest budget that an upstream's replies tell of: what is left, what it has when full, and how "
        "long until it is full again. Paused: it asked for silence. Refused: how often it called a request one "
        "too many in the time you look at. No row: it tells nothing.",
        Column("Upstream", label="upstream", link=("Look at ${__value.text}", TO_UPSTREAM)),
        Column("Left", _known("min", "accord_budget_remaining")),
        Column("Full", _known("min", "accord_budget_limit")),
        Column("Full again in", _known("max", "accord_budget_reset_seconds"), unit=looks.SECONDS),
        Column(
            "Paused for",
            f"{now('max', 'accord_budget_paused_seconds', UPSTREAM, by='upstream')} > 0",
            unit=looks.SECONDS,
        ),
        Column("Refused", happened("accord_budget_refused_total", UPSTREAM, by="upstream")),
        sort="Refused",
        empty="No budget is known",
    )


def _spent() -> list[Panel]:
    return [
        graph(
            "How much is left of each budget?",
            f"What is left, as a share of what there is when it is full; of the {MOST} upstreams with the least.",
            Query(
                most(
                    f"{now('min', 'accord_budget_remaining', UPSTREAM, by='upstream')}"
                    f" / {now('min', 'accord_budget_limit', UPSTREAM, by='upstream')} > -Inf",
                    "bottomk",
                ),
                "{{upstream}}",
            ),
            unit=looks.SHARE,
            width=THIRD,
        ),
        graph(
            "How often did we keep silent?",
            "Requests in a second that were refused since what the upstream grants was used up.",
            Query(
                most(rate("accord_requests_total", UPSTREAM, 'outcome="upstream_budget"', by="upstream")),
                "{{upstream}}",
            ),
            unit=looks.PER_SECOND,
            width=THIRD,
        ),
        graph(
            "Which upstreams tell nonsense?",
            "Fields in a second that say what no budget can be, and were ignored.",
            Query(most(rate("accord_budget_absurd_total", UPSTREAM, by="upstream")), "{{upstream}}"),
            unit=looks.PER_SECOND,
            width=THIRD,
        ),
    ]


def _known(how: str, metric: str) -> str:
    """Return a gauge of each upstream that tells of it: it is NaN of the others."""
    return f"{now(how, metric, UPSTREAM, by='upstream')} > -Inf"
