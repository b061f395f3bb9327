"""A board of budgets in memory, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.limits.budget.board import NOTHING, merged

if TYPE_CHECKING:
    from gateway.limits.budget.board import News


class MemoryBoard:
    """A board for those who share a process, and the model of any other."""

    def __init__(self) -> None:
        """Begin without news."""
        self._known: dict[str, News] = {}

    async def exchange(self, upstream: str, news: News) -> News:
        """Tell and hear at once."""
        return self.post(upstream, news)

    async def aclose(self) -> None:
        """Nothing leads here."""

    def post(self, upstream: str, news: News) -> News:
        """Tell and hear, without waiting."""
        known = self._known[upstream] = merged(self._known.get(upstream, NOTHING), news)
        return known
