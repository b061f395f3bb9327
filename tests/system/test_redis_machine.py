"""The store in Redis against the exact model that all stores are held to, with the clock given."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from gateway.limits import Policy
from gateway.limits.stores import MemoryStore
from gateway.limits.stores.redis.remote import RedisRemote
from gateway.limits.stores.redis.target import parse
from tests.property.store_machine import StoreMachine
from tests.system.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway.limits.stores import Store
    from gateway.limits.values import Ask, Charge, Decision, Verdict

_LONG_S = 10.0**8
_OTHER = Policy(name="other", requests=1, per_us=1, burst=1, key=("ip",))


class _Stand:
    """A server and a store on it for all examples, and the loop that they are driven in."""

    def __init__(self, runner: asyncio.Runner, path: str) -> None:
        self.runner = runner
        self.clock = (0, 0)
        self.remote = runner.run(self._remote(path))

    async def _remote(self, path: str) -> RedisRemote:
        target = parse(f"unix://{path}", timeout_s=5)
        remote = RedisRemote(target, b"machine", lease_s=_LONG_S, clock=lambda: self.clock)
        await remote.ready()
        return remote

    def decide(self, asks: list[Ask], *, charging: bool) -> Decision:
        async def asked() -> Decision:
            return await (self.remote.decide(asks) if charging else self.remote.peek(asks))

        return self.runner.run(asked())

    def give_back(self, charges: Sequence[Charge], *, places_alone: bool) -> None:
        async def given_back() -> None:
            (self.remote.release if places_alone else self.remote.refund)(charges)
            await self.remote.peek([(_OTHER, b"", 0)])  # goes the same way, so it is answered after it

        self.runner.run(given_back())


class RedisMachine(StoreMachine):
    """The script takes the clock as it is: the server's own does not stand still for it."""

    stands_still = False
    stand: _Stand
    flush: Callable[[], object]

    def make_store(self) -> Store:
        """Forget what other examples counted. What has the port's methods is this machine itself."""
        self.flush()
        return MemoryStore()

    def decide(self, asks: list[Ask]) -> Decision:
        """Ask at the machine's time."""
        self.stand.clock = (self.now_us, self.unix_us)
        return self.stand.decide(asks, charging=True)

    def peek(self, asks: list[Ask]) -> Decision:
        """Look at the machine's time."""
        self.stand.clock = (self.now_us, self.unix_us)
        return self.stand.decide(asks, charging=False)

    def refund(self, charges: Sequence[Charge]) -> Sequence[Verdict] | None:
        """Give back; nobody waits for what the policies say then."""
        self.stand.clock = (self.now_us, self.unix_us)
        self.stand.give_back(charges, places_alone=False)
        return None

    def release(self, charges: Sequence[Charge]) -> None:
        """End a request."""
        self.stand.clock = (self.now_us, self.unix_us)
        self.stand.give_back(charges, places_alone=True)


@pytest.fixture(autouse=True, scope="module")
def _stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server, asyncio.Runner() as runner, server.admin as admin:
        RedisMachine.stand = _Stand(runner, str(server.path))
        RedisMachine.flush = staticmethod(admin.flushall)
        yield
        runner.run(RedisMachine.stand.remote.aclose())


TestRedis = RedisMachine.TestCase
TestRedis.settings = settings(max_examples=150, stateful_step_count=30)
