"""Long work in steps: a generator that yields where others may have their turn, and returns what came out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

    _T = TypeVar("_T")
    Steps = Generator[None, None, _T]

AT_ONCE: Final = 500
"""How many samples are read, added or written in one step: less than a millisecond's worth."""


async def in_turns(steps: Steps[_T]) -> _T:
    """Do the work, with a turn for others behind each step."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: _T = end.value
            return result
        await asyncio.sleep(0)
