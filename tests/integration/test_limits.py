"""Limits at the gateway: whom they count, what they cost, and what clients are told."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from tests.integration.harness import gateway, get, on_uvloop, post, upstream
from tests.integration.loops import in_virtual_time
from tests.integration.origin import MANY, close, head, send, serve
from tests.integration.wire import connect

if TYPE_CHECKING:
    from pathlib import Path

ONE = {"requests": 1, "per": "60s"}
SHOP = {"name": "web-shop", "api_key_sha256": [sha256(b"shop-key").hexdigest()]}


@on_uvloop
async def test_a_clients_own_limits_stand_in_for_the_general_one(tmp_path: Path) -> None:
    """Else the general one would always be the tighter."""
    limits = [{"name": "per-client", "key": "client", **ONE}]
    gold = SHOP | {"limits": [{"name": "gold", "requests": 3, "per": "60s"}]}
    async with (
        serve(MANY) as origin,
        gateway(tmp_path, upstream(origin), limits=limits, clients=[gold]) as accord,
    ):
        known = [await accord.get("/api/a", "X-Api-Key: shop-key") for _ in range(4)]
        stranger = [await accord.get("/api/a", "X-Api-Key: other") for _ in range(2)]
        received = bytes(origin.conversations[0].received)
    assert [answer.status for answer in known] == [200, 200, 200, 429]
    assert known[0].header("RateLimit-Policy") == b'"gold";q=3;w=60'
    assert [answer.status for answer in stranger] == [200, 429]
    assert b"X-Api-Key" not in received


@on_uvloop
async def test_a_key_of_nobodys_goes_upstream_where_there_are_no_clients(tmp_path: Path) -> None:
    """The field is ours only where clients are configured."""
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin)) as accord:
        await accord.get("/api/a", "X-Api-Key: theirs")
        assert b"X-Api-Key: theirs" in origin.conversations[0].received


@pytest.mark.parametrize(
    ("key", "first", "second", "third"),
    [
        ("header:X-Tenant", ("/api/a", "X-Tenant: 1"), ("/api/a", "X-Tenant: 2"), ("/api/b", "X-Tenant: 1")),
        ("client", ("/api/a", "Authorization: a"), ("/api/a", "Authorization: b"), ("/api/b", "Authorization: a")),
        ("route", ("/api/orders/1",), ("/api/a",), ("/api/orders/2",)),
        ("upstream", ("/api/a",), ("/second/a",), ("/api/b",)),
    ],
)
@on_uvloop
async def test_a_limit_counts_by_its_key(
    tmp_path: Path, key: str, first: tuple[str, ...], second: tuple[str, ...], third: tuple[str, ...]
) -> None:
    """The second request is another's, the third the first's again."""
    routes = [{"name": "orders", "match": {"path": "/orders/*"}}]
    limits = [{"name": "one", "key": key, **ONE}]
    async with (
        serve(MANY) as origin,
        gateway(tmp_path, upstream(origin, routes=routes), upstream(origin, name="second"), limits=limits) as accord,
    ):
        statuses = [(await accord.get(*request)).status for request in (first, second, third)]
    assert statuses == [200, 200, 429]


@on_uvloop
async def test_behind_a_trusted_proxy_the_client_is_whom_it_names(tmp_path: Path) -> None:
    """And from anybody else the same field is only a claim."""
    limits = [{"name": "per-ip", "key": "ip", **ONE}]
    for trusted, statuses in (["127.0.0.0/8"], [200, 200, 429]), ([], [200, 429, 429]):
        async with (
            serve(MANY) as origin,
            gateway(tmp_path, upstream(origin), limits=limits, trusted_proxies=trusted) as accord,
        ):
            asked = ["192.0.2.1", "192.0.2.2", "6.6.6.6, 192.0.2.1"]
            answers = [await accord.get("/api/a", f"X-Forwarded-For: {address}") for address in asked]
            assert [answer.status for answer in answers] == statuses


@in_virtual_time
async def test_waiting_as_long_as_told_is_enough(tmp_path: Path) -> None:
    """And a refusal costs nothing."""
    limits = [{"name": "per-ip", "key": "ip", **ONE}]
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=limits) as accord:
        assert (await accord.get("/api/a")).status == 200
        refused = [await accord.get("/api/a") for _ in range(3)][-1]
        await asyncio.sleep(refused.json()["retry"]["after"])
        assert (await accord.get("/api/a")).status == 200


@on_uvloop
async def test_limits_of_upstream_and_route_add_up(tmp_path: Path) -> None:
    """All of a request's policies decide; the tightest is shown first; none is charged when one refuses."""
    limits = [{"name": "all", "key": "ip", "requests": 2, "per": "60s"}]
    routes = [{"match": {"path": "/orders"}, "limits": [{"name": "orders", "key": "ip", **ONE}]}]
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin, limits=limits, routes=routes)) as accord:
        first = await accord.get("/api/orders")
        refused = await accord.get("/api/orders")
        elsewhere = await accord.get("/api/a")
    assert first.header("RateLimit-Policy") == b'"orders";q=1;w=60, "all";q=2;w=60'
    assert (refused.status, elsewhere.status) == (429, 200)


@on_uvloop
async def test_what_is_refused_for_its_head_costs_nothing(tmp_path: Path) -> None:
    """Nor does a page of our own."""
    limits = [{"name": "per-ip", "key": "ip", **ONE}]
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=limits) as accord:
        assert (await accord.ask(get("/api/a", "Via: 1.1 accord"))).status == 502
        assert (await accord.get("/-/health")).header("RateLimit") is None
        assert (await accord.get("/api/a")).status == 200


CHUNKED = get("/api/a", "Transfer-Encoding: chunked", "Expect: 100-continue", method="POST")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"nonsense\r\n", 400),
        (b"5\r\nab", 408),
        (b"7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n", 413),
    ],
    ids=["framing", "slow", "large"],
)
@on_uvloop
async def test_what_is_refused_for_its_body_costs_nothing(tmp_path: Path, body: bytes, status: int) -> None:
    """Nothing of it went upstream; the fields of the answer know of it."""
    limits = [{"name": "per-ip", "key": "ip", **ONE}]
    async with (
        serve(MANY) as origin,
        gateway(
            tmp_path,
            upstream(origin),
            limits=limits,
            client_timeouts={"body": "200ms"},
            bounds={"body": "1KiB"},
        ) as accord,
    ):
        async with await connect(accord.port) as wire:
            await wire.send(CHUNKED)
            assert (await wire.reply()).status == 100
            await wire.send(body)
            refused = await wire.reply()
        assert (refused.status, refused.header("RateLimit")) == (status, b'"per-ip";r=1;t=0')
        assert (await accord.get("/api/a")).status == 200
        assert (await accord.get("/api/a")).status == 429


@on_uvloop
async def test_an_upstream_that_cannot_be_reached_costs_nothing(tmp_path: Path) -> None:
    """However often."""
    limits = [{"name": "per-ip", "key": "ip", **ONE}]
    async with gateway(tmp_path, upstream(1), limits=limits) as accord:
        answers = [await accord.ask(post("/api/a", b"x")) for _ in range(3)]
        assert [answer.status for answer in answers] == [503] * 3


@on_uvloop
async def test_what_went_upstream_is_paid_for(tmp_path: Path) -> None:
    """Though no answer came."""
    limits = [{"name": "per-ip", "key": "ip", **ONE}]
    async with serve((head(), close())) as origin, gateway(tmp_path, upstream(origin), limits=limits) as accord:
        answers = [await accord.ask(post("/api/a", b"x")) for _ in range(2)]
        assert [answer.status for answer in answers] == [502, 429]


@on_uvloop
async def test_who_refused_is_named(tmp_path: Path) -> None:
    """In the problem document, in the log, and in a metric by policy and verdict."""
    limits = [{"name": "wide", "key": "ip", "requests": 9, "per": "60s"}, {"name": "narrow", "key": "ip", **ONE}]
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=limits) as accord:
        await accord.get("/api/a")
        refused = await accord.get("/api/a")
        logged, metrics = accord.log()[-1], accord.metrics()
    assert refused.json()["violated-policies"] == ["narrow"]
    assert logged["limit"] == "narrow"
    for policy, verdict in (("wide", "admitted"), ("wide", "spared"), ("narrow", "admitted"), ("narrow", "refused")):
        labels = f'policy="{policy}",scope="gateway",verdict="{verdict}"'
        assert f"accord_limit_decisions_total{{{labels}}} 1.0" in metrics


@pytest.mark.parametrize(("form", "reset"), [("delta", b"60"), ("epoch", None)])
@on_uvloop
async def test_older_fields_are_sent_where_they_are_asked_for(tmp_path: Path, form: str, reset: bytes | None) -> None:
    """They say the tightest policy; without being asked for they are not there."""
    limits = [{"name": "wide", "key": "ip", "requests": 9, "per": "60s"}, {"name": "narrow", "key": "ip", **ONE}]
    async with (
        serve(MANY) as origin,
        gateway(tmp_path, upstream(origin), limits=limits, legacy_headers=form) as accord,
    ):
        answer = await accord.get("/api/a")
    assert (answer.header("X-RateLimit-Limit"), answer.header("X-RateLimit-Remaining")) == (b"1", b"0")
    said = answer.header("X-RateLimit-Reset")
    assert said == reset if reset is not None else int(said or 0) > 1_795_000_000
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=limits) as accord:
        assert (await accord.get("/api/a")).header("X-RateLimit-Limit") is None


@on_uvloop
async def test_a_redirect_never_says_that_nothing_is_left(tmp_path: Path) -> None:
    """Not in the older fields either: a client would take it for a refusal."""
    limits = [{"name": "two", "key": "ip", "requests": 2, "per": "60s"}]
    moved = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
    async with (
        serve((head(), send(moved)) * 2) as origin,
        gateway(tmp_path, upstream(origin), limits=limits, legacy_headers="delta") as accord,
    ):
        first, last = await accord.get("/api/a"), await accord.get("/api/a")
    assert (first.status, first.header("RateLimit"), first.header("X-RateLimit-Remaining")) == (
        302,
        b'"two";r=1;t=30',
        b"1",
    )
    assert (last.status, last.header("RateLimit"), last.header("X-RateLimit-Remaining")) == (302, None, None)


@on_uvloop
async def test_a_method_may_cost_more(tmp_path: Path) -> None:
    """And one that costs nothing is let through when nothing is left."""
    limits = [{"name": "calls", "key": "ip", "requests": 5, "per": "60s", "cost": {"POST": 4, "GET": 0}}]
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=limits) as accord:
        first = await accord.ask(post("/api/a", b"x"))
        second = await accord.ask(post("/api/a", b"x"))
        free = await accord.get("/api/a")
    assert (first.header("RateLimit"), second.status, free.status) == (b'"calls";r=1;t=12', 429, 200)


@on_uvloop
async def test_who_leaves_before_anything_went_upstream_has_spent_its_own_limit_alone(tmp_path: Path) -> None:
    """The upstream's budget is everybody's, and was not touched."""
    limits = [{"name": "own", "key": "ip", "requests": 9, "per": "60s"}]
    budget = {"requests": 20, "per": "60s", "shape": "leaky_bucket"}
    credentials = {"inject": [{"header": "Authorization", "value_env": "TOKEN"}]}
    one = upstream(1, budget=budget, credentials=credentials)
    async with gateway(tmp_path, one, limits=limits, environ={"TOKEN": "secret"}) as accord:
        before = await accord.get(
            "/api/a"
        )  # nobody listens there, so that each answer comes with its charges given back
        await accord.outcomes.next()
        async with await connect(accord.port) as wire:
            await wire.send(get("/api/a", "Content-Length: 5", method="POST") + b"12")
            await wire.send(b"3")
        assert (await accord.outcomes.next()).outcome == "cancelled"
        after = await accord.get("/api/a")
    assert before.header("RateLimit") == b'"own";r=9;t=0, "api";r=19;t=0'
    assert after.header("RateLimit") == b'"own";r=8;t=7, "api";r=19;t=0'
