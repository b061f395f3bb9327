"""Every command that README.md, the tutorial and the how-to guides show does what they say.

How a page is read: `documented/pages.py`. How it is run: `documented/sandbox.py`. What its author must know:
CONTRIBUTING.md, "Commands in pages".
"""

from __future__ import annotations

import faulthandler
import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.components import require_component
from tests.system.documented.pages import Command, NotRun, blocks, expressions, steps
from tests.system.documented.sandbox import ROOT, play
from tests.system.prometheus import promtool

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [ROOT / "README.md", *sorted([*ROOT.glob("docs/tutorial/**/*.md"), *ROOT.glob("docs/how-to/**/*.md")])]
QUERIED = [*PAGES, *sorted([*ROOT.glob("docs/runbooks/**/*.md"), *ROOT.glob("docs/reference/**/*.md")])]
PROGRAMS = {
    "bash": "bash", "curl": "curl", "git": "git", "jq": "jq", "make": "make",
    "promtool": "prometheus", "redis-server": "redis-server",
}  # fmt: skip
"""What pages call, and the Debian package that it is in."""


def _place(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_place)
def test_page_is_true(page: Path, tmp_path: Path) -> None:
    """Done from top to bottom, each command of a page exits as it should and prints what is shown."""
    for program, package in PROGRAMS.items():
        require_component(program, package=package)
    faulthandler.cancel_dump_traceback_later()  # a page may do more than a test may; it has a limit of its own
    done = play(page, tmp_path)
    assert done.returncode == 0, done.stdout


def test_most_commands_are_run() -> None:
    """The pages have commands, and those that are not run are the fewer."""
    found = [step for page in PAGES for step in steps(page.read_text(encoding="utf-8"))]
    assert sum(isinstance(step, NotRun) for step in found) < sum(isinstance(step, Command) for step in found)


def test_queries_are_promql(tmp_path: Path) -> None:
    """Prometheus' own parser takes every query that a page shows."""
    shown = [
        (re.sub(r"\W", "_", _place(page)), expression)  # as promtool names it where it is not taken
        for page in QUERIED
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.language == "promql"
        for expression in expressions(block.text)
    ]
    assert shown
    rules = [{"record": f"{page}:{at}", "expr": expression} for at, (page, expression) in enumerate(shown)]
    file = tmp_path / "rules.yaml"
    file.write_text(json.dumps({"groups": [{"name": "pages", "rules": rules}]}), encoding="utf-8")
    promtool("check", "rules", file)
