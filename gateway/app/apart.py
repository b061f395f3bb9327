"""Work in threads, so that the loop goes on; and whether any of it is still under way.

Python waits for its threads before it ends, however long: a file on a network that hangs would hold up the end.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Args = ParamSpec("_Args")
_Result = TypeVar("_Result")


class Apart:
    """Has work done in threads."""

    def __init__(self) -> None:
        """Begin with none."""
        self._under_way: set[object] = set()

    @property
    def busy(self) -> bool:
        """Whether work is under way, be it that nobody waits for it any more."""
        return bool(self._under_way)

    async def do(self, call: Callable[_Args, _Result], *args: _Args.args, **named: _Args.kwargs) -> _Result:
        """Do it, and return what comes of it."""
        token = object()

        def done() -> _Result:
            self._under_way.add(token)
            try:
                return call(*args, **named)
            finally:
                self._under_way.discard(token)

        return await asyncio.to_thread(done)
