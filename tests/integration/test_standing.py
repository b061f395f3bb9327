"""`/status` about one request: what each limit that it would meet says, looked up without being charged."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from gateway.limits.stores import MemoryStore
from gateway.limits.values import Decision, Verdict
from tests.integration.harness import gateway, get, on_uvloop, upstream
from tests.integration.origin import MANY, head, send, serve
from tests.integration.wire import ask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from gateway.limits import Ask, Policy
    from tests.integration.harness import Running
    from tests.integration.wire import Reply

SHOP = {
    "name": "web-shop",
    "api_key_sha256": [sha256(b"shop-key").hexdigest()],
    "limits": [{"name": "gold", "requests": 3, "per": "60s", "cost": {"POST": 2}}],
}
LIMITS = [
    {"name": "per-client", "key": "client", "requests": 2, "per": "60s", "burst": 1},
    {"name": "per-ip", "key": "ip", "requests": 5, "calendar": "day", "mode": "shadow"},
]


async def status(accord: Running, query: str) -> Reply:
    """Ask the operator's port."""
    return await ask(accord.application.admin_port, get(f"/status?{query}"))


def by_name(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the limits of a page."""
    return {limit["name"]: limit for limit in page["limits"]}


@on_uvloop
async def test_a_configured_client_is_looked_up_by_name(tmp_path: Path) -> None:
    """With what is left, under its own limits; what its address decides needs the address, and asking costs nothing."""
    async with (
        serve(MANY) as origin,
        gateway(tmp_path, upstream(origin), limits=LIMITS, clients=[SHOP]) as accord,
    ):
        await accord.get("/api/a", "X-Api-Key: shop-key")
        pages = [(await status(accord, "client=web-shop")).json() for _ in range(3)]
        posted = (await status(accord, "client=web-shop&method=POST&ip=127.0.0.1")).json()
    page = pages[-1]
    assert page["request"]["client"] == "web-shop"
    assert page["request"]["method"] == "GET"
    assert by_name(page)["gold"] == {
        "name": "gold",
        "scope": "client:web-shop",
        "key": ["client"],
        "algorithm": "gcra",
        "mode": "enforce",
        "limit": 3,
        "per_s": 60.0,
        "cost": 1,
        "admitted": True,
        "remaining": 2,
        "retry_after_s": 0.0,
        "reset_s": pytest.approx(20, abs=1),
        "looked_up": "process",
    }
    assert page["not_looked_up"] == [{"name": "per-ip", "scope": "gateway", "key": ["ip"], "needs": ["ip"]}]
    assert (by_name(posted)["gold"]["cost"], by_name(posted)["gold"]["remaining"]) == (2, 2)
    shadow = by_name(posted)["per-ip"]
    assert (shadow["mode"], shadow["period"], shadow["limit"], shadow["remaining"]) == ("shadow", "day", 5, 4)
    assert posted["not_looked_up"] == []


@on_uvloop
async def test_an_address_is_looked_up_as_a_stranger_without_credentials(tmp_path: Path) -> None:
    """Who would be refused is told how long it has to wait."""
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=LIMITS) as accord:
        await accord.get("/api/a")
        page = (await status(accord, "ip=127.0.0.1")).json()
        other = (await status(accord, "ip=192.0.2.7")).json()
    limit = by_name(page)["per-client"]
    assert (limit["admitted"], limit["remaining"], limit["burst"]) == (False, 0, 1)
    assert limit["retry_after_s"] == pytest.approx(30, abs=1)
    assert (by_name(other)["per-client"]["admitted"], by_name(other)["per-client"]["remaining"]) == (True, 1)


@on_uvloop
async def test_a_stranger_is_looked_up_by_the_hash_that_the_status_page_shows(tmp_path: Path) -> None:
    """Its credential is in no address, and in no answer; who was not refused cannot be told from its hash."""
    limits = [LIMITS[0], {"name": "per-tenant", "key": "header:X-Tenant", "requests": 9, "per": "1s"}]
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=limits) as accord:
        for _ in range(2):
            await accord.get("/api/a", "Authorization: Bearer hidden")
        board = (await ask(accord.application.admin_port, get("/status"))).json()
        shown = board["refused_clients"][0]["client"]
        answer = await status(accord, f"hash={shown.replace('#', '%23')}")
        bare = await status(accord, f"hash={shown.removeprefix('#')}&header.X-Tenant=7")
        unknown = await status(accord, "hash=0123456789ab")
    assert by_name(answer.json())["per-client"]["admitted"] is False
    assert answer.json()["not_looked_up"][0]["needs"] == ["header.X-Tenant"]
    assert b"hidden" not in answer.body
    assert by_name(bare.json())["per-tenant"]["remaining"] == 9
    assert bare.json()["request"]["fields"] == ["x-tenant"]
    assert unknown.status == 404


@on_uvloop
async def test_limits_of_an_upstream_and_a_route(tmp_path: Path) -> None:
    """They are met where the query names them; without an upstream a key by upstream is not known."""
    routes = [
        {"name": "orders", "match": {"path": "/orders/*"}, "limits": [{"name": "o", "requests": 7, "per": "1s"}]},
        {"match": {"path": "/a", "methods": ["POST"]}},
    ]
    parts = [{"name": "parts", "key": "upstream", "concurrent": 4}]
    general = [{"name": "each", "key": ["upstream", "route", "method"], "requests": 9, "per": "1s"}]
    async with gateway(tmp_path, upstream(1, routes=routes, limits=parts), limits=general) as accord:
        nowhere = (await status(accord, "ip=192.0.2.7")).json()
        way = (await status(accord, "ip=192.0.2.7&upstream=api&route=orders&header.x-tenant=")).json()
        unnamed = (await status(accord, "upstream=api&route=POST%20/a")).json()
    assert nowhere["not_looked_up"][0]["needs"] == ["upstream"]
    assert list(by_name(way)) == ["each", "parts", "o"]
    assert (by_name(way)["parts"]["algorithm"], by_name(way)["parts"]["remaining"]) == ("concurrency", 4)
    assert "per_s" not in by_name(way)["parts"]
    assert by_name(way)["o"]["scope"] == "route:api:orders"
    assert unnamed["request"]["route"] == "POST /a"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("authorization=Bearer+s3cret", "a key is not known"),
        ("header.Authorization=s3cret", "holds a credential"),
        ("header.X-Api-Key=s3cret", "holds a credential"),
        ("header.X-Shop-Id=s3cret", "holds a credential"),
        ("header.X-Access-Token=s3cret", "holds a credential"),
        ("header.=s3cret", "not the name of a header field"),
        ("header.%C3%A9=s3cret", "not the name of a header field"),
        ("client=s3cret", "no client of this name"),
        ("client=web-shop&hash=HASH", "give client or hash"),
        ("ip=s3cret", "not an IPv4 or IPv6 address"),
        ("upstream=s3cret", "no upstream of this name"),
        ("route=s3cret", "give upstream"),
        ("upstream=api&route=s3cret", "give upstream"),
        ("method=s3cret", "not a method"),
        ("ip=192.0.2.1&ip=s3cret", "given twice"),
        ("s3cret", "not a query"),
        ("ip=%ff", "not a query"),
        ("&".join(f"header.a{number}=s3cret" for number in range(40)), "not a query"),
    ],
)
@on_uvloop
async def test_a_query_that_cannot_be_answered(tmp_path: Path, query: str, words: str) -> None:
    """Gets 400 and a sentence that repeats nothing of it."""
    known: Any = {"clients": [SHOP], "client_header": "X-Shop-Id"}
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=LIMITS, **known) as accord:
        for _ in range(2):
            await accord.get("/api/a", "Authorization: other")
        board = (await ask(accord.application.admin_port, get("/status"))).json()
        answer = await status(accord, query.replace("HASH", board["refused_clients"][0]["client"].removeprefix("#")))
    assert answer.status == 400
    assert words in answer.json()["error"]
    assert b"s3cret" not in answer.body


class Told:
    """A store whose answers to looks come later, and are what a test says."""

    def __init__(self, say: Callable[[Policy, int], Verdict | None]) -> None:
        """Answer each policy by `say`; None says nothing of it."""
        self._memory = MemoryStore()
        self._say = say
        self.decide = self._memory.decide
        self.refund = self._memory.refund
        self.release = self._memory.release

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Awaitable[Decision]:
        """Answer later."""
        del now_us, unix_us
        return self._peek(asks)

    async def _peek(self, asks: Sequence[Ask]) -> Decision:
        said = [verdict for policy, _, cost in asks if (verdict := self._say(policy, cost)) is not None]
        return Decision(admitted=True, verdicts=tuple(said), tightest=None)


def without_gone(policy: Policy, cost: int) -> Verdict | None:
    """Refuse what costs anything, and say nothing of the policy `gone`."""
    return None if policy.name == "gone" else Verdict(policy, cost == 0, 1, 5_000_000 * bool(cost), 0)


@on_uvloop
async def test_a_store_on_the_network_is_asked_and_waited_for(tmp_path: Path) -> None:
    """What says nothing of a policy, since that does not count while it is away, is told as not known."""
    limits: list[dict[str, Any]] = [{"name": name, "key": "ip", "requests": 2, "per": "60s"} for name in ("a", "gone")]
    limits.append({"name": "here", "key": "ip", "requests": 2, "per": "60s", "local": True})
    store = {"redis": {"url_env": "REDIS"}}
    environ = {"REDIS": "redis://127.0.0.1:1/0"}
    told = Told(without_gone)
    async with gateway(tmp_path, upstream(1), limits=limits, store=store, environ=environ, counts=told) as accord:
        page = by_name((await status(accord, "ip=192.0.2.7")).json())
    assert [page[name]["looked_up"] for name in ("a", "gone", "here")] == ["redis", None, "process"]
    assert (page["a"]["admitted"], page["a"]["retry_after_s"], page["a"]["remaining"]) == (False, 5.0, 1)
    assert (page["gone"]["admitted"], page["gone"]["remaining"]) == (None, None)


@on_uvloop
async def test_a_share_is_told_while_the_store_is_away(tmp_path: Path) -> None:
    """Once it is given up limits are counted here, as the status page and the metrics say."""
    limits = [{"name": "a", "key": "ip", "requests": 9, "per": "60s"}]
    environ = {"REDIS": "redis://127.0.0.1:1/0"}
    store = {"redis": {"url_env": "REDIS"}}
    async with (
        serve(MANY) as origin,
        gateway(tmp_path, upstream(origin), limits=limits, store=store, environ=environ) as accord,
    ):
        answers = [await accord.get("/api/a") for _ in range(4)]
        limit = by_name((await status(accord, "ip=127.0.0.1")).json())["a"]
        samples = accord.metrics().splitlines()
    assert [answer.status for answer in answers] == [200] * 4
    assert (limit["looked_up"], limit["admitted"], limit["remaining"]) == ("share", True, 5)
    assert "accord_limit_store_up 0.0" in samples
    assert 'accord_limit_store_decisions_total{where="local"} 4.0' in samples
    assert "accord_limit_keys 1.0" in samples


@on_uvloop
async def test_budgets_of_an_upstream(tmp_path: Path) -> None:
    """One that counts some paths needs the path, and is left out where it counts another; what replies told is shown,
    and what is kept for the chosen is not held against them.
    """
    told = b"HTTP/1.1 200 OK\r\nX-RateLimit-Remaining: 40\r\nX-RateLimit-Limit: 60\r\nX-RateLimit-Reset: 30\r\n"
    to: dict[str, Any] = {
        "credentials": {"inject": [{"header": "Authorization", "value_env": "TOKEN"}]},
        "budget": [
            {"requests": 9, "per": "60s", "reserve": 2, "reserved_for": {"clients": ["web-shop"]}},
            {"name": "exports", "requests": 3, "per": "60s", "paths": "/exports/**"},
        ],
    }
    async with (
        serve((head(), send(told + b"Content-Length: 2\r\n\r\nok"))) as origin,
        gateway(tmp_path, upstream(origin, dialect="generic", **to), environ={"TOKEN": "x"}, clients=[SHOP]) as accord,
    ):
        empty = (await status(accord, "ip=127.0.0.1&upstream=api")).json()
        await accord.get("/api/a")
        page = (await status(accord, "ip=127.0.0.1&upstream=api")).json()
        inside = (await status(accord, "ip=127.0.0.1&upstream=api&path=/exports/7")).json()
        outside = (await status(accord, "client=web-shop&upstream=api&path=/a")).json()
        nowhere = (await status(accord, "ip=127.0.0.1")).json()
        bad = await status(accord, "path=a")
    assert (empty["learned"]["remaining"], empty["learned"]["reset_s"]) == (None, 0.0)
    assert page["not_looked_up"] == [
        {"name": "exports", "scope": "budget:api", "key": ["upstream"], "needs": ["path"]},
    ]
    assert by_name(page)["api-open"]["remaining"] == 6
    assert (page["learned"]["remaining"], page["learned"]["limit"], page["learned"]["paused_s"]) == (40, 60, 0.0)
    assert 0 < page["learned"]["reset_s"] <= 31
    assert by_name(inside)["exports"]["remaining"] == 3
    assert inside["request"]["path"] == "/exports/7"
    assert "exports" not in by_name(outside)
    assert "api-open" not in by_name(outside)
    assert nowhere["learned"] is None
    assert bad.status == 400
