"""Another configuration in place of the one that serves, in one process: what goes on, and what is new."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.app.loading import load_all
from gateway.errors import ConfigError
from tests.components import require_component
from tests.integration.certificates import Authority
from tests.integration.harness import gateway, get, on_uvloop, upstream, written
from tests.integration.origin import MANY, OK, head, send, serve, tell, wait
from tests.integration.reloading import OURS, TOKEN, reload, status, statuses
from tests.integration.test_websocket import SWITCHED, echo, open_tunnel, taken
from tests.integration.wire import PATIENCE_S, connect

if TYPE_CHECKING:
    from typing import Any

    from tests.integration.harness import Running

TWO = {"name": "two", "key": "ip", "requests": 2, "per": "1h"}
GRANT = b"X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 30\r\n"
SPENT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + GRANT + b"\r\nok"
STRANGE = b'HTTP/1.1 418 Tea\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"zork": "b"}'


pytestmark = pytest.mark.usefixtures("thawed")


def descriptors() -> int:
    """Count what this process has open."""
    return len([*Path("/dev/fd").iterdir()])


@on_uvloop
async def test_a_request_under_way_ends_where_it_began(tmp_path: Path) -> None:
    """New requests go the new way at once, on the same client's connection too; the old connections close."""
    begun, over = asyncio.Event(), asyncio.Event()
    async with serve((head(), tell(begun), wait(over), send(OK))) as old, serve(MANY) as new:
        async with gateway(tmp_path, upstream(old)) as accord, await connect(accord.port) as wire:
            await wire.send(get("/api/a"))
            await begun.wait()
            conversation = old.conversations[0]
            await reload(accord, written(tmp_path, upstream(new)))
            assert (await accord.get("/api/a")).status == 200
            assert len(new.conversations) == 1
            over.set()
            assert (await wire.reply()).body == b"ok"
            async with asyncio.timeout(PATIENCE_S):
                await conversation.gone.wait()
            await wire.send(get("/api/a"))
            assert (await wire.reply()).status == 200
        assert (len(old.conversations), len(new.conversations)) == (1, 1)


@on_uvloop
async def test_a_websocket_outlives_its_upstream_s_configuration(tmp_path: Path) -> None:
    """Bytes go both ways after the upstream is configured otherwise, and after it is gone; nobody new gets in."""
    async with (
        serve((head(), send(SWITCHED), echo(8))) as origin,
        serve(MANY) as other,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await open_tunnel(wire)
        await wire.send(b"once")
        assert await taken(wire, 4) == b"once"
        await reload(accord, written(tmp_path, upstream(other, name="second")))
        await reload(accord, written(tmp_path, upstream(other, name="another")))
        await wire.send(b"more")
        assert await taken(wire, 4) == b"more"
        assert (await accord.get("/api/a")).status == 404


@on_uvloop
async def test_a_request_that_waits_for_a_limit_keeps_its_place(tmp_path: Path) -> None:
    """It goes the way that it came for, when the place of one from before the reload is free; then the new ones."""
    begun, over = asyncio.Event(), asyncio.Event()
    limit = {"name": "places", "key": "ip", "concurrent": 1, "when_exceeded": "wait", "max_wait": "60s"}
    script = (head(), tell(begun), wait(over), send(OK), head(), send(OK))
    async with serve(script) as old, serve(MANY) as new:  # noqa: SIM117 - what is served, then what asks
        async with gateway(tmp_path, upstream(old), limits=[limit]) as accord:
            first = asyncio.ensure_future(accord.get("/api/first"))
            await begun.wait()
            second = asyncio.ensure_future(accord.get("/api/second"))
            while not accord.application.admission.rooms:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
            await reload(accord, written(tmp_path, upstream(new), limits=[limit]))
            third = asyncio.ensure_future(accord.get("/api/third"))
            waits = accord.application.admission.rooms.waits
            async with asyncio.timeout(PATIENCE_S):
                while sum(one.now for one in waits.values()) < 2:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0)
            over.set()
            assert [answer.status for answer in await asyncio.gather(first, second, third)] == [200, 200, 200]
            assert b"/second" in b"".join(conversation.received for conversation in old.conversations)
            assert b"/third" in new.conversations[0].received
            assert not accord.application.admission.rooms


@pytest.mark.parametrize("store", ["memory", "shared"])
@on_uvloop
async def test_who_is_at_a_limit_stays_there(tmp_path: Path, store: str) -> None:
    """A limit that stays counts on; one that is new or says something else begins anew; one taken away is gone.

    Where there is room nothing is forgotten before it would have lapsed.
    """
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=[TWO], store=store) as accord:
        assert await statuses(accord, "/api/a", 3) == [200, 200, 429]
        more = upstream(origin, limits=[TWO | {"name": "own", "requests": 1}])
        await reload(accord, written(tmp_path, more, limits=[TWO], store=store))
        assert await statuses(accord, "/api/a", 1) == [429]
        await reload(accord, written(tmp_path, more, limits=[TWO | {"requests": 9}], store=store))
        assert await statuses(accord, "/api/a", 2) == [200, 429]
        await reload(accord, written(tmp_path, upstream(origin), store=store))
        assert await statuses(accord, "/api/a", 3) == [200, 200, 200]
        await reload(accord, written(tmp_path, upstream(origin), limits=[TWO], store=store))
        assert await statuses(accord, "/api/a", 1) == [429 if store == "memory" else 200]


@on_uvloop
async def test_shadow_mode_is_counted_by_its_own_words(tmp_path: Path) -> None:
    """A limit that is put into shadow mode keeps its counts, and refuses nobody."""
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=[TWO]) as accord:
        assert await statuses(accord, "/api/a", 3) == [200, 200, 429]
        await reload(accord, written(tmp_path, upstream(origin), limits=[TWO | {"mode": "shadow"}]))
        assert await statuses(accord, "/api/a", 1) == [200]
        samples = accord.metrics()
    assert 'accord_limit_decisions_total{policy="two",scope="gateway",verdict="refused"} 1.0' in samples
    assert 'accord_limit_decisions_total{policy="two",scope="gateway",verdict="would_refuse"} 1.0' in samples


@on_uvloop
async def test_the_series_of_an_upstream_go_with_it(tmp_path: Path) -> None:
    """Those of its limits, of their waits and of its budgets too; what is counted of others goes on."""
    own: dict[str, Any] = {
        "limits": [TWO, TWO | {"name": "slow", "when_exceeded": "wait", "max_wait": "50ms", "requests": 1}]
    }
    budget = {"requests": 9, "per": "1h", "paths": ["/b"]}
    async with (
        serve(MANY) as origin,
        gateway(
            tmp_path,
            upstream(origin, **own),
            upstream(origin, "parts", credentials=OURS, budget=budget, **own),
            environ=TOKEN,
        ) as accord,
    ):
        for target in ("/api/a", "/parts/a"):
            assert await statuses(accord, target, 2) == [200, 429]
        assert 'parts"' in accord.metrics()
        before = _limit_samples(accord)
        await reload(accord, written(tmp_path, upstream(origin, **own)))
        assert 'parts"' not in accord.metrics()
        assert _limit_samples(accord) == [line for line in before if 'parts"' not in line]


def _limit_samples(accord: Running) -> list[str]:
    return [line for line in accord.metrics().splitlines() if line.startswith("accord_limit_") and "scope" in line]


@on_uvloop
async def test_connections_stay_where_their_settings_do(tmp_path: Path) -> None:
    """A change that is not about connections opens none; one that is closes those at rest."""
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin)) as accord:
        assert await statuses(accord, "/api/a", 1) == [200]
        await reload(accord, written(tmp_path, upstream(origin, dialect="generic"), via="another"))
        answer = await accord.get("/api/a")
        assert (answer.status, answer.header("Via")) == (200, b"1.1 another")
        assert len(origin.conversations) == 1
        await reload(accord, written(tmp_path, upstream(origin, timeouts={"first_byte": "3s"}), via="another"))
        async with asyncio.timeout(PATIENCE_S):
            await origin.conversations[0].gone.wait()
        assert await statuses(accord, "/api/a", 1) == [200]
        assert len(origin.conversations) == 2


@on_uvloop
async def test_a_certificate_is_read_again(tmp_path: Path) -> None:
    """An authority that was exchanged under the same name is trusted with the next reload, and the old one no more."""
    require_component("openssl")
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old, new = Authority(tmp_path / "old"), Authority(tmp_path / "new")
    trusted = tmp_path / "ca.pem"
    async with serve(MANY, tls=new.server("IP:127.0.0.1")) as origin:
        settings = upstream(origin, tls={"ca_file": "../ca.pem"}, base_url=f"https://127.0.0.1:{origin.port}")
        (tmp_path / "upstreams").mkdir()
        trusted.write_bytes(old.file.read_bytes())
        async with gateway(tmp_path, settings) as accord:
            assert await statuses(accord, "/api/a", 1) == [503]
            trusted.write_bytes(new.file.read_bytes())
            await reload(accord, tmp_path / "gateway.yaml")
            assert await statuses(accord, "/api/a", 1) == [200]
            trusted.write_text("nonsense")
            with pytest.raises(ConfigError, match="ca_file: holds no certificate"):
                await reload(accord, tmp_path / "gateway.yaml")
            assert await statuses(accord, "/api/a", 1) == [200]


@on_uvloop
async def test_what_was_learned_of_a_budget_is_known_on(tmp_path: Path) -> None:
    """While the upstream and our credential stay; a reply to a request from before the reload is taken, too."""
    begun, over = asyncio.Event(), asyncio.Event()
    script = (head(), tell(begun), wait(over), send(SPENT), *MANY)
    async with serve(script) as origin:
        ours = upstream(origin, credentials=OURS)
        async with gateway(tmp_path, ours, environ=TOKEN) as accord:
            first = asyncio.ensure_future(accord.get("/api/a"))
            await begun.wait()
            await reload(accord, written(tmp_path, ours | {"budget": {"fair": "client"}}))
            over.set()
            assert (await first).status == 200
            refused = await accord.get("/api/a")
            assert (refused.status, refused.json()["code"]) == (503, "upstream_budget_exhausted")
            assert 'accord_budget_remaining{upstream="api"} 0.0' in accord.metrics()
            assert 'accord_budget_in_flight{upstream="api"} 0.0' in accord.metrics()
            await reload(accord, written(tmp_path, ours | {"request": {"headers": {"set": {"X-Account": "2"}}}}))
            assert await statuses(accord, "/api/a", 1) == [200]


@on_uvloop
async def test_what_was_seen_and_counted_goes_on(tmp_path: Path) -> None:
    """Of upstreams that stay: unknown shapes, failures, metrics. The page tells of those that are there."""
    async with (
        serve((head(), send(STRANGE)) * 3, MANY) as origin,
        gateway(tmp_path, upstream(origin), environ=TOKEN) as accord,
    ):
        assert await statuses(accord, "/api/a", 1) == [418]
        await reload(accord, written(tmp_path, upstream(origin, credentials=OURS), upstream(origin, name="more")))
        assert await statuses(accord, "/api/a", 1) == [418]
        told = await status(accord)
        assert [(one["name"], one["outcomes"]) for one in told["upstreams"]] == [
            ("api", {"upstream_4xx": 2}),
            ("more", {}),
        ]
        samples = accord.metrics()
        assert 'accord_unknown_shapes_total{upstream="api"} 2.0' in samples
        assert 'status="418"' in samples
        await reload(accord, written(tmp_path, upstream(origin, name="more")))
        assert [one["name"] for one in (await status(accord))["upstreams"]] == ["more"]


FIXED = [
    ({"listen": "127.0.0.1:1"}, "listen"),
    ({"admin": "127.0.0.1:1"}, "admin"),
    ({"store": "shared"}, "store"),
    ({"store": {"memory": {"max_keys": 7}}}, "store"),
]


@pytest.mark.parametrize(("settings", "key"), FIXED)
@on_uvloop
async def test_what_needs_a_restart_is_told(tmp_path: Path, settings: dict[str, object], key: str) -> None:
    """With its place; and nothing of the rest of the file is taken."""
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin)) as accord:
        with pytest.raises(ConfigError, match=rf"gateway.yaml:1:\d+ {key}: {key} cannot .* \(restart it for that\)"):
            await reload(accord, written(tmp_path, upstream(origin), via="another", **settings))
        assert (await accord.get("/api/a")).header("Via") == b"1.1 accord"


@on_uvloop
async def test_a_hundred_reloads_leave_nothing_behind(tmp_path: Path) -> None:
    """No task, no connection, and no more objects than before; even what refers to itself in a ring is not needed."""
    async with serve(*[MANY] * 300) as origin, gateway(tmp_path, upstream(origin)) as accord:

        async def change(number: int) -> None:
            limits = [TWO | {"requests": 1_000 + number, "per": "1m"}]
            one = upstream(origin, timeouts={"total": f"{100 + number}s"}, limits=limits)
            await reload(accord, written(tmp_path, one, upstream(origin, name=f"n{number}"), limits=limits))
            assert await statuses(accord, "/api/a", 1) == [200]
            assert await statuses(accord, f"/n{number}/a", 1) == [200]

        for number in range(10):
            await change(number)
        gc.collect()
        gc.disable()
        try:
            tasks, objects = len(asyncio.all_tasks()), len(gc.get_objects())
            for number in range(10, 110):
                await change(number)
            assert len(asyncio.all_tasks()) - tasks <= len(origin.conversations)  # the origin's own
            gone = sum(conversation.gone.is_set() for conversation in origin.conversations)
            grown = len(gc.get_objects()) - objects
        finally:
            gc.enable()
        assert len(origin.conversations) - gone <= 4
        assert grown < 20_000


@on_uvloop
async def test_room_that_was_made_and_not_needed_is_given_back(tmp_path: Path) -> None:
    """A configuration that fails after there was room for its limits leaves no descriptor, and succeeds when mended."""
    require_component("openssl")
    (tmp_path / "ca").mkdir()
    authority = Authority(tmp_path / "ca")
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), store="shared") as accord:
        own = upstream(origin, tls={"ca_file": "../ca.pem"}, limits=[TWO], base_url="https://127.0.0.1:1")
        (tmp_path / "ca.pem").write_bytes(authority.file.read_bytes())
        config = load_all(written(tmp_path, own, store="shared"), TOKEN)
        (tmp_path / "ca.pem").unlink()
        before = descriptors()
        for _ in range(3):
            with pytest.raises(ConfigError, match="ca_file: cannot be read"):
                await accord.application.take(config)
        assert descriptors() == before
        await reload(accord, written(tmp_path, upstream(origin, limits=[TWO]), store="shared"))
        assert await statuses(accord, "/api/a", 3) == [200, 200, 429]
