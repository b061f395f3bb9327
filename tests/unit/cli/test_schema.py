"""`accord schema` prints what is committed in config/schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.main import main
from gateway.config.schema import SCHEMAS

COMMITTED = Path(__file__).parents[3] / "config" / "schema"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([], "upstream.schema.json"),
        (["upstream"], "upstream.schema.json"),
        (["gateway"], "gateway.schema.json"),
    ],
)
def test_prints_one(arguments: list[str], name: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """The upstream's schema unless the gateway's is asked for."""
    assert main(["schema", *arguments]) == 0
    assert capsysbinary.readouterr().out == (COMMITTED / name).read_bytes()


def test_writes_all(tmp_path: Path) -> None:
    """With a folder, every schema becomes a file there."""
    assert main(["schema", "--write", str(tmp_path)]) == 0
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        name: (COMMITTED / name).read_bytes() for name in SCHEMAS
    }


def test_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be written is told, and is status 1."""
    assert main(["schema", "--write", str(tmp_path / "no")]) == 1
    assert capsys.readouterr().err.endswith("gateway.schema.json: No such file or directory\n")


def test_no_such_schema() -> None:
    """A file that has no schema is an option that is wrong."""
    with pytest.raises(SystemExit) as left:
        main(["schema", "preset"])
    assert left.value.code == 2
