"""The Prometheus of tests: what was counted is known once it scraped, rules are evaluated, bad queries are told."""

from __future__ import annotations

import json
from math import isnan
from typing import TYPE_CHECKING

import pytest

from tests.integration.harness import on_uvloop, upstream, written
from tests.integration.origin import MANY, serve
from tests.system.accord import accord
from tests.system.prometheus import QueryFailed, prometheus

if TYPE_CHECKING:
    from pathlib import Path

RULE = {"groups": [{"name": "test", "rules": [{"record": "job:requests:sum", "expr": "sum(accord_requests_total)"}]}]}


@on_uvloop
async def test_what_was_counted_before_a_scrape_is_known_after_it(tmp_path: Path) -> None:
    """What a gateway counted can be asked for after `scraped`, in one moment, over time, and by a rule."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(json.dumps(RULE))
    async with serve(MANY) as origin, accord(written(tmp_path, upstream(origin)), processes=1) as served:
        ports = {"accord": [served.admin_port]}
        async with prometheus(tmp_path / "prometheus", ports, rules=[rules]) as watching:
            before_s = await watching.now_s()
            for _ in range(3):
                assert (await served.get("/api/a")).status == 200
            await watching.scraped()
            counted = 'sum by (upstream) (accord_requests_total{outcome="ok"}) > 0'
            [row] = await watching.query(counted)
            assert (row.labels, row.value) == ({"upstream": "api"}, 3)
            [graph] = await watching.range(counted, before_s, await watching.now_s() + 0.05, 0.05)
            assert graph.points[0][0] > before_s
            assert graph.value == 3
            await watching.until("job:requests:sum", lambda rows: [row.value for row in rows] == [3])
            assert isnan(await watching.value("nothing_has_this_name"))
            with pytest.raises(QueryFailed, match=r"bad_data: .*parse error"):
                await watching.query("sum(")
