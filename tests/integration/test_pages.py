"""What the gateway answers itself: its health, the pages behind every `type`, and the operator's port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.catalog import CODES
from tests.integration.harness import gateway, get, on_uvloop, post, upstream
from tests.integration.origin import OK, head, send, serve
from tests.integration.wire import ask, connect

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.harness import Running
    from tests.integration.wire import Reply

BROWSER = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def admin(accord: Running, target: str, method: str = "GET") -> Reply:
    """Ask the operator's port."""
    return await ask(accord.application.admin_port, get(target, method=method), head=method == "HEAD")


@on_uvloop
async def test_health_and_readiness(tmp_path: Path) -> None:
    """Both say yes while the gateway serves, on both ports."""
    async with gateway(tmp_path, upstream(1)) as accord:
        for path, status in (("/-/health", "ok"), ("/-/ready", "ready")):
            for answer in (await accord.get(path), await admin(accord, path)):
                assert (answer.status, answer.json()) == (200, {"status": status})
                assert answer.header("Cache-Control") == b"no-store"
        assert (await accord.get("/-/health?probe=1")).status == 200


@on_uvloop
async def test_pages_have_no_body_for_head_and_no_other_methods(tmp_path: Path) -> None:
    """RFC 9110 section 9.1."""
    async with gateway(tmp_path, upstream(1)) as accord:
        async with await connect(accord.port) as wire:
            await wire.send(get("/-/health", method="HEAD"))
            assert (await wire.reply(head=True)).header("Content-Length") == b"15"
        answer = await accord.ask(post("/-/health", b"x"))
        assert (answer.status, answer.json()["code"]) == (405, "method_not_allowed")


@on_uvloop
async def test_every_code_has_a_page_for_people_and_one_for_tools(tmp_path: Path) -> None:
    """By `Accept`; a tool that takes anything gets JSON."""
    async with gateway(tmp_path, upstream(1)) as accord, await connect(accord.port) as wire:
        for name in CODES:
            await wire.send(get(f"/-/problems/{name}") + get(f"/-/problems/{name}", BROWSER))
            tool, person = await wire.reply(), await wire.reply()
            assert tool.json()["code"] == name
            assert person.header("Content-Type") == b"text/html; charset=utf-8"
            assert CODES[name].title.split()[0].encode() in person.body
            assert person.header("Content-Security-Policy") is not None


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", b"application/json"),
        ("*/*", b"application/json"),
        ("text/html", b"text/html; charset=utf-8"),
        ("application/json, text/html;q=0.9", b"application/json"),
        ("text/html;q=nonsense", b"application/json"),
        ("text/html;q=0", b"application/json"),
    ],
)
@on_uvloop
async def test_the_index_is_chosen_by_accept(tmp_path: Path, accept: str, kind: bytes) -> None:
    """q-values count; what cannot be read counts as nothing."""
    async with gateway(tmp_path, upstream(1)) as accord:
        answer = await accord.get("/-/problems/", f"Accept: {accept}")
        assert (answer.status, answer.header("Content-Type")) == (200, kind)
        assert answer.header("Vary") == b"Accept, Accept-Language"


@pytest.mark.parametrize(
    ("languages", "lang"), [("", b"en"), ("ar", b"ar"), ("de, ar-SA;q=0.8, en;q=0.5", b"ar"), ("fr", b"en")]
)
@on_uvloop
async def test_pages_speak_the_languages_of_the_catalogue(tmp_path: Path, languages: str, lang: bytes) -> None:
    """English where nothing else fits."""
    async with gateway(tmp_path, upstream(1)) as accord:
        answer = await accord.get("/-/problems/not_found", BROWSER, f"Accept-Language: {languages}")
        assert b'lang="' + lang + b'"' in answer.body


@pytest.mark.parametrize("path", ["/-", "/-/", "/-/problems/nonsense", "/-/metrics", "/-/problems/../ready"])
@on_uvloop
async def test_what_is_not_ours_to_show_is_not_found(tmp_path: Path, path: str) -> None:
    """No upstream ever gets what is under `/-/`; the operator's pages are not on this port."""
    catch_all = upstream(1, match={"prefix": "/"})
    async with gateway(tmp_path, catch_all) as accord:
        answer = await accord.get(path)
        assert answer.json()["code"] in ("route_not_found", "malformed_request", "upstream_unreachable")
        if path != "/-":
            assert answer.json()["code"] != "upstream_unreachable"


@on_uvloop
async def test_the_status_page_shows_each_upstream(tmp_path: Path) -> None:
    """Its address and pool, what became of its requests, and its last failures, the newest first."""
    async with (
        serve((head(), send(OK), head(), send(b"nonsense\r\n\r\n"))) as origin,
        gateway(tmp_path, upstream(origin), upstream(1, name="quiet")) as accord,
    ):
        await accord.get("/api/a")
        failed = await accord.get("/api/b")
        status = (await admin(accord, "/status")).json()
    api, quiet = status["upstreams"]
    assert (status["state"], status["in_flight"]) == ("ready", 0)
    assert (api["name"], api["base_url"]) == ("api", f"http://127.0.0.1:{origin.port}")
    assert api["outcomes"] == {"ok": 1, "transport": 1}
    assert set(api["pool"]) == {"open", "idle", "waiting"}
    (failure,) = api["last_failures"]
    assert failure["request_id"].encode() == failed.header("X-Request-Id")
    assert (failure["code"], failure["reason"]) == ("upstream_protocol_error", "http_protocol_error")
    assert (quiet["outcomes"], quiet["last_failures"]) == ({}, [])


@on_uvloop
async def test_the_status_page_shows_who_is_refused_most(tmp_path: Path) -> None:
    """By configured name, else by a keyed hash; never by key."""
    known = {"name": "web-shop", "api_key_sha256": ["2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"]}
    limits = [{"name": "few", "requests": 1, "per": "60s"}]
    async with (
        serve((head(), send(OK)) * 2) as origin,
        gateway(tmp_path, upstream(origin), limits=limits, clients=[known]) as accord,
    ):
        for _ in range(3):
            await accord.get("/api/a", "X-Api-Key: key")
        for _ in range(2):
            await accord.get("/api/a", "Authorization: Bearer hidden")
        refused = (await admin(accord, "/status")).json()["refused_clients"]
        outcomes = [await accord.outcomes.next() for _ in range(5)]
    assert refused[0] == {"client": "web-shop", "refused": 2}
    assert refused[1]["client"].startswith("#")
    assert refused[1]["refused"] == 1
    assert [outcome.client for outcome in outcomes[:3]] == ["web-shop"] * 3
    assert "hidden" not in str(refused)


@on_uvloop
async def test_metrics_are_on_the_operators_port(tmp_path: Path) -> None:
    """In the text format of Prometheus, with the process's own."""
    async with gateway(tmp_path, upstream(1)) as accord:
        await accord.get("/nowhere")
        answer = await admin(accord, "/metrics")
        assert answer.header("Content-Type") == b"text/plain; version=0.0.4; charset=utf-8"
        assert b"accord_requests_total{" in answer.body
        assert b"process_resident_memory_bytes" in answer.body
        assert (await admin(accord, "/metrics", "HEAD")).status == 200
        assert (await admin(accord, "/metrics", "POST")).status == 405
        assert (await admin(accord, "/other")).status == 404


@on_uvloop
async def test_the_operators_port_is_as_strict(tmp_path: Path) -> None:
    """What is no request gets our words there, too, and no traceback anywhere."""
    async with gateway(tmp_path, upstream(1)) as accord, await connect(accord.application.admin_port) as wire:
        await wire.send(b"nonsense\r\n\r\n")
        answer = await wire.at_end()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.endswith(b'{"error":"malformed_request"}')
        assert b"aiohttp" not in answer


@on_uvloop
async def test_a_link_chooses_the_language(tmp_path: Path) -> None:
    """The switch on a page is a link; it goes before what the browser says it prefers."""
    async with gateway(tmp_path, upstream(1)) as accord:
        arabic = await accord.get("/-/problems/gone?lang=ar", BROWSER, "Accept-Language: en")
        unknown = await accord.get("/-/problems/?lang=xx", BROWSER, "Accept-Language: ar")
    assert b'<html lang="ar" dir="rtl">' in arabic.body
    assert b'<html lang="ar" dir="rtl">' in unknown.body


@on_uvloop
async def test_the_index_without_its_slash_leads_to_it(tmp_path: Path) -> None:
    """Links in the pages are relative to the folder."""
    async with gateway(tmp_path, upstream(1)) as accord:
        answer = await accord.get("/-/problems", BROWSER)
    assert (answer.status, answer.header("Location")) == (308, b"/-/problems/")
