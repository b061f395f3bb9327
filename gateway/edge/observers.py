"""The port through which everything that counts or writes about requests learns of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.model import Outcome


class Observer(Protocol):
    """Takes each request's `Outcome` when it is over. It must be quick and must not raise."""

    def observe(self, outcome: Outcome) -> None:
        """Take note of one request."""
