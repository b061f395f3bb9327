"""The processes themselves: which version and configuration runs where, and whether it has enough of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import looks
from dashboards.frame import Row
from dashboards.frame import dashboard as framed
from dashboards.panels import HALF, THIRD, Column, Query, graph, number, rows
from dashboards.queries import count, now, of, quantile, rate

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard

    from dashboards.panels import Panel

_ABOUT = "The processes themselves: which version and configuration runs where, and whether it has what it needs."
_RELOADS = "accord_config_reloads_total"
_EACH = "instance, process"
_NAME = "{{instance}} {{process}}"


def dashboard() -> Dashboard:
    """Return the dashboard."""
    parts = [
        Row("What runs?", [_instances(), *_configuration()]),
        Row("Has it enough?", _machine()),
        Row("Several processes", _processes()),
    ]
    return framed("runtime", "Accord: runtime", _ABOUT, parts)


def _instances() -> Panel:
    return rows(
        "Which version and configuration runs where?",
        "A row for each instance. Where hashes differ, instances run different configurations.",
        Column("Instance", label="instance"),
        Column("Version", label="version"),
        Column("Python", label="python"),
        Column("Compiled", label="compiled"),
        Column("Configuration", label="hash"),
        Column("Loaded", _loaded(), unit=looks.AGO),
        Column("Started", f"1000 * min by (instance) ({of('process_start_time_seconds')})", unit=looks.AGO),
        sort="Instance",
    )


def _loaded() -> str:
    """Return when each instance loaded its configuration, in milliseconds, with what is known of the instance."""
    known = {"accord_build_info": "version, python, compiled", "accord_config_info": "hash"}
    # One row of an instance, also where two of one address are not alike: two would be no answer but an error.
    joined = "".join(
        f" * on (instance) group_left ({labels}) topk by (instance) (1, max by (instance, {labels}) ({of(info)}))"
        for info, labels in known.items()
    )
    return f"1000 * max by (instance) ({of('accord_config_loaded_timestamp_seconds')}){joined}"


def _configuration() -> list[Panel]:
    return [
        number(
            "Last reload refused",
            "Instances whose last reload was refused: they go on with the configuration that they had. Their log says "
            "what is wrong.",
            Query(f"sum(1 - {of('accord_config_last_reload_successful')})", "instances"),
            unit=looks.NUMBER,
            width=THIRD,
            steps=[(1, looks.GATEWAY)],
        ),
        number(
            "Different configurations",
            "How many configurations run side by side. More than one for longer than a rollout means that an instance "
            "was left behind.",
            Query(f"count(count by (hash) ({of('accord_config_info')}))", "configurations"),
            unit=looks.NUMBER,
            width=THIRD,
            steps=[(2, "yellow")],
        ),
        number(
            "Log lines lost",
            "Lines in the time you look at that nobody read in time, so that they were dropped.",
            Query(count("accord_log_lines_dropped_total"), "lines"),
            unit=looks.NUMBER,
            width=THIRD,
            steps=[(1, looks.GATEWAY)],
        ),
        graph(
            "When was it reloaded?",
            "Reloads that took, and such that were refused, in each stretch of the graph.",
            Query(f"sum by (result) (increase({of(_RELOADS)}[$__rate_interval]))", "{{result}}"),
            unit=looks.NUMBER,
            colours={"success": looks.FINE, "failure": looks.GATEWAY},
            width=HALF,
        ),
        graph(
            "How many requests are under way?",
            "Each open WebSocket is one of them.",
            Query(now("sum", "accord_in_flight_requests", by="instance"), "{{instance}}"),
            unit=looks.NUMBER,
            width=HALF,
        ),
    ]


def _machine() -> list[Panel]:
    lag = "accord_event_loop_lag_seconds"
    return [
        graph(
            "Is the loop late?",
            "How late 99 of 100 timers were at most. Everything that an instance does waits for its loop: over 50 ms "
            "it has too much to do.",
            Query(quantile(0.99, lag, by="instance"), "{{instance}}"),
            unit=looks.SECONDS,
            width=HALF,
        ),
        graph(
            "How much processor?",
            "Processor seconds in a second: 1 is one core. One process cannot use more than one.",
            Query(rate("process_cpu_seconds_total", by="instance"), "{{instance}}"),
            unit=looks.NUMBER,
            width=HALF,
        ),
        graph(
            "How much memory?",
            "Resident memory of each process.",
            Query(now("max", "process_resident_memory_bytes", by=_EACH), _NAME),
            unit=looks.BYTES,
            width=THIRD,
        ),
        graph(
            "How many files are open?",
            "As a share of what each process may open; sockets are files.",
            Query(f"{now('max', 'process_open_fds', by=_EACH)} / {now('max', 'process_max_fds', by=_EACH)}", _NAME),
            unit=looks.SHARE,
            width=THIRD,
        ),
        graph(
            "How often is garbage collected?",
            "Collections in a second by generation; 2 is the slow one.",
            Query(rate("python_gc_collections_total", by="generation"), "generation {{generation}}"),
            unit=looks.NUMBER,
            width=THIRD,
        ),
    ]


def _processes() -> list[Panel]:
    return [
        graph(
            "What do the processes do?",
            "With several processes in an instance: how many are starting, ready, draining, or waiting for the next "
            "start. Empty with one process.",
            Query(now("sum", "accord_supervisor_children", by="state"), "{{state}}"),
            unit=looks.NUMBER,
            colours={"ready": looks.FINE, "starting": looks.CLIENT, "draining": "yellow", "waiting": looks.GATEWAY},
            stacked=True,
            width=HALF,
        ),
        graph(
            "Did processes die?",
            "Processes that were started in the place of one that ended, and questions that one did not answer in "
            "time, in each stretch of the graph. Empty with one process.",
            Query(f"sum(increase({of('accord_supervisor_restarts_total')}[$__rate_interval]))", "started anew"),
            Query(f"sum(increase({of('accord_supervisor_scrape_failures_total')}[$__rate_interval]))", "not answered"),
            unit=looks.NUMBER,
            colours={"started anew": looks.GATEWAY, "not answered": looks.UPSTREAM},
            width=HALF,
        ),
    ]
