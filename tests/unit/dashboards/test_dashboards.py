"""The dashboards as files: what is committed is what the code writes, and Grafana can draw all of it."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.__main__ import texts

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "helm/accord/files/dashboards"
MADE = texts()
GIVEN = {"__range", "__range_s", "__interval", "__rate_interval", "__url_time_range", "__value", "__data", "__all"}
"""Variables that Grafana has by itself."""
REFERENCE = re.compile(r"\$(?:\{(\w+)[^}]*\}|(\w+))")


@pytest.fixture(params=MADE)
def board(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401 - JSON
    """Return each dashboard."""
    return json.loads(MADE[request.param])


def panels(board: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """Return its panels without its rows."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield every text in a piece of JSON."""
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from strings(one)
        case list():
            for one in value:
                yield from strings(one)


def test_what_is_committed_is_what_the_code_writes() -> None:
    """`make pages` was run after the last change, and no other file lies there."""
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == MADE


def test_it_is_written_the_same_each_time() -> None:
    """The same code writes the same bytes."""
    assert texts() == MADE


def test_grafanas_own_models_read_it_whole(board: Any) -> None:  # noqa: ANN401 - JSON
    """What Grafana's schema reads and writes again is what was written, but for what it does not know of marks."""
    register_default_plugins()
    again = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    for mark in board["annotations"]["list"]:
        for unknown in ("step", "textFormat", "titleFormat", "useValueForTime"):
            del mark[unknown]
    assert again == board


def test_ids_are_unique_and_uids_never_change() -> None:
    """Links and bookmarks hold a dashboard's uid; a panel's number is its own."""
    boards = {name: json.loads(text) for name, text in MADE.items()}
    assert {name: board["uid"] for name, board in boards.items()} == {
        "overview.json": "accord-overview",
        "upstream.json": "accord-upstream",
        "errors.json": "accord-errors",
        "limits.json": "accord-limits",
        "runtime.json": "accord-runtime",
    }
    for board in boards.values():
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids)


def test_panels_fill_the_grid_and_none_lies_on_another(board: Any) -> None:  # noqa: ANN401 - JSON
    """No two overlap, none reaches over the edge, and no line has a hole at its end."""
    places = [panel["gridPos"] for panel in board["panels"]]
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)
    for line in {place["y"] for place in places}:
        assert sum(place["w"] for place in places if place["y"] == line) == 24, line


def test_every_panel_says_what_it_shows_and_how_to_read_it(board: Any) -> None:  # noqa: ANN401 - JSON
    """A title that no other panel of the dashboard has, a description, a unit, and names for its series."""
    titles = [panel["title"] for panel in panels(board)]
    assert len(set(titles)) == len(titles)
    for panel in panels(board):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["targets"], panel["title"]
        if panel["type"] in {"timeseries", "stat"}:
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        if panel["type"] == "timeseries":
            assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]


def test_every_query_asks_the_prometheus_that_was_chosen(board: Any) -> None:  # noqa: ANN401 - JSON
    """The data source is the variable everywhere: an id of one would hold in one Grafana alone."""
    source = {"type": "prometheus", "uid": "${datasource}"}
    asked = [*panels(board), *(target for panel in panels(board) for target in panel["targets"])]
    asked += board["annotations"]["list"]
    asked += [variable for variable in board["templating"]["list"] if variable["type"] == "query"]
    assert all(one["datasource"] == source for one in asked)


def test_every_query_keeps_to_what_was_chosen(board: Any) -> None:  # noqa: ANN401 - JSON
    """Each selector is narrowed by cluster, namespace, job and instance: in two places an Accord may have one name."""
    queries = [target["expr"] for panel in panels(board) for target in panel["targets"]]
    queries += [mark["expr"] for mark in board["annotations"]["list"]]
    for query in queries:
        selectors = re.findall(r"\w\{([^}]*)\}", query)
        assert selectors, query
        for name in ("cluster", "namespace", "job", "instance"):
            assert all(f'{name}=~"${name}"' in selector for selector in selectors), query


def test_all_is_all_where_a_label_is_not_there(board: Any) -> None:  # noqa: ANN401 - JSON
    """Outside of Kubernetes no target has a cluster or a namespace: "All" matches none, too."""
    values = {one["name"]: one.get("allValue") for one in board["templating"]["list"]}
    assert (values["cluster"], values["namespace"]) == (".*", ".*")


def test_graphs_by_upstream_show_some_of_a_thousand(board: Any) -> None:  # noqa: ANN401 - JSON
    """What is drawn for each upstream is bounded; tables hold what happened alone."""
    for panel in panels(board):
        for target in panel["targets"]:
            if panel["type"] in {"timeseries", "state-timeline"} and target["legendFormat"] == "{{upstream}}":
                assert re.search(r"\b(?:topk|bottomk)\(20, ", target["expr"]), panel["title"]


def test_every_variable_that_is_used_is_there(board: Any) -> None:  # noqa: ANN401 - JSON
    """A query or link names variables of its own dashboard, and those that Grafana has."""
    has = {variable["name"] for variable in board["templating"]["list"]}
    used = {found[1] or found[2] for text in strings(board) for found in REFERENCE.finditer(text)}
    assert used <= has | GIVEN
    assert has - {"datasource"} <= used


def test_links_lead_to_dashboards_and_columns_that_are_there(board: Any) -> None:  # noqa: ANN401 - JSON
    """A link names a dashboard by its uid, its variables, and a column of its own table."""
    boards = {made["uid"]: made for made in map(json.loads, MADE.values())}
    for panel in panels(board):
        columns = set(panel.get("transformations", [{}])[-1].get("options", {}).get("renameByName", {}).values())
        for text in strings(panel["fieldConfig"]):
            assert set(re.findall(r"__data\.fields\.(\w+)", text)) <= columns
            for uid in re.findall(r"/d/([\w-]+)", text):
                there = {variable["name"] for variable in boards[uid]["templating"]["list"]}
                assert set(re.findall(r"var-(\w+)=|\$\{(\w+):queryparam\}", text)) <= {
                    pair for name in there for pair in ((name, ""), ("", name))
                }


def test_series_are_coloured_by_names_that_they_have(board: Any) -> None:  # noqa: ANN401 - JSON
    """A colour for a fixed name is for a series of that name; one for a label's values needs the label in the name."""
    for panel in panels(board):
        legends = {target.get("legendFormat", "") for target in panel["targets"]}
        named = {rule["matcher"]["options"] for rule in panel["fieldConfig"]["overrides"]}
        if panel["type"] == "timeseries" and not any("{{" in legend for legend in legends):
            assert named <= legends, panel["title"]
