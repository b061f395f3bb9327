"""docs/architecture.md lists the code as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(gateway/[\w/]*)` \| (.+) \|$", PAGE, re.MULTILINE))
FOLDERS = sorted(
    {f"{file.parent.relative_to(ROOT)}/" for file in ROOT.glob("gateway/**/*.py") if file.name != "__main__.py"}
)


def test_every_folder_has_its_row() -> None:
    """The table has each package, and no other."""
    assert sorted(ROWS) == FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_module_is_listed(folder: str) -> None:
    """A package's row names each of its modules, and nothing that is not there."""
    listed = set(re.findall(r"`([a-z_]+)`", ROWS[folder]))
    modules = {file.stem for file in (ROOT / folder).glob("*.py")} - {"__init__", "__main__"}
    assert listed == modules | ({"check"} if folder == "gateway/pipeline/" else set())


def test_layers_are_those_that_are_held() -> None:
    """The line of layers is the contract in pyproject.toml, from the bottom up."""
    contract = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("layers = [")[2].partition("]")[0]
    layers = [sorted(re.findall(r"\w+", line)) for line in re.findall(r'"(.+)"', contract)]
    line = PAGE.partition("## Layers\n\n```text\n")[2].partition("\n")[0]
    assert [sorted(re.findall(r"\w+", part)) for part in line.split("<")] == layers[::-1]
