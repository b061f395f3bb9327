"""docs/reference/views.md is made from the code."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from gateway.config import views
from gateway.pipeline.reference import page

FILE = Path(__file__).parents[3] / "docs" / "reference" / "views.md"


def test_committed_page_is_up_to_date() -> None:
    """Run `python -m gateway.pipeline.reference` again after a change."""
    assert FILE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("name", [*views.GENERAL, *views.of_presets()])
def test_every_view_is_shown(name: str) -> None:
    """Each has a column of what it carries, and a body."""
    assert f" `{name}` |" in page()
    assert f"\n### {name}\n" in page()


@pytest.mark.parametrize(
    "row",
    [
        "| `problem-xml` | `application/problem+xml` | `application/xml`, `text/xml` |",
        "| `json-api` | `application/vnd.api+json` |  |",
        "| `category` | yes | yes | yes |  |",
    ],
)
def test_tables(row: str) -> None:
    """What asks for a view, and what it carries."""
    assert row in page()


def test_command_prints_it(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """The command writes UTF-8, whatever the locale."""
    with pytest.warns(RuntimeWarning, match="found in sys.modules"):
        runpy.run_module("gateway.pipeline.reference", run_name="__main__")
    assert capsysbinary.readouterr().out == page().encode()
