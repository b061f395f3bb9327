"""Rules and dashboards come out of the chart as they lie in its files, and go into its package."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

import pytest
import yaml

from gateway import __version__
from tests.system.chart.helm import CHART, VALUES, helm, objects, only, rendered
from tests.system.prometheus import promtool

if TYPE_CHECKING:
    from pathlib import Path

RULES = sorted((CHART / "files" / "rules").glob("*.yaml"))
DASHBOARDS = sorted((CHART / "files" / "dashboards").glob("*.json"))
ENTRIES = ["everything", "names"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_each_file_of_rules_is_an_object(entry: str, tmp_path: Path) -> None:
    """There is a PrometheusRule for each file, whose groups Prometheus takes; runbooks are where the values say."""
    made = [one for one in rendered(entry) if one["kind"] == "PrometheusRule"]
    assert len(made) == len(RULES) > 0
    for one, file in zip(made, RULES, strict=True):
        text = file.read_text(encoding="utf-8")
        if entry == "everything":
            text = text.replace("runbook_url: docs/runbooks/", "runbook_url: https://runbooks.example/accord/")
        assert one["spec"]["groups"] == yaml.safe_load(text)["groups"]
        written = tmp_path / file.name
        written.write_text(yaml.safe_dump(one["spec"]), encoding="utf-8")
        promtool("check", "rules", written)


def test_alerts_link_to_their_runbooks() -> None:
    """Each alert has the address of its own page, below what `metrics.prometheusRule.runbookUrl` says, or its path."""
    for entry, base in (("everything", "https://runbooks.example/accord"), ("names", "docs/runbooks")):
        groups = [
            group for one in rendered(entry) if one["kind"] == "PrometheusRule" for group in one["spec"]["groups"]
        ]
        alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
        assert alerts
        assert {rule["annotations"]["runbook_url"] for rule in alerts} == {
            f"{base}/{rule['alert']}.md" for rule in alerts
        }


def test_each_dashboard_is_an_object() -> None:
    """There is a ConfigMap for each dashboard, which Grafana's sidecar finds and which holds that very dashboard."""
    made = [one for one in rendered("everything") if "grafana_dashboard" in one["metadata"].get("labels", {})]
    assert len(made) == len(DASHBOARDS) > 0
    for one, file in zip(made, DASHBOARDS, strict=True):
        ((name, text),) = one["data"].items()
        assert name == f"accord-{file.name}"
        assert json.loads(text) == json.loads(file.read_text(encoding="utf-8"))
        assert one["metadata"]["annotations"] == {"grafana_folder": "Accord"}


def test_none_is_made_unasked() -> None:
    """A cluster without the operator and without Grafana is given nothing that it does not know."""
    kinds = {one["kind"] for one in rendered("defaults")}
    assert not kinds & {"PrometheusRule", "ServiceMonitor", "HTTPRoute"}
    assert [one["metadata"]["name"] for one in rendered("defaults") if one["kind"] == "ConfigMap"] == [
        "shop-accord-config"
    ]


def test_annotations_lead_a_prometheus_without_the_operator() -> None:
    """`metrics.scrapeAnnotations` says where the metrics are; without it nothing is said."""
    template = only(rendered("everything"), "Deployment")["spec"]["template"]
    said = {
        key: value for key, value in template["metadata"]["annotations"].items() if key.startswith("prometheus.io/")
    }
    assert said == {"prometheus.io/scrape": "true", "prometheus.io/port": "9090", "prometheus.io/path": "/metrics"}
    plain = only(rendered("defaults"), "Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert list(plain) == ["accord/restart"]


def test_the_package_holds_all(tmp_path: Path) -> None:
    """`helm package` makes one file with templates, schema, rules and dashboards, from which the same is rendered."""
    said = helm("package", str(CHART), "--destination", str(tmp_path))
    assert said.status == 0, said.err
    package = tmp_path / f"accord-{__version__}.tgz"
    with tarfile.open(package) as packed:
        names = set(packed.getnames())
    wanted = [file for file in CHART.rglob("*") if file.is_file() and file.name != ".DS_Store"]
    assert names == {f"accord/{file.relative_to(CHART)}" for file in wanted}
    again = helm("template", "shop", str(package), "--namespace", "gateways", "-f", str(VALUES / "everything.yaml"))
    assert objects(again) == rendered("everything")
