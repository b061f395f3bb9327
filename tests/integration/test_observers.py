"""What is told of a request: the access log's line, and the metrics. Each reference page is held against the code."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.edge.intake import shown_path
from tests.exported import exported
from tests.integration.harness import gateway, get, on_uvloop, post, upstream
from tests.integration.loops import in_virtual_time
from tests.integration.origin import body, head, send, serve, wait
from tests.integration.wire import connect

if TYPE_CHECKING:
    from tests.integration.origin import Conversation

OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"data":{}}'
ECHO = b'HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n{"password":"s3cret-reply"}'
REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def failed(status: int) -> bytes:
    """Return an error in Salla's dialect, as bytes."""
    text = b'{"status":%d,"success":false,"error":{"code":"error","message":"It is as it is"}}' % status
    return (
        b"HTTP/1.1 %d No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(text)) + text
    )


@on_uvloop
async def test_a_line_of_the_log_says_who_failed_and_how_long_it_took(tmp_path: Path) -> None:
    """Both statuses, code, origin, fault, durations, sizes, and where it went."""
    routes = [{"name": "orders", "match": {"path": "/orders/*"}}]
    async with (
        serve((head(), body(5), send(failed(404)))) as origin,
        gateway(tmp_path, upstream(origin, routes=routes)) as accord,
    ):
        answer = await accord.ask(post("/api/orders/7", b"12345"))
        (line,) = accord.log()
    assert line["status"] == line["upstream_status"] == 404
    assert (line["outcome"], line["code"], line["origin"], line["fault"]) == (
        "upstream_4xx",
        "not_found",
        "upstream",
        "client",
    )
    assert (line["upstream"], line["route"], line["method"], line["path"]) == ("api", "orders", "POST", "/api/orders/7")
    assert (line["dialect"], line["translation"]) == ("salla", "problem")
    assert (line["request_bytes"], line["response_bytes"]) == (5, len(answer.body))
    assert 0 <= line["upstream_ms"] <= line["duration_ms"]
    assert line["peer"] == "127.0.0.1"


@on_uvloop
async def test_no_secret_is_logged(tmp_path: Path) -> None:
    """No query, no header, no body, no credential of either side, and no address of an upstream."""
    credentials = {"inject": [{"header": "X-Token", "value_env": "TOKEN"}, {"query": "key", "value_env": "KEY"}]}
    environ = {"TOKEN": "s3cret-token", "KEY": "s3cret-key"}
    async with serve((head(), body(9), send(ECHO))) as origin:
        async with gateway(tmp_path, upstream(origin, credentials=credentials), environ=environ) as accord:
            answer = await accord.ask(
                post("/api/a?token=s3cret-query", b"s3cret-bo", "Authorization: Bearer s3cret-auth", "Cookie: s3cret")
            )
            assert answer.json()["code"] == "upstream_credentials_rejected"
            assert b"s3cret" not in answer.body
            await accord.get("/nowhere?s3cret")
            await accord.ask(b"s3cret\r\n\r\n")
            accord.log()
            assert b"s3cret" not in accord.lines.data
            assert str(origin.port).encode() not in accord.lines.data
            assert b"GET /a?" not in origin.conversations[0].received
            assert b"?token=s3cret-query&key=s3cret-key " in origin.conversations[0].received
            assert b"X-Token: s3cret-token" in origin.conversations[0].received
        assert "s3cret" not in accord.metrics()


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/nowhere?page=2&token=x&page=3&pages=4", "/nowhere?page=2&page=3"),
        ("/nowhere?token=x", "/nowhere"),
        ("/nowhere?", "/nowhere"),
        ("/nowhere?page", "/nowhere?page"),
        ("/" + "a" * 1000, "/" + "a" * 511 + "…"),
    ],
)
@on_uvloop
async def test_only_named_parameters_of_a_query_are_logged(tmp_path: Path, target: str, shown: str) -> None:
    """And no path grows without bound."""
    async with gateway(tmp_path, upstream(1), access_log={"query_parameters": ["page"]}) as accord:
        await accord.get(target)
        assert accord.log()[0]["path"] == shown


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("http://gateway.test/a?b", "http://gateway.test/a"),
        ("http://user:s3cret@gateway.test/a", "http://gateway.test/a"),
        ("http://user:s3@cret@[::1]:80/a", "http://[::1]:80/a"),
        ("http://user:s3cret?@gateway.test/a", "http://-"),
        ("/a@b#s3cret?page=2", "/a@b"),
        ("user:s3cret@gateway.test", "gateway.test"),
        ("http://gateway.test/a#s3cret", "http://gateway.test/a"),
    ],
)
@on_uvloop
async def test_no_userinfo_and_no_fragment_is_logged(tmp_path: Path, target: str, shown: str) -> None:
    """Of targets that are refused neither, be the method CONNECT or another."""
    async with gateway(tmp_path, upstream(1), access_log={"query_parameters": ["page"]}) as accord:
        await accord.get(target)
        (line,) = accord.log()
    assert line["path"] in (shown, "-")
    assert shown_path(target, frozenset()) == shown


@on_uvloop
async def test_a_line_of_the_log_is_one_line(tmp_path: Path) -> None:
    """What a client chose cannot forge another, nor move a terminal's cursor."""
    async with gateway(tmp_path, upstream(1)) as accord:
        await accord.ask(get("/a%0a%1b[2J", "X-Request-Id: \xc2\x9b2J\xe2\x80\xa8" + "x" * 1000))
        (line,) = accord.log()
        assert accord.lines.data.count(b"\n") == 1
        assert accord.lines.data.isascii() or b"\xe2\x80\xa6" in accord.lines.data
        assert len(line["client_request_id"]) < 200


@on_uvloop
async def test_label_values_come_from_closed_sets(tmp_path: Path) -> None:
    """A method that a client made up is `other`; no path is a label."""
    async with serve((head(), send(OK))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        await accord.ask(get("/api/something", method="PROPFIND"))
        samples = accord.metrics()
        assert (
            'accord_requests_total{fault="none",method="other",outcome="ok",status="200",upstream="api"} 1.0' in samples
        )
        assert "something" not in samples


@on_uvloop
async def test_the_metrics_say_what_happened(tmp_path: Path) -> None:
    """Of one success, one failure of the upstream and one of its transport."""
    async with (
        serve((head(), send(OK), head(), send(failed(500)), head(), send(b"nonsense\r\n\r\n"))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        for _ in range(3):
            await accord.get("/api/a")
        lines = accord.metrics().splitlines()
    for expected in (
        'accord_requests_total{fault="none",method="GET",outcome="ok",status="200",upstream="api"} 1.0',
        'accord_requests_total{fault="upstream",method="GET",outcome="upstream_5xx",status="500",upstream="api"} 1.0',
        (
            'accord_errors_total{category="upstream_error",code="upstream_error",'
            'fault="upstream",origin="upstream",upstream="api"} 1.0'
        ),
        'accord_upstream_replies_total{status="500",upstream="api"} 1.0',
        'accord_overhead_duration_seconds_count{upstream="api"} 3.0',
        'accord_transport_failures_total{reason="http_protocol_error",upstream="api"} 1.0',
        'accord_translations_total{dialect="salla",result="unified",upstream="api"} 1.0',
        'accord_translations_total{dialect="salla",result="problem",upstream="api"} 1.0',
        'accord_request_duration_seconds_count{upstream="api"} 3.0',
        'accord_upstream_duration_seconds_count{upstream="api"} 3.0',
        "accord_in_flight_requests 0.0",
    ):
        assert expected in lines


@in_virtual_time
async def test_waiting_for_a_slow_body_is_not_what_the_gateway_adds(tmp_path: Path) -> None:
    """Nor is what the upstream takes; both are in the whole."""
    over = asyncio.Event()
    async with (
        serve((head(), body(5), wait(over), send(OK))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(post("/api/a", b"12345")[:-3])
        await asyncio.sleep(2)  # of virtual time
        await wire.send(b"345")
        await asyncio.sleep(1)
        over.set()
        await wire.reply()
        outcome = await accord.outcomes.next()
        assert outcome.upstream_ms == pytest.approx(1000, abs=50)
        assert outcome.duration_ms == pytest.approx(3000, abs=50)
        assert outcome.overhead_ms < 50
        metrics = accord.metrics()
    assert 'accord_overhead_duration_seconds_bucket{le="0.1",upstream="api"} 1.0' in metrics
    assert 'accord_request_duration_seconds_bucket{le="2.5",upstream="api"} 0.0' in metrics


@in_virtual_time
async def test_waiting_for_a_limit_is_not_what_the_gateway_adds(tmp_path: Path) -> None:
    """The second of two has to wait for a second; a third one leaves while it waits."""
    waits = {"name": "w", "requests": 1, "per": "1s", "burst": 1, "when_exceeded": "wait", "max_wait": "10s"}
    async with (
        serve((head(), send(OK), head(), send(OK))) as origin,
        gateway(tmp_path, upstream(origin, limits=[waits])) as accord,
    ):
        await accord.get("/api/a")
        await accord.get("/api/a")
        outcomes = [await accord.outcomes.next() for _ in range(2)]
        async with await connect(accord.port) as wire:
            await wire.send(get("/api/a"))
            await asyncio.sleep(0.5)
        outcomes.append(await accord.outcomes.next())
    assert [outcome.outcome for outcome in outcomes] == ["ok", "ok", "cancelled"]
    assert outcomes[1].duration_ms >= 900
    assert outcomes[2].duration_ms >= 400
    assert all(outcome.overhead_ms < 50 for outcome in outcomes)


@in_virtual_time
async def test_an_answer_that_nobody_got_is_counted_as_none(tmp_path: Path) -> None:
    """Its client left in the moment in which the reply came: 499, and no failure was told to anybody."""
    async with AsyncExitStack() as stack:

        async def reply_to_nobody(conversation: Conversation) -> None:
            wire.writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            await send(failed(404))(conversation)

        origin = await stack.enter_async_context(serve((head(), send(OK), head(), reply_to_nobody)))
        accord = await stack.enter_async_context(gateway(tmp_path, upstream(origin)))
        await accord.get("/api/a")  # on a connection that rests, a reply is taken in the turn in which it comes
        await accord.outcomes.next()
        wire = await stack.enter_async_context(await connect(accord.port))
        await wire.send(get("/api/a"))
        outcome = await accord.outcomes.next()
        metrics = accord.metrics()
    assert (outcome.outcome, outcome.status, outcome.upstream_status) == ("cancelled", 499, 404)
    assert (outcome.code, outcome.fault, outcome.dialect, outcome.translation.value) == (None, None, None, "none")
    assert 'outcome="cancelled",status="499",upstream="api"} 1.0' in metrics
    assert "accord_errors_total{" not in metrics
    assert "accord_status_rewrites_total{" not in metrics


@on_uvloop
async def test_a_budget_that_is_used_up_is_an_outcome_of_its_own(tmp_path: Path) -> None:
    """It is no failure of the transport: nothing was sent; the upstream's own reply that said so is its 4xx."""
    budget = {"requests": 1, "per": "60s"}
    key = {"inject": [{"header": "X-Key", "value_env": "KEY"}]}
    async with (
        serve((head(), send(OK))) as origin,
        gateway(tmp_path, upstream(origin, budget=budget, credentials=key), environ={"KEY": "k"}) as accord,
    ):
        await accord.get("/api/a")
        answer = await accord.get("/api/a")
        metrics = accord.metrics()
    assert answer.json()["code"] == "upstream_budget_exhausted"
    assert 'accord_budget_remaining{upstream="api"} 0.0' in metrics
    assert 'accord_budget_limit{upstream="api"} 1.0' in metrics
    labels = 'fault="upstream",method="GET",outcome="upstream_budget",status="503",upstream="api"'
    assert f"accord_requests_total{{{labels}}} 1.0" in metrics


def test_the_reference_lists_every_metric_with_its_labels() -> None:
    """docs/reference/metrics.md against the registry, both ways."""
    page = (REFERENCE / "metrics.md").read_text()
    rows = re.findall(r"^\| `(accord_\w+)` \| (.*?) \| .+ \|$", page, re.MULTILINE)
    listed = {name: frozenset(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert listed == {name: one.labels for name, one in exported().items()}


@on_uvloop
async def test_the_reference_lists_every_key_of_the_log(tmp_path: Path) -> None:
    """docs/reference/access-log.md against a line of an upstream in shadow mode, which has them all but one."""
    async with serve((head(), send(OK))) as origin, gateway(tmp_path, upstream(origin, mode="shadow")) as accord:
        await accord.get("/api/a")
        (line,) = accord.log()
    rows = re.findall(r"^\| `(\w+)` \|", (REFERENCE / "access-log.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted({*line, "left_out"})
