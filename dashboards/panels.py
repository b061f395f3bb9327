"""The four kinds of panels: a graph, a number, a table, a timeline.

Each has a title that asks or names, and a text that says how to read it.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from grafana_foundation_sdk.builders import common as has
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards import looks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
"""The Prometheus that a reader chose: no dashboard knows the id of one."""
Panel = timeseries.Panel | stat.Panel | table.Panel | statetimeline.Panel
_Any = TypeVar("_Any", timeseries.Panel, stat.Panel, table.Panel, statetimeline.Panel)

WHOLE, HALF, THIRD, SIXTH = 24, 12, 8, 4
"""Widths: the grid has 24 columns."""
_STEPS: Final = 200
"""Points of a query that looks back from each of its points; also how finely it tells when something began."""


class Query(NamedTuple):
    """One query of a graph, and how its series are called: `{{label}}` stands for a label's value."""

    expr: str
    legend: str


class Column(NamedTuple):
    """A column of a table: a query's values, or a label of them (without a query).

    `link` is where a click on it leads: (what it says, the address).
    """

    title: str
    expr: str = ""
    label: str = ""
    unit: str = looks.NUMBER
    colours: Mapping[str, str] | None = None
    link: tuple[str, str] | None = None
    width: int | None = None


def graph(
    title: str,
    about: str,
    *queries: Query,
    unit: str,
    width: int = HALF,
    colours: Mapping[str, str] | None = None,
    stacked: bool = False,
) -> timeseries.Panel:
    """Draw series over time; `colours` are by the name of a series."""
    panel = _framed(timeseries.Panel(), title, about, width, 8).unit(unit).min(0).line_width(1)
    panel = panel.fill_opacity(50 if stacked else 8).show_points(common.VisibilityMode.NEVER)
    panel = panel.legend(_LEGEND).tooltip(_TOOLTIP).no_value("Nothing in this time")
    if stacked:
        panel = panel.stacking(has.StackingConfig().mode(common.StackingMode.NORMAL))
    for target in _targets(queries):
        panel = panel.with_target(target.range())
    for name, colour in (colours or {}).items():
        panel = panel.override_by_name(name, [_colour(colour)])
    return panel


def number(
    title: str,
    about: str,
    *queries: Query,
    unit: str,
    width: int = SIXTH,
    steps: Sequence[tuple[float, str]] = (),
    zero: str = looks.FINE,
) -> stat.Panel:
    """Show a number for each series as it is now: in the colour `zero`, and in another from each of `steps` on."""
    thresholds = [Threshold(value=None, color=zero), *[Threshold(value=at, color=colour) for at, colour in steps]]
    panel = _framed(stat.Panel(), title, about, width, 4).unit(unit)
    panel = panel.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(thresholds))
    panel = panel.color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
    panel = panel.reduce_options(has.ReduceDataOptions().calcs(["lastNotNull"]))
    panel = panel.graph_mode(common.BigValueGraphMode.AREA).mappings([_NOTHING])
    for target in _targets(queries):
        panel = panel.with_target(target.range())
    return panel


def rows(
    title: str, about: str, *columns: Column, sort: str, width: int = WHOLE, height: int = 8, empty: str = "-"
) -> table.Panel:
    """List what is so now or was in the time that is looked at; rows of all columns are joined by their labels."""
    panel = _framed(table.Panel(), title, about, width, height).no_value(empty).max_data_points(_STEPS)
    panel = panel.align(common.FieldTextAlignment.AUTO).inspect(inspect=False)
    panel = panel.sort_by([has.TableSortByFieldState().display_name(sort).desc(desc=True)])
    asked = [column for column in columns if column.expr]
    for target in _targets([Query(column.expr, "") for column in asked]):
        panel = panel.with_target(target.instant().format(PromQueryFormat.TABLE))
    panel = panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    panel = panel.with_transformation(DataTransformerConfig(id_val="organize", options=_organized(columns)))
    for column in columns:
        panel = panel.override_by_name(column.title, _dressed(column))
    return panel


def timeline(
    title: str, about: str, query: Query, states: Mapping[int, tuple[str, str]], *, height: int = 8
) -> statetimeline.Panel:
    """Draw a bar for each series, in the colour and with the text of its state at the time."""
    panel = _framed(statetimeline.Panel(), title, about, WHOLE, height).max_data_points(_STEPS)
    results = {str(value): ValueMappingResult(text=text, color=colour) for value, (text, colour) in states.items()}
    panel = panel.mappings([ValueMap(options=results)]).show_value(common.VisibilityMode.NEVER)
    panel = panel.color_scheme(FieldColor().mode(FieldColorModeId.FIXED)).row_height(0.8).legend(_LEGEND)
    panel = panel.line_width(0).fill_opacity(80)
    [target] = _targets([query])
    return panel.with_target(target.range())


def _framed(panel: _Any, title: str, about: str, width: int, height: int) -> _Any:
    return panel.title(title).description(about).datasource(SOURCE).span(width).height(height)


def _targets(queries: Sequence[Query]) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(chr(letter)).datasource(SOURCE)
        for letter, query in zip(count(ord("A")), queries, strict=False)
    ]


def _organized(columns: Sequence[Column]) -> dict[str, object]:
    """Name the columns and put them in order; what is not named is left out.

    A query's values are called `Value`, where there are several `Value #A`, `Value #B`.
    """
    asked = [column for column in columns if column.expr]
    fields = {column.title: f"Value #{chr(ord('A') + at)}" for at, column in enumerate(asked)}
    if len(asked) == 1:
        fields = {asked[0].title: "Value"}
    fields |= {column.title: column.label for column in columns if column.label}
    return {
        "includeByName": dict.fromkeys(fields.values(), True),
        "indexByName": {fields[column.title]: at for at, column in enumerate(columns)},
        "renameByName": {field: title for title, field in fields.items()},
    }


def _dressed(column: Column) -> list[DynamicConfigValue]:
    """Return how a column looks."""
    properties: list[DynamicConfigValue] = []
    if column.expr:
        properties.append(DynamicConfigValue(id_val="unit", value=column.unit))
    if column.expr and column.unit == looks.NUMBER:
        properties.append(DynamicConfigValue(id_val="decimals", value=0))
    if column.colours is not None:
        results = {name: ValueMappingResult(text=name, color=colour) for name, colour in column.colours.items()}
        properties.append(DynamicConfigValue(id_val="mappings", value=[ValueMap(options=results)]))
        cell: dict[str, Any] = {"type": common.TableCellDisplayMode.COLOR_TEXT}
        properties.append(DynamicConfigValue(id_val="custom.cellOptions", value=cell))
    if column.link is not None:
        title, url = column.link
        properties.append(DynamicConfigValue(id_val="links", value=[{"title": title, "url": url}]))
    if column.width is not None:
        properties.append(DynamicConfigValue(id_val="custom.width", value=column.width))
    return properties


def _colour(colour: str) -> DynamicConfigValue:
    return DynamicConfigValue(id_val="color", value={"mode": FieldColorModeId.FIXED, "fixedColor": colour})


_NOTHING: Final = SpecialValueMap(
    options=DashboardSpecialValueMapOptions(
        match=SpecialValueMatch.NULL_AND_NAN, result=ValueMappingResult(text="-", color=looks.NEUTRAL)
    )
)
"""A share of nothing is not a number: nobody asked."""
_LEGEND: Final = (
    has.VizLegendOptions()
    .display_mode(common.LegendDisplayMode.LIST)
    .placement(common.LegendPlacement.BOTTOM)
    .show_legend(show_legend=True)
    .calcs([])
)
_TOOLTIP: Final = (
    has.VizTooltipOptions()
    .mode(common.TooltipDisplayMode.MULTI)
    .sort(common.SortOrder.DESCENDING)
    .hide_zeros(hide_zeros=True)
)
