"""Requests that wait for a limit in place of being refused, through the gateway."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.integration.harness import gateway, get, post, upstream
from tests.integration.loops import in_virtual_time
from tests.integration.origin import MANY, gone, head, serve
from tests.integration.wire import connect

if TYPE_CHECKING:
    from pathlib import Path

WAITS = {"when_exceeded": "wait", "max_wait": "5s"}
TWO_A_SECOND = {"name": "slow", "key": "upstream", "requests": 2, "per": "1s", "burst": 1, **WAITS}


@in_virtual_time
async def test_requests_pass_when_their_turn_comes(tmp_path: Path) -> None:
    """One every half second, in the order in which they came, with no error among them."""
    loop = asyncio.get_running_loop()
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=[TWO_A_SECOND]) as accord:
        began_s, ended_s = loop.time(), list[float]()

        async def ask() -> None:
            assert (await accord.get("/api/a")).status == 200
            ended_s.append(round(loop.time() - began_s, 1))

        await asyncio.gather(*[ask() for _ in range(4)])
    assert ended_s == [0.0, 0.5, 1.0, 1.5]


@in_virtual_time
async def test_who_would_wait_too_long_is_refused_at_once(tmp_path: Path) -> None:
    """With the time that it would have had to wait, so that it can come back then."""
    limit = TWO_A_SECOND | {"max_wait": "700ms"}
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=[limit]) as accord:
        answers = await asyncio.gather(*[accord.get("/api/a") for _ in range(3)])
        last = [answer for answer in answers if answer.status != 200]
        assert [answer.status for answer in answers].count(200) == 2
        assert (last[0].status, last[0].json()["code"], last[0].header("Retry-After")) == (429, "rate_limited", b"1")
        assert 0.9 <= last[0].json()["retry"]["after"] <= 1.0


@in_virtual_time
async def test_nothing_goes_upstream_while_a_request_waits(tmp_path: Path) -> None:
    """No connection is made for it and its body is not asked for; a client that leaves has left the queue, too."""
    limit = {"name": "places", "key": "upstream", "concurrent": 1, "when_exceeded": "wait", "max_wait": "60s"}
    async with serve((head(), gone())) as origin, gateway(tmp_path, upstream(origin), limits=[limit]) as accord:
        rooms = accord.application.admission.rooms
        async with await connect(accord.port) as first:
            await first.send(get("/api/a"))
            await origin.conversation(0)
            async with await connect(accord.port) as second:
                await second.send(post("/api/b", b"x", "Expect: 100-continue"))
                await asyncio.sleep(1)
                assert (len(rooms), len(origin.conversations)) == (1, 1)
            left = await accord.outcomes.next()
            assert (left.path, left.outcome, len(rooms)) == ("/api/b", "cancelled", 0)


@in_virtual_time
async def test_a_place_that_comes_back_is_the_next_one_s(tmp_path: Path) -> None:
    """At once when the request before it ends, not when some time has passed."""
    limit = {"name": "places", "key": "upstream", "concurrent": 1, "when_exceeded": "wait", "max_wait": "60s"}
    loop = asyncio.get_running_loop()
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=[limit]) as accord:
        began_s = loop.time()
        answers = await asyncio.gather(*[accord.get("/api/a") for _ in range(5)])
        assert [answer.status for answer in answers] == [200] * 5
        assert loop.time() - began_s < 0.5
