"""The radar by wire: what an operator learns of replies that nobody taught the gateway to read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from tests.integration.harness import gateway, get, on_uvloop, upstream
from tests.integration.origin import head, send, serve
from tests.integration.test_shadow import FAILED, reply
from tests.integration.wire import ask

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.harness import Running

UNKNOWN = (
    b'{"fault": {"kind": "E_STOCK", "text": "Only 2 are left for s3cret", "inputs": [{"name": "size", "why": "x y"}]}}'
)
OTHER = b'{"message": "s3cret", "errors": {"s3cret@example.com": ["s3cret"]}}'
PAGE = b"<html><head><title>s3cret</title></head></html>"


async def page(accord: Running) -> Any:  # noqa: ANN401 - JSON
    """Return the operator's page."""
    answer = await ask(accord.application.admin_port, get("/unknown-shapes"))
    assert (answer.status, answer.header("Content-Type")) == (200, b"application/json")
    assert b"s3cret" not in answer.body
    return answer.json()


@on_uvloop
async def test_a_shape_that_nobody_knows_is_listed_with_a_rule_for_it(tmp_path: Path) -> None:
    """By upstream, the most frequent first; a reply that the dialect knows is not on it, nor is any value."""
    raws = (reply(409, UNKNOWN), reply(404, FAILED), reply(422, OTHER), reply(400, UNKNOWN))
    async with (
        serve([step for raw in raws for step in (head(), send(raw))]) as origin,
        gateway(tmp_path, upstream(origin), upstream(1, "quiet")) as accord,
    ):
        for _ in raws:
            await accord.get("/api/a")
        (api,) = (await page(accord))["upstreams"]
        again = await page(accord)
        samples = accord.metrics()
    first, second = api["shapes"]
    assert (api["name"], api["seen"]) == ("api", 3)
    assert (first["kind"], first["count"], first["statuses"]) == ("json", 2, [409, 400])
    assert first["sample"]["fault"]["inputs"] == [{"name": "<word 4>", "why": "<text 3>"}]
    assert 0 < first["first_seen"] <= first["last_seen"]
    assert "fault.kind" in str(yaml.safe_load(first["suggested_rule"])["dialect"])
    assert second["sample"] == {"message": "<code 6>", "errors": {"*": ["<code 6>"]}}
    assert first["fingerprint"] != second["fingerprint"]
    assert again["upstreams"] == [api]
    assert 'accord_unknown_shapes_total{upstream="api"} 3.0' in samples
    assert 'accord_unknown_shapes_kept{upstream="api"} 2.0' in samples
    assert not re.search(r'accord_unknown_shapes_\w+\{upstream="quiet"', samples)


@on_uvloop
async def test_shadow_mode_and_automatic_detection_find_unknown_shapes_too(tmp_path: Path) -> None:
    """And the upstream with the most of them is listed first."""
    async with (
        serve((head(), send(reply(502, PAGE)))) as one,
        serve((head(), send(reply(409, UNKNOWN)), head(), send(reply(409, UNKNOWN)))) as two,
        gateway(
            tmp_path, upstream(one, "one", dialect="auto"), upstream(two, "two", dialect="auto", mode="shadow")
        ) as accord,
    ):
        await accord.get("/one/a")
        for _ in range(2):
            assert (await accord.get("/two/a")).body == UNKNOWN
        upstreams = (await page(accord))["upstreams"]
    assert [(one["name"], one["seen"]) for one in upstreams] == [("two", 2), ("one", 1)]
    (shape,) = upstreams[1]["shapes"]
    assert (shape["kind"], shape["sample"], shape["suggested_rule"]) == ("html", {"title": "<code 6>"}, "")


@on_uvloop
async def test_the_page_is_the_operators_alone(tmp_path: Path) -> None:
    """It is not on the client port, and takes no POST."""
    async with gateway(tmp_path, upstream(1)) as accord:
        assert (await accord.get("/unknown-shapes")).json()["code"] == "route_not_found"
        assert (await ask(accord.application.admin_port, get("/unknown-shapes", method="POST"))).status == 405
        lost = (await ask(accord.application.admin_port, get("/nowhere"))).json()
        assert "/unknown-shapes" in lost["pages"]
        assert await page(accord) == {"upstreams": []}
