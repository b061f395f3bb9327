"""docs/reference/cli.md knows every command and every option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.cli.main import main

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
COMMANDS = ("serve", "health", "demo", "check", "try", "infer", "explain", "diff", "schema", "catalog")


def _help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main(arguments)
    return capsys.readouterr().out


def test_every_command_has_its_section(capsys: pytest.CaptureFixture[str]) -> None:
    """What `accord --help` lists has a section, and nothing else has."""
    listed = re.findall(r"^    (\w+) ", _help(["--help"], capsys), re.MULTILINE)
    assert tuple(listed) == COMMANDS
    assert tuple(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE)) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each option of a command is in the table of its section, with the name of its value."""
    section = PAGE.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
    options = re.findall(r"^  (--[\w-]+(?: [A-Z:]+)?)", _help([command, "--help"], capsys), re.MULTILINE)
    assert options
    assert [option for option in options if f"| `{option}` |" not in section] == []
