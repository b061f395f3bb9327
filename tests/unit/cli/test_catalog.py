"""`accord catalog` prints the codes in each format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway.catalog import CODES
from gateway.catalog.reference import codes_markdown
from gateway.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


def test_markdown_is_the_reference(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Without a format, what stands in docs/reference/codes.md."""
    assert main(["catalog"]) == 0
    assert capsysbinary.readouterr().out == codes_markdown().encode()


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"]])
def test_json_has_every_code(option: list[str], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """As JSON, each code with its facts and its sentences in every language."""
    assert main(["catalog", *option]) == 0
    found = json.loads(capsysbinary.readouterr().out)["problems"]
    assert [entry["code"] for entry in found] == list(CODES)
    assert found[0]["happened"] == dict(next(iter(CODES.values())).happened)


def test_openapi_to_a_file(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """With a file's name nothing is printed."""
    file = tmp_path / "openapi.json"
    assert main(["catalog", "--format", "openapi", "--output", str(file)]) == 0
    assert capsysbinary.readouterr().out == b""
    assert json.loads(file.read_bytes())["components"]["schemas"]["Code"]["enum"] == list(CODES)


def test_file_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told, and is status 1."""
    assert main(["catalog", "--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"accord catalog: {tmp_path}: Is a directory\n"


def test_no_such_format() -> None:
    """A format that nobody knows is an option that is wrong."""
    with pytest.raises(SystemExit) as left:
        main(["catalog", "--format", "pdf"])
    assert left.value.code == 2
