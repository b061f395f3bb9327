"""Limits on a real Redis: what it costs, what it keeps, how it heals."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import Redis

from gateway.errors import StoreFailure, StoreReason
from gateway.limits import Policy
from gateway.limits.members import LARGEST
from gateway.limits.policy import MOST_PLACES, PERIOD_US, Algorithm, Period
from gateway.limits.stores.redis.remote import RedisRemote
from gateway.limits.stores.redis.target import parse
from tests.integration.certificates import Authority
from tests.integration.wire import PATIENCE_S
from tests.system.redis_server import redis_server, store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from redis import Redis as Admin

    from gateway.limits.values import Ask, Decision
    from tests.system.redis_server import RedisServer

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US


def policy(name: str, requests: int = 5, per_us: int = MINUTE_US, **more: Any) -> Policy:  # noqa: ANN401 - as Policy has it
    """Return a limit of so many in a time, all of them at once."""
    return Policy(name=name, requests=requests, per_us=per_us, burst=requests, key=("ip",), **more)


RATE = policy("rate")
LOG = policy("log", algorithm=Algorithm.SLIDING_LOG)
DAY = policy("day", per_us=PERIOD_US[Period.DAY], algorithm=Algorithm.CALENDAR, period=Period.DAY)
PLACES = policy("places", requests=2, per_us=0, algorithm=Algorithm.CONCURRENCY)
ALL = (RATE, LOG, DAY, PLACES)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run one server for all tests that do it no harm."""
    with redis_server(tmp_path_factory.mktemp("redis")) as one:
        yield one


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    """Have it empty."""
    with running.admin as admin:
        admin.flushall()
    return running


@contextlib.asynccontextmanager
async def commands(server: RedisServer) -> AsyncIterator[list[str]]:
    """Collect what clients, and not scripts, ask of the server; it is complete when the context has ended."""
    seen: list[str] = []
    async with Redis(unix_socket_path=str(server.path)) as client, Redis(unix_socket_path=str(server.path)) as other:
        await other.ping()
        async with client.monitor() as monitor:
            yield seen
            await other.echo("the end")
            while "the end" not in (told := await monitor.next_command())["command"]:
                if told["client_type"] != "lua":
                    seen.append(told["command"].split()[0].upper())


def asks(*policies: Policy, key: bytes = b"ip=192.0.2.1", cost: int = 1) -> list[Ask]:
    """Ask them all for one key."""
    return [(one, key, cost) for one in policies]


def names(admin: Admin) -> list[bytes]:
    """Return the names of all keys."""
    return list(admin.scan_iter())


async def reason(remote: RedisRemote) -> StoreReason:
    """Ask and be failed."""
    with pytest.raises(StoreFailure) as failed:
        await remote.decide(asks(RATE))
    return failed.value.reason


async def healed(remote: RedisRemote) -> Decision:
    """Ask until there is an answer again."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await remote.decide(asks(RATE, key=b"healed"))
            except StoreFailure:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("policies", [ALL[:1], ALL])
async def test_one_round_trip(server: RedisServer, policies: tuple[Policy, ...]) -> None:
    """A request costs one round trip, however many policies it has."""
    async with store(server.url) as remote:
        await remote.decide(asks(RATE, key=b"another"))  # now the server knows the script
        async with commands(server) as seen:
            for _ in range(3):
                await remote.decide(asks(*policies))
    assert seen == ["EVALSHA"] * 3


async def test_shared_round_trips(server: RedisServer) -> None:
    """Decisions that are asked for in one turn of the loop share a round trip, each with an answer of its own."""
    wide = policy("wide", requests=60)
    async with store(server.url) as remote:
        await remote.decide(asks(RATE, key=b"another"))
        async with commands(server) as seen:
            decided = await asyncio.gather(*(remote.decide(asks(wide)) for _ in range(64)))
    assert seen == ["EVALSHA"]
    assert [one.admitted for one in decided] == [True] * 60 + [False] * 4
    assert [one.verdicts[0].remaining for one in decided[:60]] == list(range(59, -1, -1))


async def test_bounded_calls(server: RedisServer) -> None:
    """However many ask at once, a call takes 64 of them."""
    async with store(server.url) as remote:
        await remote.decide(asks(RATE, key=b"another"))
        async with commands(server) as seen:
            await asyncio.gather(*(remote.decide(asks(RATE)) for _ in range(640)))
    assert seen == ["EVALSHA"] * 10


async def test_all_or_none(server: RedisServer) -> None:
    """Where one policy refuses none is charged, and one in shadow mode refuses nobody."""
    narrow, shadow = policy("narrow", requests=1), policy("shadow", requests=1, shadow=True)
    async with store(server.url) as remote:
        first = await remote.decide(asks(RATE, narrow, shadow))
        second = await remote.decide(asks(RATE, narrow, shadow))
        third = await remote.decide(asks(RATE, shadow))
    assert [one.remaining for one in (*first.verdicts, *first.shadowed)] == [4, 0, 0]
    assert not second.admitted
    assert second.charges == ()
    assert [(one.admitted, one.remaining) for one in second.verdicts] == [(True, 4), (False, 0)]
    assert third.admitted
    assert [charge.policy for charge in third.charges] == [RATE]
    assert not third.shadowed[0].admitted


async def test_large_numbers(server: RedisServer) -> None:
    """Numbers as large as a structured field holds stay exact, in the store too."""
    slow = policy("slow", requests=1, per_us=LARGEST)
    async with store(server.url) as remote:
        (charge,) = (await remote.decide(asks(slow))).charges
        with server.admin as admin:
            (name,) = names(admin)
            assert admin.get(name) == b"%d" % charge.mark
        refused = await remote.decide(asks(slow))
        remote.refund([charge])
        await remote.peek(asks(slow))
        with server.admin as admin:
            seconds, micros = admin.time()
    assert charge.mark > 2**53 // 10
    now_us = charge.mark - refused.verdicts[0].retry_after_us
    assert 0 <= seconds * SECOND_US + micros - now_us < PATIENCE_S * SECOND_US
    assert refused.verdicts[0].reset_us == refused.verdicts[0].retry_after_us


async def test_script_forgotten(server: RedisServer) -> None:
    """A server that forgot the script is sent it once, and nobody notices."""
    async with store(server.url) as remote:
        await remote.decide(asks(RATE))
        with server.admin as admin:
            admin.script_flush()
        async with commands(server) as seen:
            decided = [await remote.decide(asks(RATE)) for _ in range(2)]
    assert seen == ["EVALSHA", "EVAL", "EVALSHA"]
    assert [one.verdicts[0].remaining for one in decided] == [3, 2]


async def test_lives(server: RedisServer) -> None:
    """Every key ends by itself, when it says nothing any more and not before."""
    async with store(server.url) as remote:
        decided = await remote.decide(asks(*ALL))
        await remote.beat(b"one")
    with server.admin as admin:
        lives_ms = sorted(admin.pttl(name) for name in names(admin))
    day_ms = decided.verdicts[2].reset_us // 1000
    expected = sorted([15_000, 12_000, 60_000, day_ms, 30_000])
    assert len(lives_ms) == len(expected)
    for life_ms, most_ms in zip(lives_ms, expected, strict=True):
        assert most_ms - PATIENCE_S * 1000 < life_ms <= most_ms + 1


async def test_log_is_bounded(server: RedisServer) -> None:
    """Of a sliding log nothing is kept that no longer counts."""
    clock = [1_000_000_000]
    async with store(server.url, clock=lambda: (clock[0], clock[0])) as remote:
        for _ in range(20):
            clock[0] += LOG.per_us // LOG.requests
            assert (await remote.decide(asks(LOG))).admitted
    with server.admin as admin:
        (name,) = names(admin)
        assert admin.llen(name) == LOG.requests


async def test_nothing_to_read(server: RedisServer) -> None:
    """Nobody who reads the store learns who a client is or what was configured."""
    key = b"client=moon/ip=192.0.2.1"
    async with store(server.url, b"replica-name") as remote:
        await remote.decide(asks(*ALL, key=key))
        await remote.beat(b"replica-name")
    with server.admin as admin:
        kept = b" ".join(name + b" " + (admin.dump(name) or b"") for name in names(admin))
    assert kept.count(b"accord:{") == len(ALL) + 1
    for secret in (b"moon", b"192.0.2", b"replica-name", b"rate", b"places"):
        assert secret not in kept


async def test_refund(server: RedisServer) -> None:
    """What is given back can be asked for again."""
    async with store(server.url) as remote:
        before = await remote.peek(asks(*ALL))
        charged = await remote.decide(asks(*ALL))
        remote.refund(charged.charges)
        after = await remote.peek(asks(*ALL))
    assert [one.remaining for one in after.verdicts] == [one.remaining for one in before.verdicts]


async def test_refund_before_the_clock_goes_back(server: RedisServer) -> None:
    """A day that has begun is not taken back by a clock that is, though nothing of it is used any more."""
    clock = [20_000 * DAY.per_us]
    async with store(server.url, clock=lambda: (clock[0], clock[0])) as remote:
        charged = await remote.decide(asks(DAY))
        remote.refund(charged.charges)
        clock[0] -= 1
        again = await remote.decide(asks(DAY))
    assert again.charges == charged.charges


async def test_release(server: RedisServer) -> None:
    """A request that ends gives its places back and nothing else."""
    async with store(server.url) as remote:
        charged = await remote.decide(asks(*ALL))
        remote.release(charged.charges)
        after = await remote.decide(asks(*ALL, cost=0))
    assert [one.remaining for one in after.verdicts] == [4, 4, 4, 2]


async def test_many_places(server: RedisServer) -> None:
    """The dearest request that there may be takes its places, renews them and gives them back."""
    many = policy("many", requests=MOST_PLACES, per_us=0, algorithm=Algorithm.CONCURRENCY)
    async with store(server.url) as remote:
        charged = await remote.decide(asks(many, cost=MOST_PLACES))
        await remote.beat(b"one")
        refused = await remote.decide(asks(many))
        remote.release(charged.charges)
        after = await remote.peek(asks(many))
        assert not remote.lost
    assert (charged.admitted, refused.admitted) == (True, False)
    assert after.verdicts[0].remaining == MOST_PLACES - 1


async def test_places_of_the_dead(server: RedisServer) -> None:
    """A place is held while its replica beats, and comes back when it does no more."""
    clock = [1_000_000_000]

    def now() -> tuple[int, int]:
        return clock[0], clock[0]

    async with (
        store(server.url, b"one", clock=now) as one,
        store(server.url, b"two", clock=now) as two,
    ):
        await one.decide(asks(PLACES, cost=2))
        clock[0] += 20 * SECOND_US
        await one.beat(b"one")
        clock[0] += 20 * SECOND_US
        assert not (await two.decide(asks(PLACES))).admitted
        clock[0] += 10 * SECOND_US
        assert (await two.decide(asks(PLACES))).admitted


async def test_replicas(server: RedisServer) -> None:
    """A replica counts while it missed fewer than three beats."""
    clock = [1_000_000_000]
    async with store(server.url, clock=lambda: (clock[0], clock[0]), beat_s=2) as remote:
        assert await remote.beat(b"one") == 1
        clock[0] += 5 * SECOND_US
        assert await remote.beat(b"two") == 2
        clock[0] += 1 * SECOND_US
        assert await remote.beat(b"two") == 1


async def test_who_left_is_not_charged(server: RedisServer) -> None:
    """Who no longer waits for a decision is given back what it was charged."""
    async with store(server.url) as remote:
        remote.decide(asks(*ALL)).cancel()
        async with asyncio.timeout(PATIENCE_S):
            while (seen := await remote.decide(asks(*ALL, cost=0))).verdicts[3].remaining < 2:
                pass
    assert [one.remaining for one in seen.verdicts] == [5, 5, 5, 2]


async def test_gone(tmp_path: Path) -> None:
    """Without a server a decision fails at once, and when it is back all goes on."""
    with redis_server(tmp_path / "redis") as server:
        async with store(server.url) as remote:
            charged = await remote.decide(asks(RATE))
            server.stop()
            assert await reason(remote) is StoreReason.REFUSED
            remote.refund(charged.charges)
            assert remote.lost == {StoreReason.REFUSED: 1}
            server.start()
            assert (await healed(remote)).admitted


async def test_stalled(tmp_path: Path) -> None:
    """A server that answers nothing costs each call its own timeout, and is asked again when it goes on."""
    with redis_server(tmp_path / "redis") as server:
        async with store(parse(server.url)) as remote:
            server.stall()
            assert await reason(remote) is StoreReason.TIMEOUT
            assert await reason(remote) is StoreReason.TIMEOUT  # at once: there is no connection
            server.go_on()
            assert (await healed(remote)).admitted


async def test_read_only(server: RedisServer) -> None:
    """A replica takes no writes, and says so."""
    async with store(server.url) as remote:
        with server.admin as admin:
            admin.replicaof("127.0.0.1", "1")
            try:
                assert await reason(remote) is StoreReason.READONLY
            finally:
                admin.replicaof("NO", "ONE")
        assert (await healed(remote)).admitted


async def test_full(server: RedisServer) -> None:
    """A server without memory charges nothing, rather than half of a request."""
    async with store(server.url) as remote:
        await remote.decide(asks(RATE, key=b"another"))
        with server.admin as admin:
            admin.config_set("maxmemory", 1)
            try:
                assert await reason(remote) is StoreReason.FULL
            finally:
                admin.config_set("maxmemory", 0)
        assert (await remote.decide(asks(RATE))).verdicts[0].remaining == 4


async def test_unix_socket(server: RedisServer) -> None:
    """A server is reached by its Unix socket, in the database that the URL names."""
    async with store(f"unix://{server.path}?db=3") as remote:
        assert (await remote.decide(asks(RATE))).admitted
    with server.admin as admin:
        assert admin.info("keyspace").keys() == {"db3"}


async def test_tls(tmp_path: Path) -> None:
    """A server is reached by TLS, if its certificate is signed by the authorities that were named."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("redis", "IP:127.0.0.1")
    files = ("--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(authority.file))
    plain = redis_server(tmp_path / "redis", "--tls-auth-clients", "no", *files)
    with plain as server:
        with server.admin as admin:
            admin.config_set("port", 0)
            admin.config_set("tls-port", server.port)
        url = f"rediss://127.0.0.1:{server.port}"
        async with store(parse(url, ca_file=str(authority.file), timeout_s=PATIENCE_S)) as remote:
            assert (await remote.decide(asks(RATE))).admitted
        stranger = RedisRemote(parse(url), b"one")
        assert (await _refused_for_good(stranger)).reason is StoreReason.REFUSED


async def test_password(tmp_path: Path) -> None:
    """A user and its password are let in; with a wrong one nothing is decided, and it stands nowhere."""
    rule = ("--user", "limits", "on", ">right:@/", "~accord:*", "+@all")
    with redis_server(tmp_path / "redis", *rule) as server:
        async with store(f"redis://limits:right%3A%40%2F@127.0.0.1:{server.port}") as remote:
            assert (await remote.decide(asks(RATE))).admitted
        target = parse(f"redis://limits:wrong-secret@127.0.0.1:{server.port}")
        wrong = RedisRemote(target, b"one")
        failure = await _refused_for_good(wrong)
    assert failure.reason is StoreReason.AUTH
    for text in (repr(target), str(target), repr(wrong), repr(failure), str(failure), repr(failure.__cause__)):
        assert "wrong-secret" not in text


async def _refused_for_good(remote: RedisRemote) -> StoreFailure:
    """Wait until connecting was tried in vain, and return how a decision fails then."""
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                await remote.ready()
                raise AssertionError("it was let in")
        with pytest.raises(StoreFailure) as failed:
            await remote.decide(asks(RATE))
        return failed.value
    finally:
        await remote.aclose()
