"""Alerts and their pages belong together, and neither speaks of a metric that Accord does not export."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.exported import series
from tests.unit.docs.rules import ROOT, RUNBOOKS, TARGET, alerts, assert_known, grouped, metrics, recorded, rules

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.mark import ParameterSet

NAMES = sorted({alert["alert"] for alert in alerts()})
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md")
HOW_TOS = [ROOT / "docs" / "how-to" / name for name in ("alerts.md", "who-failed.md")]
INDEX = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
PROMQL = re.compile(r"^```promql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = ["Look", "Do", "False alarm", "Silence"]


def _each(listed: list[dict[str, Any]]) -> list[ParameterSet]:
    """Name each rule by its number, since several share a name."""
    return [pytest.param(rule, id=f"{number}-{_name(rule)}") for number, rule in enumerate(listed)]


def _name(rule: dict[str, Any]) -> str:
    return str(rule.get("record") or rule["alert"])


def _expressions(page: Path) -> list[str]:
    return PROMQL.findall(page.read_text(encoding="utf-8"))


def test_each_alert_has_a_page_and_each_page_an_alert() -> None:
    """docs/runbooks has one page for each alert, of its name, and no other."""
    assert [page.stem for page in PAGES] == NAMES


@pytest.mark.parametrize("alert", _each(alerts()))
def test_an_alert_says_how_bad_what_and_where_to_read_on(alert: dict[str, Any]) -> None:
    """An alert pages or opens a ticket, has a sentence with a number or a name in it, and leads to its page."""
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert alert["annotations"]["runbook_url"] == f"docs/runbooks/{alert['alert']}.md"
    assert re.search(r"\{\{ \$(value|labels)", alert["annotations"]["summary"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_built_like_the_others(page: Path) -> None:
    """At night one looks at the same place: severity, what clients see, whose fault, and the same four sections."""
    text = page.read_text(encoding="utf-8")
    severities = {alert["labels"]["severity"] for alert in alerts() if alert["alert"] == page.stem}
    (severity,) = severities
    assert text.startswith(f"# {page.stem}\n\n**{severity.capitalize()}.** ")
    assert "\n- **Clients see** " in text
    assert "\n- **Whose fault:** " in text
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert f"`alertname={page.stem} " in text.partition("## Silence")[2]
    assert f"| [{page.stem}]({page.name}) | {severity} | " in INDEX


def test_a_name_that_is_recorded_says_how() -> None:
    """Recorded names are level:metric:operation, the level being `accord`."""
    names = [name for name in recorded() if not re.fullmatch(r"accord:[a-z_]+:[a-z_0-9]+", name)]
    assert names == []


def test_what_is_recorded_is_listed() -> None:
    """The how-to lists each recorded name with its labels, and no other; `…1h` is the one before it, over 1h."""
    page = (ROOT / "docs" / "how-to" / "alerts.md").read_text(encoding="utf-8")
    listed: dict[str, set[str]] = {}
    for names, labels in re.findall(r"^\| (`accord:[^|]+) \| ([^|]*)\|", page, re.MULTILINE):
        whole = ""
        for name in re.findall(r"`([\w:…]+)`", names):
            whole = re.sub(r"\d+\w$", name[1:], whole) if name.startswith("…") else name
            listed[whole] = set(re.findall(r"`(\w+)`", labels))
    own = {name: set(labels - TARGET) for name, labels in recorded().items() if "own_objective" not in name}
    assert listed == own


@pytest.mark.parametrize("rule", _each(rules()))
def test_a_rule_reads_what_is_exported(rule: dict[str, Any]) -> None:
    """Each metric of an expression is exported or recorded, and has the labels that the expression looks at."""
    assert_known(rule["expr"], {**series(), **recorded()})


@pytest.mark.parametrize("page", [*PAGES, *HOW_TOS], ids=lambda page: page.stem)
def test_a_page_asks_for_what_is_exported(page: Path) -> None:
    """The same of the queries in runbooks, and in the how-tos that lead to them."""
    for expr in _expressions(page):
        for line in re.sub(r"\n\s+", " ", expr).splitlines():
            assert_known(line, {**series(), **recorded()})


def test_expressions_are_understood() -> None:
    """What a rule asks for is found: names, with the labels that they are selected by, but no texts and comments."""
    expr = 'sum by (upstream, le) (rate(accord_a_bucket{code="accord_b",x=~"y"}[5m])) # accord_c'
    assert metrics(expr) == {"accord_a_bucket": {"code", "x"}}
    assert grouped(expr) == {"upstream", "le"}


def test_burn_alerts_are_those_that_were_decided() -> None:
    """Speeds, windows, waits and severities are the table of decision 29 for both objectives, with ten failures."""
    page = (ROOT / "docs" / "explanation" / "decisions" / "0029-two-objectives.md").read_text(encoding="utf-8")
    decided = re.findall(r"^\| (page|ticket) \| ([\d.]+) \| (\w+) \| (\w+) \| (\w+) \|$", page, re.MULTILINE)
    assert len(decided) == 4
    for slo in ("gateway", "upstream"):
        found = [rule for rule in alerts() if f'{{slo="{slo}"}}' in rule["expr"]]
        assert [_burns(rule, slo) for rule in found] == decided


def _burns(rule: dict[str, Any], slo: str) -> tuple[str, ...]:
    """Return the severity, the speed, both windows and the wait of an alert."""
    written = re.fullmatch(
        rf'accord:slo_failures:ratio_rate(?P<long>\w+)\{{slo="{slo}"\}} > (?P<speed>[\d.]+)'
        r" \* accord:slo_error_budget:ratio"
        r"\s+and accord:slo_failures:ratio_rate(?P<short>\w+) > (?P=speed) \* accord:slo_error_budget:ratio"
        r"\s+and accord:slo_failures:increase(?P=long) >= 10\n",
        rule["expr"],
    )
    assert written is not None, rule["expr"]
    assert rule["labels"]["window"] == written["long"]
    return (rule["labels"]["severity"], written["speed"], written["long"], written["short"], rule["for"])


def test_a_budget_alert_names_its_severity_by_its_speed() -> None:
    """Burns that page are Fast, those that do not are Slowly."""
    burns = [rule for rule in alerts() if "window" in rule["labels"]]
    assert [rule["labels"]["severity"] for rule in burns] == [
        "page" if rule["alert"].endswith("BurnsFast") else "ticket" for rule in burns
    ]
