"""Budgets at the gateway: what upstreams grant is kept to, waited for, shared, and told to clients."""

from __future__ import annotations

import asyncio
from math import ceil
from typing import TYPE_CHECKING, Any

from gateway.limits.stores import MemoryStore
from tests.boards import MemoryBoard
from tests.integration.harness import LoopClock, gateway, on_uvloop, post, upstream
from tests.integration.loops import in_virtual_time
from tests.integration.origin import OK, head, send, serve
from tests.integration.wire import connect

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.limits.budget.board import News
    from tests.integration.origin import Conversation, Step

OURS = {"inject": [{"header": "Authorization", "prefix": "Bearer ", "value_env": "TOKEN"}]}
TOKEN = {"TOKEN": "secret"}


def reply(status: str = "200 OK", *fields: str, body: bytes = b"{}") -> bytes:
    """Return a reply as bytes."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


class Window:
    """A true fixed window behind an origin's connections: `limit` in each minute, told in whole seconds."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.minute = -1
        self.used = 0
        self.served = 0
        self.refused = 0

    def step(self) -> Step:
        """Answer one request by what is left."""

        async def answer(conversation: Conversation) -> None:
            await head()(conversation)
            await send(self._answer())(conversation)

        return answer

    def _answer(self) -> bytes:
        now_s = LoopClock().now_s()
        minute = int(now_s // 60)
        if minute != self.minute:
            self.minute, self.used = minute, 0
        refused = self.used >= self.limit
        self.used += not refused
        self.served += not refused
        self.refused += refused
        told = (
            f"X-RateLimit-Limit: {self.limit}",
            f"X-RateLimit-Remaining: {self.limit - self.used}",
            f"X-RateLimit-Reset: {ceil((minute + 1) * 60)}",
        )
        return reply("429 Too Many Requests", *told) if refused else reply("200 OK", *told)


class Counting(MemoryBoard):
    """A board that counts how often it is asked."""

    asked = 0

    async def exchange(self, upstream: str, news: News) -> News:
        """Tell and hear."""
        self.asked += 1
        return await super().exchange(upstream, news)


def ours(origin: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - an origin or a port; keys of any type
    """Return an upstream that we go to with our own credential."""
    return upstream(origin, **({"dialect": "generic", "credentials": OURS} | more))


@in_virtual_time
async def test_an_upstream_s_window_is_never_overrun(tmp_path: Path) -> None:
    """At twice what it grants, for five minutes, nothing is refused by it after the first; nine tenths are used."""
    window = Window(60)
    async with (
        serve([window.step()] * 1000) as origin,
        gateway(tmp_path, ours(origin), environ=TOKEN) as accord,
    ):
        statuses = []
        for _ in range(5 * 120):
            statuses.append((await accord.get("/api/a")).status)
            await asyncio.sleep(0.5)
    assert window.refused == 0
    assert window.served >= 0.9 * 5 * 60
    assert set(statuses) == {200, 503}


@in_virtual_time
async def test_what_is_spent_is_refused_with_the_true_wait(tmp_path: Path) -> None:
    """503, for it is not this client's limit; and waiting as long as told is enough."""
    spent = reply("200 OK", "X-RateLimit-Limit: 60", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 30")
    limits = [{"name": "per-ip", "key": "ip", "requests": 2, "per": "60s"}]
    async with (
        serve((head(), send(spent), head(), send(OK))) as origin,
        gateway(tmp_path, ours(origin), environ=TOKEN, limits=limits) as accord,
    ):
        first = await accord.get("/api/a")
        refused = await accord.get("/api/a")
        document = refused.json()
        await asyncio.sleep(document["retry"]["after"])
        after = await accord.get("/api/a")
        assert 'policy="api"' in accord.metrics()
    assert first.header("RateLimit") == b'"api";r=0;t=30, "per-ip";r=1;t=30'
    assert (refused.status, document["code"], document["violated-policies"]) == (
        503,
        "upstream_budget_exhausted",
        ["api"],
    )
    assert 30 <= document["retry"]["after"] <= 31
    assert refused.header("Retry-After") == b"31"
    assert refused.header("RateLimit") == b'"api";r=0;t=31, "per-ip";r=1;t=30'  # the client's own limit was given back
    assert refused.header("RateLimit-Policy") == b'"per-ip";q=2;w=60'
    assert after.status == 200


@in_virtual_time
async def test_a_pause_is_kept_and_one_request_tries_after_it(tmp_path: Path) -> None:
    """What a refusal says holds for all clients."""
    refusal = reply("429 Too Many Requests", "Retry-After: 20")
    async with (
        serve((head(), send(refusal), head(), send(OK), head(), send(OK))) as origin,
        gateway(tmp_path, ours(origin), environ=TOKEN) as accord,
    ):
        statuses = [(await accord.get("/api/a")).status]
        statuses.append((await accord.get("/api/b")).status)
        await asyncio.sleep(22)
        statuses += [(await accord.get("/api/a")).status, (await accord.get("/api/b")).status]
        received = bytes(origin.conversations[0].received)
    assert statuses == [503, 503, 200, 200]
    assert received.count(b"GET /") == 3


@in_virtual_time
async def test_what_a_body_says_of_a_refusal_counts(tmp_path: Path) -> None:
    """An error under 200, without a field that would tell; or a longer time than the head's."""
    throttled = reply(
        body=b'{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":'
        b'{"requestedQueryCost":600,"throttleStatus":{"maximumAvailable":1000,"currentlyAvailable":100,"restoreRate":100}}}}'
    )
    slower = reply(
        "429 Too Many Requests", "Retry-After: 1", body=b'{"message":"Slower","retry_after":9,"global":false}'
    )
    for dialect, refusal, least_s in ("shopify", throttled, 5), ("discord", slower, 9):
        async with (
            serve((head(), send(refusal))) as origin,
            gateway(tmp_path, ours(origin, dialect=dialect), environ=TOKEN) as accord,
        ):
            assert (await accord.get("/api/a")).json()["source"]["origin"] == "upstream"
            refused = await accord.get("/api/a")
        assert refused.json()["source"]["origin"] == "gateway"
        assert least_s <= refused.json()["retry"]["after"] < 1.1 * least_s


@on_uvloop
async def test_a_client_s_own_credential_is_only_watched(tmp_path: Path) -> None:
    """What it has left is its own business: nothing is held back."""
    refusal = reply("429 Too Many Requests", "Retry-After: 20", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 20")
    async with (
        serve((head(), send(refusal), head(), send(OK))) as origin,
        gateway(tmp_path, upstream(origin, dialect="generic"), environ=TOKEN) as accord,
    ):
        assert [(await accord.get("/api/a")).status for _ in range(2)] == [429, 200]
        assert 'accord_budget_refused_total{upstream="api"} 1.0' in accord.metrics()


@on_uvloop
async def test_learning_can_be_switched_off(tmp_path: Path) -> None:
    """Then only what is declared counts."""
    spent = reply("200 OK", "X-RateLimit-Limit: 60", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 30")
    async with (
        serve((head(), send(spent)) * 3) as origin,
        gateway(tmp_path, ours(origin, budget={"requests": 2, "per": "60s", "learn": False}), environ=TOKEN) as accord,
    ):
        answers = [await accord.get("/api/a") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 503]
    assert answers[0].header("RateLimit-Policy") == b'"api";q=2;w=62'
    assert answers[2].json()["code"] == "upstream_budget_exhausted"


@on_uvloop
async def test_a_budget_counts_its_paths_and_keeps_its_reserve(tmp_path: Path) -> None:
    """As they go upstream; and a route that is chosen has what is kept for it."""
    budget = [
        {"name": "customers", "requests": 1, "per": "60s", "paths": "/v2/customers/**", "learn": False},
        {"name": "all", "requests": 5, "per": "60s", "reserve": 2, "reserved_for": {"routes": "pay"}},
    ]
    routes = [{"name": "pay", "match": {"path": "/pay"}}]
    async with serve((head(), send(OK)) * 10) as origin:
        to = ours(origin, budget=budget, routes=routes, base_url=f"http://127.0.0.1:{origin.port}/v2")
        async with gateway(tmp_path, to, environ=TOKEN) as accord:
            asked = ["customers/1", "customers", "a", "a", "a", "pay", "pay", "pay"]
            statuses = [(await accord.get(f"/api/{path}")).status for path in asked]
    assert statuses == [200, 503, 200, 200, 503, 200, 200, 503]


@in_virtual_time
async def test_a_request_waits_for_its_turn_and_holds_no_connection(tmp_path: Path) -> None:
    """As long as it may; its body is not read meanwhile, and one that would wait longer is refused at once."""
    spent = reply("200 OK", "X-RateLimit-Limit: 60", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 3")
    budget = {"when_exceeded": "wait", "max_wait": "5s", "queue": 1}
    async with (
        serve((head(), send(spent)) + (head(), send(OK)) * 5) as origin,
        gateway(tmp_path, ours(origin, budget=budget), environ=TOKEN) as accord,
    ):
        await accord.get("/api/a")
        began_s = asyncio.get_running_loop().time()
        waiting = asyncio.ensure_future(accord.ask(post("/api/b", b"{}")))
        await asyncio.sleep(1)
        beyond = await accord.get("/api/c", "Authorization: another")
        answer = await waiting
        waited_s = asyncio.get_running_loop().time() - began_s
        assert len(origin.conversations) == 1
    assert (beyond.status, answer.status) == (503, 200)
    assert 3 <= waited_s <= 5


@in_virtual_time
async def test_a_client_that_leaves_waits_no_more(tmp_path: Path) -> None:
    """And nothing of its request goes upstream."""
    spent = reply("200 OK", "X-RateLimit-Limit: 60", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 3")
    budget = {"when_exceeded": "wait", "max_wait": "10s"}
    async with (
        serve((head(), send(spent)) + (head(), send(OK)) * 5) as origin,
        gateway(tmp_path, ours(origin, budget=budget), environ=TOKEN) as accord,
    ):
        await accord.get("/api/a")
        await accord.outcomes.next()
        leaving = await connect(accord.port)
        await leaving.send(b"GET /api/leaving HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(1)
        leaving.leave()
        assert (await accord.outcomes.next()).outcome == "cancelled"
        await asyncio.sleep(9)
        assert (await accord.get("/api/b")).status == 200
        assert b"leaving" not in bytes(origin.conversations[0].received)
        assert 'accord_budget_in_flight{upstream="api"} 0.0' in accord.metrics()


@in_virtual_time
async def test_what_never_came_back_is_in_flight_no_more(tmp_path: Path) -> None:
    """An upstream that cannot be reached was not asked; one that broke off may have counted."""
    async with serve((head(),)) as origin:
        port = origin.port
        async with gateway(tmp_path, ours(origin, timeouts={"first_byte": "1s"}), environ=TOKEN) as accord:
            assert (await accord.get("/api/a")).status == 504
            assert 'accord_budget_in_flight{upstream="api"} 0.0' in accord.metrics()
    async with gateway(tmp_path, ours(port), environ=TOKEN) as accord:
        assert (await accord.get("/api/a")).status in {502, 503}
        assert 'accord_budget_in_flight{upstream="api"} 0.0' in accord.metrics()


@on_uvloop
async def test_three_replicas_that_share_a_store_keep_one_budget(tmp_path: Path) -> None:
    """A declared budget is a policy in the store, exact to the request, however many gateways ask."""
    store = MemoryStore()
    budget = {"requests": 10, "per": "60s", "learn": False}
    async with serve((head(), send(OK)) * 30) as origin:
        folders = [tmp_path / name for name in "abc"]
        for folder in folders:
            folder.mkdir()
        to, clock = ours(origin, budget=budget), LoopClock()
        async with (
            gateway(folders[0], to, environ=TOKEN, clock=clock, counts=store) as one,
            gateway(folders[1], to, environ=TOKEN, clock=clock, counts=store) as two,
            gateway(folders[2], to, environ=TOKEN, clock=clock, counts=store) as three,
        ):
            asked = [accord.get("/api/a") for accord in (one, two, three) * 10]
            statuses = [answer.status for answer in await asyncio.gather(*asked)]
    assert sorted(statuses) == [200] * 10 + [503] * 20


@in_virtual_time
async def test_a_replica_s_pause_is_every_replica_s(tmp_path: Path) -> None:
    """Within a second, without asking the upstream; while nothing happens they ask the board once a second."""
    board = Counting()
    refusal = reply("429 Too Many Requests", "Retry-After: 20")
    for name in "ab":
        (tmp_path / name).mkdir()
    async with (
        serve((head(), send(refusal))) as origin,
        gateway(tmp_path / "a", ours(origin), environ=TOKEN, board=board) as one,
        gateway(tmp_path / "b", ours(origin), environ=TOKEN, board=board) as two,
    ):
        await asyncio.sleep(5)
        assert 8 <= board.asked <= 12
        assert (await one.get("/api/a")).json()["source"]["origin"] == "upstream"
        await asyncio.sleep(1.2)
        told = (await two.get("/api/b")).json()
        assert len(origin.conversations) == 1
    assert told["code"] == "upstream_budget_exhausted"
    assert 18 <= told["retry"]["after"] <= 20


@in_virtual_time
async def test_what_is_only_declared_is_shared_evenly_too(tmp_path: Path) -> None:
    """Nothing is learned of it; of two clients the one that asks ten times as often has no more all the same."""
    budget = {"requests": 100, "per": "10s", "learn": False, "fair": "client"}
    served = {"greedy": 0, "modest": 0}
    async with (
        serve((head(), send(OK)) * 2_000) as origin,
        gateway(tmp_path, ours(origin, budget=budget), environ=TOKEN) as accord,
    ):
        for number in range(600):
            name = "modest" if number % 6 == 0 else "greedy"
            served[name] += (await accord.get("/api/a", f"Authorization: {name}")).status == 200
            await asyncio.sleep(0.05)
    assert sum(served.values()) >= 0.9 * 300 * 0.9
    assert served["modest"] >= 80


@in_virtual_time
async def test_a_budget_that_is_declared_and_learned_is_told_once(tmp_path: Path) -> None:
    """By its name, with what is left of the stricter; the refusal has the code that its page explains."""
    spent = reply("200 OK", "X-RateLimit-Limit: 60", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 30")
    budget = {"requests": 10, "per": "60s"}
    async with (
        serve((head(), send(spent))) as origin,
        gateway(tmp_path, ours(origin, budget=budget), environ=TOKEN) as accord,
    ):
        await accord.get("/api/a")
        refused = await accord.get("/api/a")
    assert refused.header("RateLimit") == b'"api";r=0;t=31'
    assert refused.header("RateLimit-Policy") == b'"api";q=10;w=62'
    assert (refused.status, refused.json()["code"]) == (503, "upstream_budget_exhausted")
    assert refused.header("Retry-After") == b"31"
