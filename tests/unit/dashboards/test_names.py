"""What dashboards, rules and pages ask for is what Accord exports: no other name, and no other label."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dashboards.__main__ import texts
from tests.exported import exported, series

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
OTHERS = {
    "process_cpu_seconds_total": frozenset[str](),
    "process_max_fds": frozenset[str](),
    "process_open_fds": frozenset[str](),
    "process_resident_memory_bytes": frozenset[str](),
    "process_start_time_seconds": frozenset[str](),
    "python_gc_collections_total": frozenset({"generation"}),
}
"""What prometheus-client exports by itself, as far as it is asked for."""
TARGETS = frozenset({"job", "instance", "process"})
"""Labels of every series: of the target that it came from, and of a process where there are several."""

NAME = re.compile(r"\baccord_[a-z_]*[a-z]\b")
SELECTOR = re.compile(r"([a-z_]+)\{([^}]*)\}")
MATCHER = re.compile(r"(\w+)(?:=~|!~|!=|=)\"")
GROUPED = re.compile(r"\b(?:by|on|group_left|ignoring|without) \(([^)]*)\)")
LEGEND = re.compile(r"\{\{(\w+)\}\}")
TEXTS = sorted(
    [
        *(ROOT / "helm/accord/files/rules").glob("*.yaml"),
        *(path for path in (ROOT / "docs").rglob("*.md") if NAME.search(path.read_text())),
        ROOT / "README.md",
    ]
)


def targets() -> Iterator[tuple[str, str, str]]:
    """Yield the query and the name of the series of each target, with where it stands."""
    for file, text in texts().items():
        for panel in json.loads(text)["panels"]:
            for target in panel.get("targets", ()):
                where = f"{file}: {panel['title']} {target['refId']}"
                yield where, target["expr"], target.get("legendFormat", "")


@pytest.mark.parametrize(("where", "query", "legend"), [pytest.param(*one, id=one[0]) for one in targets()])
def test_a_query_asks_for_series_and_labels_that_are_exported(where: str, query: str, legend: str) -> None:
    """Each selector names a series that is exported, by labels that it has; groups and names are of such labels too."""
    known = series() | OTHERS
    selectors = SELECTOR.findall(query)
    assert selectors, where
    has = set(TARGETS)
    for name, matchers in selectors:
        assert name in known, f"{where}: {name}"
        assert set(MATCHER.findall(matchers)) <= known[name] | TARGETS, f"{where}: {matchers}"
        has |= known[name]
    assert {label.strip() for group in GROUPED.findall(query) for label in group.split(",") if label.strip()} <= has
    assert set(LEGEND.findall(legend)) <= has, f"{where}: {legend}"
    assert {name for name, _ in selectors} >= set(NAME.findall(query)), where


def test_variables_and_marks_ask_for_what_is_exported() -> None:
    """So do the choices at the top of a dashboard, and the marks in its graphs."""
    for text in texts().values():
        board = json.loads(text)
        asked = json.dumps([board["templating"], board["annotations"]])
        assert set(NAME.findall(asked)) <= series().keys()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_or_a_rule_speaks_of_metrics_that_are_exported(path: Path) -> None:
    """A metric that was renamed is renamed everywhere."""
    assert set(NAME.findall(path.read_text())) <= series().keys() | exported().keys()
