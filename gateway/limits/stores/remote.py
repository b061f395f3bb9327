"""What a store on another machine is. It may be slow, gone, full or wrong; who asks it must have an answer without it.

Its counts are its own: it goes by its own clock, and nothing that was decided elsewhere is merged into it. No address
and no secret of it stands in what it raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from gateway.limits.values import Ask, Charge, Decision


class Remote(Protocol):
    """A store on another machine. Its calls end by themselves, answered or not; nobody need cancel them."""

    def decide(self, asks: Sequence[Ask]) -> asyncio.Future[Decision]:
        """Charge every policy of one request, or none of them when one refuses; one round trip at most.

        The future fails with `StoreFailure` and nothing else; the call itself never raises. Decisions that are asked
        for in the same turn of the loop may share a round trip.
        """

    def peek(self, asks: Sequence[Ask]) -> asyncio.Future[Decision]:
        """Return what the policies would say, without charging any. Fails as `decide` does."""

    def refund(self, charges: Sequence[Charge]) -> None:
        """Give back what a request was charged: sent, not waited for. Failures are counted, never raised."""

    def release(self, charges: Sequence[Charge]) -> None:
        """Give back the places that a request held under policies of concurrency. As `refund`."""

    async def beat(self, replica: bytes) -> int:
        """Say that this replica lives, and return how many do, itself included. Raises `StoreFailure`.

        Also renews the places that this replica holds under policies of concurrency.
        """

    async def aclose(self) -> None:
        """Close every connection. Calls under way fail."""
