"""What follows upon a decision that has to be waited for.

Invariant: whoever leaves is heard of, be it before anything has begun or in the very moment in which the decision
comes. A coroutine would not do: one that is cancelled before its first step never knows that it was to clean up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.limits.stores.port import Deciding
    from gateway.limits.values import Decision


def followed(
    deciding: Deciding, go_on: Callable[[Decision], Decision], left: Callable[[Decision | None], object]
) -> asyncio.Future[Decision]:
    """Return what `go_on` makes of a decision once it is there. Must be called in a running loop.

    Who cancels what is returned has left, and takes the question back: `left` is called then, with the decision where
    it came all the same, for its charges to be given back. It is called with None where there is no decision, too.
    `go_on` must not raise.
    """
    asked = asyncio.ensure_future(deciding)
    answer: asyncio.Future[Decision] = asked.get_loop().create_future()

    def heard(asked: asyncio.Future[Decision]) -> None:
        if asked.cancelled():
            left(None)
            answer.cancel()
        elif (failure := asked.exception()) is not None:
            left(None)
            if not answer.done():
                answer.set_exception(failure)
        elif answer.done():
            left(asked.result())
        else:
            answer.set_result(go_on(asked.result()))

    def ended(answer: asyncio.Future[Decision]) -> None:
        if answer.cancelled():
            asked.cancel()

    asked.add_done_callback(heard)
    answer.add_done_callback(ended)
    return answer
