"""An upstream's learned budget behind a store that answers later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from gateway.limits import Policy
from gateway.limits.stores import BudgetedStore, MemoryStore
from gateway.limits.values import Charge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits import Ask, Decision, Verdict
    from gateway.limits.budget.held import Held

NOW_US = 10**12
ONE = Policy(name="one", requests=1, per_us=60_000_000, burst=1, key=("ip",))
LEARNED = Policy(name="api", requests=1, per_us=60_000_000, burst=1, key=("upstream",), learned=True, budget=True)
ASKS = [(ONE, b"a", 1), (LEARNED, b"u", 1)]


class Willing:
    """A budget that has enough."""

    policies = (LEARNED,)
    sharing = None

    def take(self, ask: Ask, now_us: int) -> Charge:
        """Let a request go."""
        del now_us
        return Charge(*ask, 0)


class Later(MemoryStore):
    """Answers when the test says so."""

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Any:  # noqa: ANN401 - wider than its parent's
        """Decide later."""
        del now_us, unix_us
        self.asks = asks
        self.answer: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        return self.answer

    def come(self) -> None:
        """Answer."""
        self.answer.set_result(super().decide(self.asks, NOW_US, NOW_US))

    def left(self) -> tuple[Verdict, ...]:
        """Return what the policy has left."""
        return self.peek([(ONE, b"a", 0)], NOW_US, NOW_US).verdicts


def ask(store: Later) -> asyncio.Future[Decision]:
    """Ask the store and the budget behind it."""
    found = BudgetedStore(store, [cast("Held", Willing())]).decide(ASKS, NOW_US, NOW_US)
    return asyncio.ensure_future(cast("asyncio.Future[Decision]", found))


async def test_the_budget_is_asked_when_the_answer_has_come() -> None:
    """What both charged is one decision's."""
    store = Later()
    deciding = ask(store)
    store.come()
    assert [charge.policy for charge in (await deciding).charges] == [ONE, LEARNED]


@pytest.mark.parametrize("comes", [False, True], ids=["before", "as it comes"])
async def test_who_leaves_has_charged_nothing(comes: bool) -> None:
    """Before the store has answered it is told so; an answer that has just come is given back."""
    store = Later()
    deciding = ask(store)
    if comes:
        store.come()
    deciding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deciding
    await asyncio.sleep(0)
    assert store.answer.cancelled() is not comes
    assert [verdict.remaining for verdict in store.left()] == [1]
