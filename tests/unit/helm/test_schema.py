"""The chart's schema, its table of values, its defaults and its version are those of the models."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft7Validator

from gateway import __version__
from helm.schema import content, main, schema, with_table
from helm.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm" / "accord"
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
_ANNOTATIONS = {"$ref", "title", "description", "default", "examples"}


def test_committed_schema_is_up_to_date() -> None:
    """`values.schema.json` is what `make pages` writes."""
    assert (CHART / "values.schema.json").read_text(encoding="utf-8") == schema()


def test_committed_table_is_up_to_date() -> None:
    """The chart's README lists every value as the models have it."""
    page = (CHART / "README.md").read_text(encoding="utf-8")
    assert page == with_table(page)
    assert "| `image.pullPolicy` |" in page


def test_values_are_the_defaults() -> None:
    """`values.yaml` says what the models say is so when nothing is said."""
    assert Values.model_validate(DEFAULTS) == Values()
    assert list(Draft7Validator(content()).iter_errors(DEFAULTS)) == []


def test_every_value_is_shown() -> None:
    """`values.yaml` shows each value that there is, but for what belongs to a chart around this one."""
    described = content()

    def missing(node: dict[str, Any], value: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - YAML
        name = node.get("$ref", "").removeprefix("#/definitions/")
        for key, inner in described["definitions"].get(name, node if not at else {}).get("properties", {}).items():
            if key not in value:
                yield f"{at}{key}"
            elif name != "GatewayFile":
                yield from missing(inner, value[key], f"{at}{key}.")

    root = {key: described["properties"][key] for key in described["properties"] if key not in {"global", "config"}}
    assert list(missing({"properties": root}, DEFAULTS, "")) == []


def test_what_templates_rely_on_is_there() -> None:
    """A key that is null, or that an older chart's values lack, is missed by name; lists and free mappings may be."""
    check = Draft7Validator(content())

    def without(value: dict[str, Any], way: list[str]) -> dict[str, Any]:
        key, *below = way
        return {
            name: without(one, below) if name == key else one for name, one in value.items() if below or name != key
        }

    def missed(path: str) -> list[str]:
        return [fault.message for fault in check.iter_errors(without(DEFAULTS, path.split(".")))]

    needed = ("metrics", "metrics.serviceMonitor", "replicaCount", "probes.startup", "rollingUpdate.maxUnavailable")
    for path in needed:
        assert missed(path) == [f"'{path.rpartition('.')[2]}' is a required property"]
    for path in ("env", "podLabels", "tolerations", "podDisruptionBudget.maxUnavailable", "networkPolicy.clients"):
        assert missed(path) == []


def test_is_a_schema_of_draft_7() -> None:
    """Every Helm takes it; where draft 7 looks at a reference alone, nothing that counts stands beside it."""
    made = content()
    Draft7Validator.check_schema(made)
    assert made["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert "$defs" not in json.dumps(made)

    def nodes(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
        if isinstance(node, dict):
            yield node
        for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from nodes(inner)

    assert [node for node in nodes(made) if isinstance(node.get("$ref"), str) and not node.keys() <= _ANNOTATIONS] == []


@pytest.mark.parametrize(
    "values",
    [
        {"upstreams": {"UPPER": "text"}},
        {"upstreams": {"parts": {"version": 1}}},
        {"env": {"1ST": {"secret": "a", "key": "b"}}},
        {"config": {"version": 1, "upstreams": "x"}},
        {"image": {"digest": "latest"}},
    ],
)
def test_it_refuses(values: dict[str, Any]) -> None:
    """A name that is none, a file that lacks what it must have, and where files are, which is the chart's to say."""
    assert list(Draft7Validator(content()).iter_errors(values)) != []


def test_the_version_is_the_gateways() -> None:
    """The chart and the image that it runs have the version of the package."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_pods_run_the_image_as_it_is_made() -> None:
    """By its user, and on its ports."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    user, group = re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)[0]
    pod = Values().pod_security_context
    assert (pod["runAsUser"], pod["runAsGroup"], pod["fsGroup"]) == (int(user), int(group), int(group))
    config = Values().config
    image = yaml.safe_load((ROOT / "image" / "gateway.yaml").read_text(encoding="utf-8"))
    assert image.items() >= {"listen": str(config.listen), "admin": str(config.admin)}.items()
    assert f"EXPOSE {config.listen.port} {config.admin.port}\n" in dockerfile


def test_command_writes_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m helm.schema FOLDER` writes the schema and, into the page that is there, the table."""
    (tmp_path / "README.md").write_text(
        "# Before\n<!-- values: made by `make pages` -->\n<!-- end of values -->\nAfter\n"
    )
    monkeypatch.setattr(sys, "argv", ["schema", str(tmp_path)])
    main()
    assert (tmp_path / "values.schema.json").read_text(encoding="utf-8") == schema()
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert page.startswith("# Before\n")
    assert page.endswith("<!-- end of values -->\nAfter\n")
    assert "| `replicaCount` | whole number | `2` |" in page
