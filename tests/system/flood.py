"""Many connections that ask as fast as they are answered, and what a limit by GCRA must have let through meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from math import floor
from typing import TYPE_CHECKING, NamedTuple

from tests.integration.harness import get
from tests.integration.wire import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.wire import Wire

CONNECTIONS = 32


class Answered(NamedTuple):
    """One request: when it was sent and answered, in seconds of the loop's clock, and how."""

    sent_s: float
    received_s: float
    status: int


class Flood(NamedTuple):
    """All requests of a flood, in the order of their answers."""

    answers: list[Answered]

    def statuses(self) -> Counter[int]:
        """Count the answers by status."""
        return Counter(answer.status for answer in self.answers)

    def allowed(self, per_s: float, burst: int) -> range:
        """Return how many of the requests a full bucket of `burst`, filled at `per_s`, may have let through.

        When a request was decided is known only to lie between its sending and its answer: a calm machine leaves one
        number, a busy one two or three. From below, so many requests must follow as there may be in the bucket.
        """
        sent, received = sorted(one.sent_s for one in self.answers), [one.received_s for one in self.answers]
        least = floor((sent[-burst - 1] - min(received)) * per_s)
        most = floor((max(received) - sent[0]) * per_s)
        return range(burst + least, burst + most + 1)


async def flood(ports: Sequence[int], *, seconds: float, target: str = "/api/a", fields: Sequence[str] = ()) -> Flood:
    """Ask all `ports` in turn by 32 connections that are kept, for some seconds and half the time of one in a hundred.

    The end lies between two refills of a limit of 100 a second, so that what is allowed is known to the request.
    """
    request, answers = get(target, *fields), list[Answered]()
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as open_ones:
        wires = [
            await open_ones.enter_async_context(await connect(ports[number % len(ports)]))
            for number in range(CONNECTIONS)
        ]
        ends_s = loop.time() + seconds + 0.005

        async def ask(wire: Wire) -> None:
            while (sent_s := loop.time()) < ends_s:
                await wire.send(request)
                status = (await wire.reply()).status
                answers.append(Answered(sent_s, loop.time(), status))

        await asyncio.gather(*[ask(wire) for wire in wires])
    return Flood(answers)
