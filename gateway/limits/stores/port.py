"""What a store of limits is."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits.values import Ask, Charge, Decision, Verdict

Deciding = Awaitable["Decision"]
"""A decision that has to be waited for: not longer than the store's deadline, and it never raises but CancelledError.

Who cancels it leaves: what is charged for it all the same is given back by the store.
"""


class Store(Protocol):
    """Keeps the counts of policies and decides by them.

    `now_us` is a monotonic clock and `unix_us` Unix time, both in microseconds; a store that machines share goes by a
    clock of its own.
    """

    def decide(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision | Deciding:
        """Charge every policy of one request, or none of them when one refuses.

        Policies in shadow mode are charged each for itself, and only where the request is admitted.
        """

    def refund(self, charges: Sequence[Charge], now_us: int, unix_us: int) -> tuple[Verdict, ...]:
        """Give back what a request was charged, and return what its policies say then. To be called once a request."""

    def release(self, charges: Sequence[Charge], now_us: int) -> None:
        """Note that a request ended which held places under policies of concurrency; of other charges, do nothing."""

    def peek(self, asks: Sequence[Ask], now_us: int, unix_us: int) -> Decision | Deciding:
        """Return what the policies would say to a request, without charging any."""
