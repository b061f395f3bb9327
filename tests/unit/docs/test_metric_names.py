"""What the pages say of metrics is what there is: names everywhere, and the reference's labels and values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.edge.metrics import METHODS
from gateway.edge.words import OUTCOMES
from gateway.errors import StoreReason
from gateway.limits.stores.guard.tally import Where
from gateway.model import OTHER, Party, Translation
from tests.exported import exported, series

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
REFERENCE = (ROOT / "docs" / "reference" / "metrics.md").read_text()
NAMED = re.compile(r"\baccord_[a-z]\w+(?!\w*[…*])")
NOT_METRICS = frozenset(("accord_gateway",))
"""The distribution's name, as files and modules spell it."""
VALUES = {
    "method": {*METHODS, OTHER},
    "result": {str(word) for word in Translation},
    "fault` of `accord_requests_total": {*map(str, Party), "none"},
    "where": {str(word) for word in Where},
    "reason` of `accord_limit_store_failures_total` and `accord_budget_board_failures_total": {
        str(word) for word in StoreReason
    },
    "end": {"served", "gave_up", "left", "moved"},
    "verdict": {"admitted", "refused", "spared", "would_admit", "would_refuse"},
}


def known() -> set[str]:
    """Return every name of ours that may stand somewhere."""
    return {*exported(), *series(), *NOT_METRICS}


def value_rows() -> dict[str, str]:
    """Return the rows that explain labels: the label, and what is said of its values."""
    return dict(re.findall(r"^\| `(.+)` \| (.+) \|$", REFERENCE.partition("| label | values |")[2], re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_no_page_names_a_metric_that_is_not_exported(page: Path) -> None:
    """Not in a query, not in a table, not in passing; `accord_limit_…` stands for several."""
    text = page.read_text()
    named = {name for name in NAMED.findall(text) if not re.search(rf"{re.escape(name)}\w*[…*]", text)}
    assert named - known() == set()


def test_every_outcome_is_explained_with_what_is_usual_for_it() -> None:
    """In the order in which they are told."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (\d+) \| `(\w+)` \|$", REFERENCE, re.MULTILINE)
    assert [(word, (int(status), fault)) for word, status, fault in rows] == list(OUTCOMES.items())


def test_every_label_is_explained() -> None:
    """Those of all families."""
    explained = set(re.findall(r"`(\w+)`", " ".join(f"`{label}`" for label in value_rows())))
    labels = {label for one in exported().values() for label in one.labels}
    assert labels - explained == {"state"}  # which is explained in its row


@pytest.mark.parametrize("label", VALUES)
def test_every_value_of_a_label_is_told(label: str) -> None:
    """Of those that are words of ours."""
    assert VALUES[label] - set(re.findall(r"`(\w+)`", value_rows()[label])) == set()
