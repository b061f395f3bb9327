"""The reference of all codes, and the file in which it is committed."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.catalog import CODES
from gateway.catalog.reference import codes_markdown
from gateway.model import FieldCode

if TYPE_CHECKING:
    import pytest

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "codes.md"


def test_committed_file_is_up_to_date() -> None:
    """`docs/reference/codes.md` is what `python -m gateway.catalog` prints: run it again after a change."""
    assert REFERENCE.read_text(encoding="utf-8") == codes_markdown()


def test_every_code_has_its_section() -> None:
    """Each code is in the table and has both sentences in both languages; each field code is explained."""
    text = codes_markdown()
    for code in CODES.values():
        assert f"| [`{code.name}`](#{code.name}) | {code.status} |" in text
        assert f"\n## {code.name}\n" in text
        assert all(sentence in text for sentence in (*code.happened.values(), *code.action.values()))
    assert all(f"| `{code}` |" in text for code in FieldCode)


def test_command_prints_it(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """The command writes UTF-8, whatever the locale."""
    runpy.run_module("gateway.catalog", run_name="__main__")
    assert capsysbinary.readouterr().out == codes_markdown().encode()
