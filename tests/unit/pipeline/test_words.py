"""The list of words is what the presets have."""

from __future__ import annotations

import runpy
import sys
from typing import TYPE_CHECKING

from gateway.config import presets
from gateway.pipeline import words
from gateway.pipeline.radar import known_words

if TYPE_CHECKING:
    import pytest


def test_list_is_of_today() -> None:
    """The words that ship are those of all presets; `make pages` writes them anew."""
    assert words.shipped() == known_words(presets.specs().values())


def test_written_as_it_is_read(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The command prints the file: a word a line, in order."""
    monkeypatch.delitem(sys.modules, words.__name__)  # it runs as a program of its own
    runpy.run_module("gateway.pipeline.words", run_name="__main__")
    printed = capsys.readouterr().out.splitlines()
    assert printed == sorted(words.shipped())
