"""What a store on the network counted, for tests of who tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.edge.counters import BUCKETS_S
from gateway.errors import StoreReason
from gateway.limits.stores.guard.breaker import State
from gateway.limits.stores.guard.tally import Tally, Where

if TYPE_CHECKING:
    from gateway.limits.stores.guard.tally import StoreStats


def counted(state: State = State.OK) -> StoreStats:
    """Return what three replicas' store counted: two failures, nine decisions, and three calls, the last a long one."""
    tally = Tally(BUCKETS_S)
    for _ in range(2):
        tally.failed(StoreReason.TIMEOUT)
    for _ in range(9):
        tally.decided(Where.REMOTE)
    for us in (900, 2_000, 70_000_000):
        tally.took(us)
    return tally.read(state, 3)
