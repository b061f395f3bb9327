"""What Grafana does with a dashboard's file, as far as its queries go: variables are given values, Prometheus is asked.

How Grafana finds `$__interval` and `$__rate_interval`: https://grafana.com/docs/grafana/latest/datasources/prometheus/
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.system.prometheus import Prometheus, Series

FOLDER = Path(__file__).parents[2] / "helm/accord/files/dashboards"
NAMES = ("overview", "upstream", "errors", "limits", "runtime")
SCRAPE, SCRAPE_S = "250ms", 0.25
_POINTS = 500
"""How many points a panel has that does not say so: as wide as it is on the screen."""
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class Look(NamedTuple):
    """A reader looks at the time from `start_s` to `end_s`, and has chosen values of variables."""

    start_s: float
    end_s: float
    chosen: Mapping[str, str]

    def step_s(self, points: int) -> float:
        """Return the time between two points of a graph."""
        return max((self.end_s - self.start_s) / points, SCRAPE_S)

    def put(self, query: str, points: int = _POINTS) -> str:
        """Put values for the variables of a query; one that is not known is a fault."""
        step_s, range_s = self.step_s(points), self.end_s - self.start_s
        values = {
            "__interval": f"{step_s * 1000:.0f}ms",
            "__rate_interval": f"{max(step_s + SCRAPE_S, 4 * SCRAPE_S) * 1000:.0f}ms",
            "__range": f"{range_s * 1000:.0f}ms",
            "__range_s": f"{range_s:.0f}",
            **self.chosen,
        }
        return _VARIABLE.sub(lambda found: values[found[1] or found[2]], query)


class Board:
    """A dashboard."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._json = json.loads((FOLDER / f"{name}.json").read_text())

    def panels(self) -> dict[str, Any]:
        """Return its panels by their titles."""
        return {panel["title"]: panel for panel in self._json["panels"] if panel["type"] != "row"}

    def variables(self) -> dict[str, str]:
        """Return the query of each variable that has one."""
        return {
            one["name"]: one["query"]["query"] for one in self._json["templating"]["list"] if one["type"] == "query"
        }

    def marks(self) -> dict[str, str]:
        """Return the query of each kind of marks."""
        return {one["name"]: one["expr"] for one in self._json["annotations"]["list"]}

    async def ask(self, watching: Prometheus, title: str, look: Look) -> list[list[Series]]:
        """Return what each query of a panel answers: over time for a graph, of the last moment for a table."""
        panel = self.panels()[title]
        points = panel.get("maxDataPoints", _POINTS)
        answers = []
        for target in panel["targets"]:
            query = look.put(target["expr"], points)
            if target.get("instant"):
                answers.append(await watching.query(query, look.end_s))
            else:
                answers.append(await watching.range(query, look.start_s, look.end_s, look.step_s(points)))
        return answers


async def choices(watching: Prometheus, query: str, look: Look) -> list[str]:
    """Return the values that a variable can have: those of a label of a metric's series."""
    found = re.fullmatch(r"label_values\((.*), (\w+)\)", query)
    assert found is not None, query
    selector, label = found.groups()
    stretch = {"start": f"{look.start_s:.3f}", "end": f"{look.end_s:.3f}"}
    values: list[str] = await watching.api(f"label/{label}/values", **{"match[]": look.put(selector)}, **stretch)
    return values
