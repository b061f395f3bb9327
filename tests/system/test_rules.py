"""The rules for Prometheus, as Prometheus' own tool reads them, with series that make every alert fire and not fire.

The series stand in `rules/*.yaml` beside this file: plain unit tests of `promtool test rules`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system.prometheus import promtool
from tests.unit.docs.rules import RULES, alerts

TESTS = sorted((Path(__file__).parent / "rules").glob("*.yaml"))
TOLD_APART_BY = ("severity", "window", "what")


def _tried() -> list[dict[str, Any]]:
    """Return every case of every alert, as the files list them."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in TESTS]
    return [case for file in files for test in file["tests"] for case in test.get("alert_rule_test", ())]


def test_prometheus_takes_the_rules() -> None:
    """Each file is one that Prometheus loads."""
    promtool("check", "rules", *sorted(RULES.glob("*.yaml")))


@pytest.mark.parametrize("series", TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should(series: Path) -> None:
    """Over given series exactly the expected alerts fire, with the expected labels and texts."""
    promtool("test", "rules", series)


def test_each_alert_is_tried_both_ways() -> None:
    """Each rule that alerts, by its name, severity and window, fires in some case; each name is silent in another."""
    rules = {(rule["alert"], *(rule["labels"].get(label) for label in TOLD_APART_BY)) for rule in alerts()}
    cases = _tried()
    fired = {
        (case["alertname"], *(alert["exp_labels"].get(label) for label in TOLD_APART_BY))
        for case in cases
        for alert in case.get("exp_alerts", ())
    }
    silent = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    assert fired == rules
    assert silent == {rule["alert"] for rule in alerts()}
