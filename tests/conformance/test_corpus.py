"""Captured replies whose meaning a person wrote down are read as they are meant, by the command a user has."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.shared import FOLDER, reads_shared

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = reads_shared

_SCORE = FOLDER / "corpus" / "score.py"


@pytest.mark.parametrize(
    ("files", "dialect", "at_least"),
    [
        ("salla", "named", 100.0),
        ("subscriptions-only", "named", 100.0),
        ("envoy", "named", 100.0),
        # 092, "Update Bulk Orders Statuses": its meaning, made by a script, keeps the `<br>` that stands in a text for
        # people; here markup is taken out of such a text, whoever sent it.
        ("salla-docs-bulk", "named", 99.0),
        ("oauth2", "named", 100.0),
        ("", "named", 99.0),
        ("", "auto", 99.0),
    ],
)
def test_score(files: str, dialect: str, at_least: float, tmp_path: Path) -> None:
    """Of the captured replies of these APIs at least so many per cent are wholly right."""
    only = ["--only", files] if files else []
    inputs = _run([str(_SCORE), "inputs", "--dialect", dialect, *only])
    answers = tmp_path / "out.jsonl"
    answers.write_bytes(_run(["-m", "gateway", "try", "--jsonl"], inputs))
    _run([str(_SCORE), "results", str(answers), *only, "--show", "100", "--at-least", str(at_least)])


def _run(arguments: list[str], data: bytes = b"") -> bytes:
    done = subprocess.run([sys.executable, *arguments], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()[-4000:] + done.stderr.decode()[-4000:]
    return done.stdout
