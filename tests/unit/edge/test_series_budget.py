"""How many series a configuration can have: no fewer than there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client import generate_latest

from gateway import app
from gateway.config.load import load
from gateway.edge.series_budget import MANY, series_budget

if TYPE_CHECKING:
    from gateway.config.load import Configuration

UPSTREAM = "version: 1\nname: api{0}\nbase_url: https://api.example\nmatch: {{prefix: /api{0}}}\n"
LIMIT = "limits: [{{name: l, requests: 1, per: 1s, when_exceeded: wait, max_wait: 1s}}]\n"


def configuration(folder: Path, upstreams: int = 1, more: str = "") -> Configuration:
    """Return a configuration with so many upstreams."""
    (folder / "upstreams").mkdir(exist_ok=True)
    (folder / "gateway.yaml").write_text("version: 1\n")
    for number in range(upstreams):
        (folder / "upstreams" / f"{number}.yaml").write_text((UPSTREAM + more).format(number))
    return load(folder / "gateway.yaml")


@pytest.mark.parametrize("upstreams", [1, 7])
async def test_before_the_first_request_there_are_as_many_as_was_said(tmp_path: Path, upstreams: int) -> None:
    """A few of the process itself more or less."""
    config = configuration(tmp_path, upstreams)
    page = generate_latest(app.build(config, environ={}).registry).decode()
    lines = [line for line in page.splitlines() if not line.startswith("#")]
    assert len(lines) <= series_budget(config).start <= len(lines) + 20


def test_each_upstream_and_each_limit_counts(tmp_path: Path) -> None:
    """So does shadow mode, which has a family of its own; and there can always be more than at the start."""
    one = series_budget(configuration(tmp_path))
    assert one.most > one.start
    limited = series_budget(configuration(tmp_path, 1, LIMIT))
    assert limited.most == one.most + 10
    assert series_budget(configuration(tmp_path, 1, "mode: shadow\n")).most > one.most
    two = series_budget(configuration(tmp_path, 2))
    assert (two.start - one.start, two.most - one.most) == (25, 633)


def test_the_reference_has_these_numbers(tmp_path: Path) -> None:
    """Of one plain upstream: what `check` prints, and what each upstream makes."""
    page = (Path(__file__).parents[3] / "docs" / "reference" / "metrics.md").read_text()
    one, two = (series_budget(configuration(tmp_path)), series_budget(configuration(tmp_path, 2)))
    assert f"{one.start:,} series at /metrics from the start, {one.most:,} at most" in page
    assert f"makes {two.start - one.start} series from the start" in page
    assert f"{two.most - one.most} at most (in shadow mode" in page
    assert f"warns above {MANY:,}" in page


def test_what_is_warned_of_is_many() -> None:
    """Some hundreds of upstreams, not some."""
    assert 300 < MANY / 633 < 500
