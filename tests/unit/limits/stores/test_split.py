"""What is counted here alone decides first; nothing is charged where the other store refuses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.limits import Decision, Policy
from gateway.limits.stores import MemoryStore
from gateway.limits.stores.split import SplitStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.limits import Ask, Charge, Verdict

NOW_US = 10**12
HERE = Policy(name="here", requests=1, per_us=1_000_000, burst=2, key=("ip",), local=True)
THERE = Policy(name="there", requests=1, per_us=1_000_000, burst=1, key=("ip",))
ASKS = [(HERE, b"a", 1), (THERE, b"a", 1)]
LOOK = [(HERE, b"a", 0), (THERE, b"a", 0)]


class LaterStore(MemoryStore):
    """A store in memory whose answers have to be waited for."""

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Any:  # noqa: ANN401 - wider than its parent's
        """Decide later."""
        return self._wait(super().decide, asks, now_us, unix_us)

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Any:  # noqa: ANN401 - as above
        """Look later."""
        return self._wait(super().peek, asks, now_us, unix_us)

    async def _wait(
        self, ask: Callable[[Sequence[Ask], int, int], Decision], asks: Sequence[Ask], now_us: int, unix_us: int
    ) -> Decision:
        await asyncio.sleep(0)
        return ask(asks, now_us, unix_us)


def split(there: MemoryStore) -> Callable[..., Decision]:
    """Return what decides by a split store at `NOW_US`, waiting where it has to."""
    store = SplitStore(MemoryStore(), there)

    def ask(asks: Sequence[Ask] = ASKS, what: str = "decide") -> Decision:
        async def waited() -> Decision:
            found = getattr(store, what)(asks, NOW_US, NOW_US)
            return found if isinstance(found, Decision) else await found

        return asyncio.run(waited())

    return ask


async def turns() -> None:
    """Let happen what is about to."""
    for _ in range(3):
        await asyncio.sleep(0)


def remaining(decision: Decision) -> dict[str, int]:
    """Return what each policy has left."""
    return {verdict.policy.name: verdict.remaining for verdict in decision.verdicts}


@pytest.mark.parametrize("there", [MemoryStore, LaterStore])
def test_all_or_none(there: type[MemoryStore]) -> None:
    """What was charged here comes back where the store refuses."""
    ask = split(there())
    assert ask().admitted
    assert remaining(ask(LOOK, "peek")) == {"here": 1, "there": 0}
    refused = ask()
    assert (refused.admitted, remaining(refused), refused.charges) == (False, {"here": 1, "there": 0}, ())
    assert refused.tightest is not None
    assert refused.tightest.policy is THERE
    assert remaining(ask([(HERE, b"a", 1)])) == {"here": 0}


def test_who_is_refused_here_costs_the_store_nothing() -> None:
    """It is not even asked."""
    there = MemoryStore()
    ask = split(there)
    for _ in range(2):
        ask([(HERE, b"a", 1)])
    assert remaining(ask()) == {"here": 0}
    assert len(there) == 0
    assert ask([(THERE, b"a", 1)]).admitted


def test_refund_and_release_reach_both() -> None:
    """Each store gets back what it charged."""
    store = SplitStore(MemoryStore(), MemoryStore())
    decision = store.decide(ASKS, NOW_US, NOW_US)
    assert isinstance(decision, Decision)
    assert [verdict.remaining for verdict in store.refund(decision.charges, NOW_US, NOW_US)] == [2, 1]
    store.release(decision.charges, NOW_US)
    for one in ASKS:
        decision = store.decide([one], NOW_US, NOW_US)
        assert isinstance(decision, Decision)
        assert len(store.refund(decision.charges, NOW_US, NOW_US)) == 1


async def test_who_leaves_gets_back_what_was_charged_here() -> None:
    """The store proper gives back its own."""
    here = MemoryStore()
    store = SplitStore(here, LaterStore())
    deciding = asyncio.ensure_future(store.decide(ASKS, NOW_US, NOW_US))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    deciding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deciding
    await turns()
    looked = here.peek([(HERE, b"a", 0)], NOW_US, NOW_US)
    assert [verdict.remaining for verdict in looked.verdicts] == [2]


async def test_who_leaves_when_the_answer_has_come_gets_back_all() -> None:
    """What the store charged in that very moment, too."""
    here, there = MemoryStore(), MemoryStore()
    answer: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()

    class AnsweredStore(MemoryStore):
        def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Any:  # noqa: ANN401 - wider than its parent's
            return answer

        def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:
            return there.refund(charges, now_us, unix_us)

    deciding = asyncio.ensure_future(SplitStore(here, AnsweredStore()).decide(ASKS, NOW_US, NOW_US))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    answer.set_result(there.decide([(THERE, b"a", 1)], NOW_US, NOW_US))
    deciding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deciding
    await turns()
    assert [one.remaining for one in here.peek([(HERE, b"a", 0)], NOW_US, NOW_US).verdicts] == [2]
    assert [one.remaining for one in there.peek([(THERE, b"a", 0)], NOW_US, NOW_US).verdicts] == [1]


class AskedStore(MemoryStore):
    """A store in memory that answers when the test says so."""

    def __init__(self) -> None:
        """Hold every answer back."""
        super().__init__()
        self.answer: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Any:  # noqa: ANN401 - wider than its parent's
        """Answer later."""
        return self.answer


async def test_who_leaves_at_once_gets_back_what_was_charged_here() -> None:
    """Be it before anybody has begun to wait; and the store hears that its answer is not wanted."""
    here, there = MemoryStore(), AskedStore()
    deciding = asyncio.ensure_future(SplitStore(here, there).decide(ASKS, NOW_US, NOW_US))  # type: ignore[arg-type]
    deciding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deciding
    await turns()
    assert there.answer.cancelled()
    assert [one.remaining for one in here.peek([(HERE, b"a", 0)], NOW_US, NOW_US).verdicts] == [2]


@pytest.mark.parametrize("leaves", [False, True])
async def test_a_store_that_breaks_charges_nothing_here(leaves: bool) -> None:
    """Its failure is what the request gets, if anybody waits for it still."""
    here, there = MemoryStore(), AskedStore()
    deciding = asyncio.ensure_future(SplitStore(here, there).decide(ASKS, NOW_US, NOW_US))  # type: ignore[arg-type]
    there.answer.set_exception(RuntimeError("broken"))
    if leaves:
        deciding.cancel()
    with pytest.raises(asyncio.CancelledError if leaves else RuntimeError):
        await deciding
    await turns()
    assert [one.remaining for one in here.peek([(HERE, b"a", 0)], NOW_US, NOW_US).verdicts] == [2]
