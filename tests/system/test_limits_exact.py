"""Under load exactly as many requests pass as the arithmetic says: no race gives one away, none is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.harness import gateway, on_uvloop, upstream, written
from tests.integration.origin import OK, head, send, serve
from tests.system.accord import accord as serving
from tests.system.accord import summed
from tests.system.flood import flood

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = {"name": "all", "key": "upstream", "requests": 100, "per": "1s", "burst": 20}
SECONDS = 10.0


@on_uvloop
async def test_one_process(tmp_path: Path) -> None:
    """32 connections for ten seconds against 100 a second with a burst of 20."""
    async with (
        serve((head(), send(OK)) * 2_000) as origin,
        gateway(tmp_path, upstream(origin), limits=[LIMIT]) as accord,
    ):
        load = await flood([accord.port], seconds=SECONDS)
    statuses = load.statuses()
    assert set(statuses) == {200, 429}
    assert statuses[200] in load.allowed(100, 20)


@on_uvloop
async def test_four_processes_on_one_port(tmp_path: Path) -> None:
    """They let through together what one alone would, and each has its share of the requests."""
    async with serve(*[(head(), send(OK)) * 2_000] * 100) as origin:
        config = written(tmp_path, upstream(origin), limits=[LIMIT])
        async with serving(config) as accord:
            load = await flood([accord.port], seconds=SECONDS)
            scrape = await accord.scrape()
    statuses = load.statuses()
    assert set(statuses) == {200, 429}
    assert statuses[200] in load.allowed(100, 20)
    assert summed(scrape, "accord_limit_decisions") == len(load.answers)
