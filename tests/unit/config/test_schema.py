"""The JSON Schemas: committed as they are made, and true of what people write."""

from __future__ import annotations

import json
import runpy
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.config.document import Document
from gateway.config.schema import SCHEMAS, schema
from gateway.dialects.spec import DialectSpec

ROOT = Path(__file__).parents[3]
GATEWAY, UPSTREAM = (json.loads(schema(name)) for name in SCHEMAS)
DIALECT = {"$ref": "#/$defs/DialectSpec", "$defs": UPSTREAM["$defs"]}
PRESETS = sorted(Path(str(resources.files("gateway.dialects"))).glob("presets/*.yaml"))
FILES = [(GATEWAY, ROOT / "config" / "gateway.yaml")]
FILES += [(UPSTREAM, file) for file in sorted(ROOT.glob("config/upstreams/*.yaml"))]
FILES += [(DIALECT, file) for file in PRESETS]


def _complaints(content: dict[str, Any], value: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(content).iter_errors(value)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_committed_file_is_up_to_date(name: str) -> None:
    """`config/schema/*.json` is what `python -m gateway.config.schema config/schema` writes."""
    assert (ROOT / "config" / "schema" / name).read_text(encoding="utf-8") == schema(name)


@pytest.mark.parametrize("content", [GATEWAY, UPSTREAM], ids=SCHEMAS)
def test_is_a_schema(content: dict[str, Any]) -> None:
    """It is valid by the schema that it names as its own."""
    Draft202012Validator.check_schema(content)


@pytest.mark.parametrize(("content", "file"), FILES, ids=["/".join(file.parts[-2:]) for _, file in FILES])
def test_files_are_valid(content: dict[str, Any], file: Path) -> None:
    """An editor that uses the schema finds nothing to complain of in our own files."""
    assert _complaints(content, Document(file.read_text(encoding="utf-8"), str(file)).value) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("read: {status: code, code: error.code}", id="a path for a pick"),
        pytest.param("read: {status: {from: [code, {header: X-Status}], wins: true}}", id="picks for a status"),
        pytest.param("read: {code: {header: WWW-Authenticate, parameter: error}}", id="one pick, written out"),
        pytest.param("read: {retry_after: {from: wait, as: delta_ms}}", id="one time for a list"),
        pytest.param("errors: [{when: {status: 404}}, {when: {status: [4xx, 500-504]}}]", id="statuses"),
        pytest.param(
            "errors: [{when: {body: {equals: {ok: [false, 0, null]}, status: {code: 4xx}}}}]", id="body tests"
        ),
        pytest.param("rate_headers: {remaining: X-Left, reset: X-Reset}", id="a name for a time field"),
        pytest.param("rate_headers: [{reset: {header: X-Reset, as: epoch_ms}}]", id="a list of windows"),
        pytest.param("success: pass", id="a word for a success"),
        pytest.param("{extends: oauth2, statuses: {402: account_disabled}}", id="a status as a key"),
    ],
)
def test_short_forms_are_valid(text: str) -> None:
    """Whatever short form the models take, the schema takes too."""
    value = Document(text, "dialect.yaml").value
    DialectSpec.model_validate(value)
    assert _complaints(DIALECT, value) == []
    assert _complaints(UPSTREAM["properties"]["dialect"] | {"$defs": UPSTREAM["$defs"]}, value) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{version: 1, listn: 0.0.0.0:8080}", id="a key that is not known"),
        pytest.param("{version: 1, shutdown: {grace: 30}}", id="a duration without a unit"),
        pytest.param("{listen: 0.0.0.0:8080}", id="a key that is missing"),
    ],
)
def test_faults_are_found(text: str) -> None:
    """An editor shows what a load would refuse."""
    assert _complaints(GATEWAY, Document(text, "gateway.yaml").value) != []


@pytest.mark.parametrize("content", [GATEWAY, UPSTREAM], ids=SCHEMAS)
def test_defaults_are_valid(content: dict[str, Any]) -> None:
    """A default is written as it would stand in a file, so that an editor can put it there."""
    wrong = [
        (key, complaint)
        for model in (content, *content["$defs"].values())
        for key, described in model.get("properties", {}).items()
        if "default" in described
        for complaint in _complaints(described | {"$defs": content["$defs"]}, described["default"])
    ]
    assert wrong == []


def test_command_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command writes both files into the folder that it is given."""
    monkeypatch.setattr("sys.argv", ["schema", str(tmp_path)])
    with pytest.warns(RuntimeWarning, match="found in sys.modules"):
        runpy.run_module("gateway.config.schema", run_name="__main__")
    assert {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()} == {
        name: schema(name) for name in SCHEMAS
    }
