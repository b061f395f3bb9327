"""The rules for Prometheus that the chart brings, and what their expressions ask for.

An expression is looked at as text: its metrics are what begins with `accord`, or is a client library's own; its labels
stand in braces and after `by`, `on` and `group_left`. Whether it is PromQL is for promtool to say.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).parents[3]
RULES: Final = ROOT / "helm" / "accord" / "files" / "rules"
RUNBOOKS: Final = ROOT / "docs" / "runbooks"

TARGET: Final = frozenset(("cluster", "namespace", "job", "instance", "process"))
"""Labels that no family of ours lists: those of a target, and of one of several processes."""

OF_THE_CLIENT_LIBRARY: Final[Mapping[str, frozenset[str]]] = {
    "process_cpu_seconds_total": frozenset(),
    "process_max_fds": frozenset(),
    "process_open_fds": frozenset(),
    "process_resident_memory_bytes": frozenset(),
    "process_start_time_seconds": frozenset(),
    "python_gc_collections_total": frozenset(("generation",)),
}
"""What prometheus-client exports by itself, as far as it is asked for, with its labels."""

_TEXT: Final = re.compile(r'"[^"]*"')
_COMMENT: Final = re.compile(r"#.*")
_SELECTED: Final = re.compile(r"\b([a-z_]+(?::\w+)*)(?:\{([^}]*)\})?")
_MATCHED: Final = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPED: Final = re.compile(r"\b(?:by|on|group_left|without)\s*\(([^)]*)\)")
_AGGREGATED: Final = ("sum by", "min by")
_OURS: Final = ("accord", "process_", "python_")


@cache
def rules() -> list[dict[str, Any]]:
    """Return all rules of all files, in order."""
    read = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(RULES.glob("*.yaml"))]
    return [rule for file in read for group in file["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """Return the rules that alert."""
    return [rule for rule in rules() if "alert" in rule]


@cache
def recorded() -> dict[str, frozenset[str]]:
    """Return the names that are recorded, each with the labels that it can have."""
    found: dict[str, frozenset[str]] = {"accord:slo_own_objective:ratio": frozenset(("slo", "upstream"))}
    for rule in rules():
        if "record" in rule:
            labels = grouped(rule["expr"]) | frozenset(rule.get("labels", ()))
            if not rule["expr"].startswith(_AGGREGATED):
                labels = labels.union(*(found.get(name, frozenset()) for name in metrics(rule["expr"])))
            found[rule["record"]] = found.get(rule["record"], frozenset()) | labels
    return found


def metrics(expr: str) -> dict[str, frozenset[str]]:
    """Return the metrics of ours that an expression names, each with the labels that it is selected by."""
    found: dict[str, frozenset[str]] = {}
    for name, matchers in _SELECTED.findall(_TEXT.sub("", _COMMENT.sub("", expr))):
        if name.startswith(_OURS) and name != "accord":
            found[name] = found.get(name, frozenset()) | frozenset(_MATCHED.findall(matchers))
    return found


def grouped(expr: str) -> frozenset[str]:
    """Return the labels that an expression groups or joins by."""
    lists = _GROUPED.findall(_COMMENT.sub("", expr))
    return frozenset(label.strip() for one in lists for label in one.split(",")) - {""}


def assert_known(expr: str, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Hold that an expression asks for what is known, by labels that it has; return those that its answer can have."""
    known = {**known, **OF_THE_CLIENT_LIBRARY}
    asked, labels = metrics(expr), TARGET
    for name, selected in asked.items():
        assert name in known, name
        assert selected <= known[name] | TARGET, name
        labels |= known[name]
    if asked:
        assert grouped(expr) <= labels
    return labels
