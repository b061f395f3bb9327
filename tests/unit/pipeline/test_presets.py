"""The pages of the presets, and the files in which they are committed."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from gateway.config import presets
from gateway.pipeline.presets import index, page, pages

FOLDER = Path(__file__).parents[3] / "docs" / "reference" / "presets"


def test_committed_pages_are_up_to_date() -> None:
    """The folder holds what `python -m gateway.pipeline.presets FOLDER` writes: run it after a change."""
    assert {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()} == pages()


def test_every_preset_has_a_page() -> None:
    """A preset has its row in the index, and a page with an example of its own."""
    for name in presets.names():
        assert f"[`{name}`]({name}.md)" in index()
        assert "### 1. " in page(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("salla", "| 80 | one of: (", id="how surely auto knows it"),
        pytest.param("generic", "It does not: it is used where it is named.", id="no detection"),
        pytest.param("type-code-param", "| code | `code`, `error.code` |", id="where a part is"),
        pytest.param("type-code-param", "| `already_exists` | `duplicate` |", id="a word for a field"),
        pytest.param("oauth2", "parameter `error`", id="a parameter of a field"),
        pytest.param("generic", "`X-RateLimit-Reset-After`, as `delta_seconds`", id="a window of a limit"),
        pytest.param("status-message-body", "Successes are unified: the data is `body.data`.", id="an envelope"),
        pytest.param("generic", "It passes untouched.", id="a reply that is no error"),
        pytest.param("generic", "HTTP/1.1 404 Not Found\nContent-Type: application/json\n", id="a reply"),
        pytest.param("generic", '  "detail": "Nobody is here",\n', id="a document"),
    ],
)
def test_a_page_says(name: str, text: str) -> None:
    """What a preset reads, and what its examples give, stands on its page."""
    assert text in page(name)


def test_command_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command writes every page, and removes that of a preset that is gone."""
    (tmp_path / "gone.md").write_text("a preset that was")
    (tmp_path / "generic.md").write_text("as it was")
    monkeypatch.setattr("sys.argv", ["presets", str(tmp_path)])
    with pytest.warns(RuntimeWarning, match="found in sys.modules"):
        runpy.run_module("gateway.pipeline.presets", run_name="__main__")
    assert {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()} == pages()
