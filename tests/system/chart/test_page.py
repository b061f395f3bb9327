"""The values that `docs/how-to/kubernetes.md` shows are taken by the chart, and say what the page says of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.config.load import load
from tests.system.chart.helm import ROOT, Said, objects, only, template

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "how-to" / "kubernetes.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n# values\.yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _rendered(folder: Path) -> Said:
    files = [folder / f"{number}.yaml" for number, _ in enumerate(BLOCKS)]
    for file, text in zip(files, BLOCKS, strict=True):
        file.write_text(text, encoding="utf-8")
    return template(*files)


def test_its_values_are_taken(tmp_path: Path) -> None:
    """All blocks together, each laid over those before it, render; Accord loads what comes of it."""
    assert len(BLOCKS) > 3
    found = objects(_rendered(tmp_path))
    (files,) = [one["data"] for one in found if one["kind"] == "ConfigMap" and "gateway.yaml" in one["data"]]
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    config = load(tmp_path / "gateway.yaml")
    assert {one.settings.name for one in config.upstreams} == {"salla", "parts"}
    assert config.gateway.store.redis is not None
    assert {"HTTPRoute", "ServiceMonitor"} <= {one["kind"] for one in found}
    pod = only(found, "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_its_times_add_up(tmp_path: Path) -> None:
    """The table of a pod's end is that of the defaults, and ends where Kubernetes would kill."""
    rows = re.findall(r"^\| (\d+) \|.*\| (?:`[\w.]+`, (\d+)s?|their sum.*) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 5
    passed = 0
    for begins, takes in rows:
        assert int(begins) == passed
        passed += int(takes or 0)
    pod = only(objects(_rendered(tmp_path)), "Deployment")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == passed
