"""Limits whose store answers later, as one on the network does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.limits.stores import MemoryStore
from gateway.limits.stores.split import SplitStore
from gateway.limits.values import Decision
from tests.integration.harness import gateway, get, on_uvloop, post, upstream
from tests.integration.origin import MANY, serve
from tests.integration.wire import PATIENCE_S, connect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.limits import Ask, Charge, Verdict

LIMITS = [{"name": "per-ip", "key": "ip", "requests": 1, "per": "60s"}]


class LaterStore:
    """A store in memory that answers when the test lets it."""

    def __init__(self) -> None:
        """Hold every answer back."""
        self.memory = MemoryStore()
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self.left = asyncio.Event()
        self.released: list[Charge] = []

    async def _later(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:
        self.asked.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.left.set()
            raise
        return self.memory.decide(asks, now_us, unix_us)

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> asyncio.Task[Decision]:
        """Decide when the test says so."""
        return asyncio.get_running_loop().create_task(self._later(asks, now_us, unix_us))

    def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:
        """Give back at once."""
        return self.memory.refund(charges, now_us, unix_us)

    def release(self, charges: Sequence[Charge], now_us: int) -> None:
        """Take note."""
        del now_us
        self.released += charges

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:
        """Look at once."""
        return self.memory.peek(asks, now_us, unix_us)


@pytest.mark.parametrize("request_bytes", [get("/api/a"), post("/api/a", b"x" * 100_000)], ids=["get", "post"])
@on_uvloop
async def test_a_decision_that_comes_later_decides_the_same(tmp_path: Path, request_bytes: bytes) -> None:
    """What is admitted goes upstream with its body, what is refused does not, and both are told as ever."""
    store = LaterStore()
    store.go.set()
    async with (
        serve(MANY) as origin,
        gateway(tmp_path, upstream(origin), limits=LIMITS, counts=store) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(request_bytes)
        first = await wire.reply()
        await wire.send(request_bytes)
        second = await wire.reply()
        assert len(origin.conversations) == 1
    assert (first.status, second.status) == (200, 429)
    assert first.header("RateLimit") == b'"per-ip";r=0;t=60'
    assert second.json()["violated-policies"] == ["per-ip"]


@on_uvloop
async def test_nothing_goes_upstream_before_the_decision(tmp_path: Path) -> None:
    """Not even a connection is made."""
    store = LaterStore()
    async with (
        serve(MANY) as origin,
        gateway(tmp_path, upstream(origin), limits=LIMITS, counts=store) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a"))
        await store.asked.wait()
        assert not origin.conversations
        store.go.set()
        assert (await wire.reply()).status == 200


@on_uvloop
async def test_a_client_that_leaves_takes_its_question_back(tmp_path: Path) -> None:
    """The decision is cancelled, so that its store can give back what it may have charged."""
    store = LaterStore()
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=LIMITS, counts=store) as accord:
        async with await connect(accord.port) as wire:
            await wire.send(get("/api/a"))
            await store.asked.wait()
        async with asyncio.timeout(PATIENCE_S):
            await store.left.wait()
        assert (await accord.outcomes.next()).outcome == "cancelled"
        assert not origin.conversations


@on_uvloop
async def test_a_store_that_breaks_is_a_failure_of_ours(tmp_path: Path) -> None:
    """Whatever it raises, the client gets an answer without a word of it."""

    class BrokenStore(LaterStore):
        async def _later(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:
            raise RuntimeError("secret")

    async with (
        serve(MANY) as origin,
        gateway(tmp_path, upstream(origin), limits=LIMITS, counts=BrokenStore()) as accord,
    ):
        answer = await accord.get("/api/a")
    assert (answer.status, answer.json()["code"]) == (500, "internal")
    assert b"secret" not in answer.body


@on_uvloop
async def test_a_store_that_is_away_may_refuse(tmp_path: Path) -> None:
    """With 503 and a code of its own, not with 429: the client did nothing. No limit that admitted is blamed for it."""

    class AwayStore(LaterStore):
        async def _later(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:
            return Decision(admitted=False, verdicts=(), tightest=None, unavailable=True)

    limits, counts = (
        [*LIMITS, {"name": "door", "key": "ip", "requests": 1, "per": "60s", "local": True}],
        SplitStore(MemoryStore(), AwayStore()),
    )
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=limits, counts=counts) as accord:
        answers = [await accord.get("/api/a") for _ in range(2)]
        logged = accord.log()[-1]
    assert [(answer.status, answer.json()["code"]) for answer in answers] == [(503, "store_unavailable")] * 2
    assert logged["limit"] is None


@on_uvloop
async def test_no_limit_is_blamed_for_a_store_that_is_away(tmp_path: Path) -> None:
    """A limit that was asked here and would have admitted the request has not refused it."""

    class AwayBesideLocal(LaterStore):
        async def _later(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision:
            here = self.memory.decide(asks, now_us, unix_us)
            return Decision(admitted=False, verdicts=here.verdicts, tightest=here.tightest, unavailable=True)

    store = AwayBesideLocal()
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=LIMITS, counts=store) as accord:
        answer = await accord.get("/api/a")
        logged = accord.log()[-1]
    assert (answer.status, answer.json()["code"]) == (503, "store_unavailable")
    assert answer.header("RateLimit") == b'"per-ip";r=0;t=60'
    assert logged["limit"] is None


@pytest.mark.parametrize("more", [{}, {"when_exceeded": "wait"}], ids=["refuse", "wait"])
@on_uvloop
async def test_a_decision_that_nobody_waits_for_is_given_back(tmp_path: Path, more: dict[str, str]) -> None:
    """Where it came in the very moment in which the client left, and so could not be cancelled."""
    store = LaterStore()

    class Late(asyncio.Future["Decision"]):
        """Is done when somebody comes to cancel it."""

        def cancel(self, msg: object = None) -> bool:
            del msg
            self.set_result(store.memory.decide(*question))
            return False

    question: Any = None

    class DoneStore(LaterStore):
        def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Any:  # noqa: ANN401 - a future of its own
            nonlocal question
            question = asks, now_us, unix_us
            store.asked.set()
            return Late()

        def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:
            return store.memory.refund(charges, now_us, unix_us)

    limits = [LIMITS[0] | more]
    async with serve(MANY) as origin, gateway(tmp_path, upstream(origin), limits=limits, counts=DoneStore()) as accord:
        async with await connect(accord.port) as wire:
            await wire.send(get("/api/a"))
            await store.asked.wait()
        assert (await accord.outcomes.next()).outcome == "cancelled"
        async with asyncio.timeout(PATIENCE_S):
            while not store.memory.peek(*question).admitted:  # noqa: ASYNC110 - a few turns of the loop
                await asyncio.sleep(0)
        assert not origin.conversations
