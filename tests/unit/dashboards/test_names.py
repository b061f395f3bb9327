"""What dashboards ask for is what Accord exports: no other name, and no other label."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from dashboards.__main__ import texts
from tests.exported import series
from tests.unit.docs.rules import assert_known, metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = re.compile(r"\baccord_[a-z_]*[a-z]\b")
LEGEND = re.compile(r"\{\{(\w+)\}\}")


def targets() -> Iterator[tuple[str, str, str]]:
    """Yield the query and the name of the series of each target, with where it stands."""
    for file, text in texts().items():
        for panel in json.loads(text)["panels"]:
            for target in panel.get("targets", ()):
                where = f"{file}: {panel['title']} {target['refId']}"
                yield where, target["expr"], target.get("legendFormat", "")


@pytest.mark.parametrize(("where", "query", "legend"), [pytest.param(*one, id=one[0]) for one in targets()])
def test_a_query_asks_for_series_and_labels_that_are_exported(where: str, query: str, legend: str) -> None:
    """Each selector names a series that is exported, by labels that it has; groups and names are of such labels too."""
    assert metrics(query), where
    assert set(LEGEND.findall(legend)) <= assert_known(query, series())


def test_variables_and_marks_ask_for_what_is_exported() -> None:
    """So do the choices at the top of a dashboard, and the marks in its graphs."""
    for text in texts().values():
        board = json.loads(text)
        asked = json.dumps([board["templating"], board["annotations"]])
        assert set(NAME.findall(asked)) <= series().keys()
