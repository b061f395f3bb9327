"""The store in shared memory as a machine: by one process, and by two in turn, each of which finds what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.limits.stores.shared import SharedStore
from tests.property.store_machine import KEYS, StoreMachine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits.stores.shared import SharedTable
    from gateway.limits.values import Ask, Charge, Decision, Verdict

SECRET = bytes(range(16))


class SharedMachine(StoreMachine):
    """One process alone."""

    table: SharedTable
    stores: tuple[SharedStore, ...] = ()
    processes = 1

    def make_store(self) -> SharedStore:
        """Make a table for the policies that were drawn."""
        self.table = SharedStore.create(self.policies, processes=self.processes, max_keys=len(KEYS), secret=SECRET)
        fd = self.table.fileno()
        self.stores = tuple(SharedStore.open(fd, self.policies, index=at) for at in range(self.processes))
        return self.stores[0]

    def teardown(self) -> None:
        """Let go of the table."""
        for store in self.stores:
            store.close()
        if self.stores:
            self.table.close()


class SharedInTurnMachine(SharedMachine):
    """Two processes that ask in turn. Each has its own clocks, so here they are only told what time it was at most."""

    processes = 2

    def make_store(self) -> SharedStore:
        """Begin with the first one; who made a charge gives it back."""
        self.turn = 0
        self.makers: dict[int, SharedStore] = {}
        return super().make_store()

    def decide(self, asks: list[Ask]) -> Decision:
        """Let the other one decide."""
        self.turn += 1
        store = self.stores[self.turn % self.processes]
        self.tick()
        decided = store.decide(asks, *self.clocks())
        self.makers |= {id(charge): store for charge in decided.charges}
        return decided

    def peek(self, asks: list[Ask]) -> Decision:
        """Let the other one look."""
        self.turn += 1
        self.tick()
        return self.stores[self.turn % self.processes].peek(asks, *self.clocks())

    def refund(self, charges: Sequence[Charge]) -> Sequence[Verdict]:
        """Let the one give back who took."""
        self.tick()
        return self.makers[id(charges[0])].refund(charges, *self.clocks())

    def release(self, charges: Sequence[Charge]) -> None:
        """Let the one leave who came."""
        self.makers[id(charges[0])].release(charges, self.now_us)


TestSharedStore = SharedMachine.TestCase
TestSharedStoreInTurn = SharedInTurnMachine.TestCase
