"""What all dashboards have in common: their variables, the way from one to the other, marks for what changed.

The uids never change: links and bookmarks hold them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from grafana_foundation_sdk.builders import dashboard as has
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards.panels import SOURCE
from dashboards.queries import HERE, of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.panels import Panel

TAG: Final = "accord"
ALL: Final = ".+"
"""What "All" stands for: one pattern, however many there are, and those too that come later."""
ANY: Final = ".*"
"""What it stands for of labels that a target need not have."""
_CARRIED: Final = "&".join(
    [
        *(f"${{{name}:queryparam}}" for name in ("datasource", "cluster", "namespace", "job", "instance")),
        "${__url_time_range}",
    ]
)
TO_UPSTREAM: Final = f"/d/accord-upstream?var-upstream=${{__data.fields.Upstream}}&{_CARRIED}"
"""From a row of a table to its upstream, at the same time."""
TO_ERRORS: Final = f"/d/accord-errors?${{upstream:queryparam}}&{_CARRIED}"
"""From an upstream to all of its errors."""
TO_CODE: Final = "${gateway}/-/problems/${__data.fields.Code}"
"""What a code means: the gateway's own page of it."""


class Row(NamedTuple):
    """A part of a dashboard. Panels stand from left to right, and wrap where the widths of a line add up to 24."""

    title: str
    panels: Sequence[Panel]


def dashboard(name: str, title: str, about: str, rows: Sequence[Row], *variables: Variable) -> Dashboard:
    """Put a dashboard together; its uid is `accord-NAME`."""
    frame = has.Dashboard(title).uid(f"accord-{name}").description(about).tags([TAG]).time("now-1h", "now")
    frame = frame.refresh("30s").timezone("browser").tooltip(DashboardCursorSync.CROSSHAIR).link(_siblings())
    frame = frame.variables([_datasource(), *_HERE, *variables]).readonly()
    for row in rows:
        frame = frame.with_row(has.Row(row.title))
        for panel in row.panels:
            frame = frame.with_panel(panel)
    made = frame.build()
    made.annotations.list_val = _events()
    for number, placed in enumerate(made.panels or [], start=1):
        placed.id_val = number
    return made


class Event(AnnotationQuery):
    """A mark in every graph. With `moment` the query's value says when it was, in milliseconds of Unix time."""

    def __init__(self, name: str, expr: str, colour: str, *, moment: bool) -> None:
        super().__init__(name=name, expr=expr, icon_color=colour, datasource=SOURCE)
        self._moment = moment

    def to_json(self) -> dict[str, object]:
        """Add what Grafana reads and its schema leaves out."""
        said = {"titleFormat": self.name, "textFormat": "{{instance}}", "step": "15s", "useValueForTime": self._moment}
        return super().to_json() | said


def _events() -> list[AnnotationQuery]:
    loaded = of("accord_config_loaded_timestamp_seconds")
    refused = of("accord_config_reloads_total", 'result="failure"')
    return [
        Event("Configuration loaded", f"{loaded} * 1000", "purple", moment=True),
        Event("Configuration refused", f"changes({refused}[1m]) > 0", "red", moment=False),
    ]


def _siblings() -> has.DashboardLink:
    link = has.DashboardLink("Accord").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.include_vars(include_vars=True).keep_time(keep_time=True)


Variable = has.QueryVariable | has.TextBoxVariable | has.DatasourceVariable


def _datasource() -> has.DatasourceVariable:
    return has.DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def _labels(name: str, label: str, metric: str) -> has.QueryVariable:
    """Return a choice of values of a label of the same name."""
    choice = has.QueryVariable(name).label(label).datasource(SOURCE)
    asked: dict[str, object] = {"query": f"label_values({metric}, {name})", "refId": "Values"}
    return choice.query(asked).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.NATURAL_ASC)


def _several(choice: has.QueryVariable, everything: str = ALL) -> has.QueryVariable:
    """Let several be chosen, and all of them at first."""
    first = VariableOption(selected=True, text="All", value="$__all")
    return choice.multi(multi=True).include_all(include_all=True).all_value(everything).current(first)


_THERE: Final = 'cluster=~"$cluster", namespace=~"$namespace"'
_HERE: Final = (
    _several(_labels("cluster", "Cluster", "accord_build_info"), ANY),
    _several(_labels("namespace", "Namespace", 'accord_build_info{cluster=~"$cluster"}'), ANY),
    _several(_labels("job", "Job", f"accord_build_info{{{_THERE}}}")),
    _several(_labels("instance", "Instance", f'accord_build_info{{{_THERE}, job=~"$job"}}')),
)
_ASKED: Final = f"accord_requests_total{{{HERE}}}"
UPSTREAMS: Final = _several(_labels("upstream", "Upstream", _ASKED))
"""Which upstreams; `none` stands for requests that reached none."""
ONE_UPSTREAM: Final = _labels("upstream", "Upstream", f'accord_requests_total{{{HERE}, upstream!="none"}}')
GATEWAY: Final = has.TextBoxVariable("gateway").label("Gateway's address").default_value("http://localhost:8080")
"""Where clients reach it: its pages tell what a code means."""
