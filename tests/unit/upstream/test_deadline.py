"""One coarse timer: deadlines are met, and setting one costs no timer."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, TypeVarTuple

from gateway.upstream.deadline import Deadline
from tests.integration.loops import VirtualTimeLoop, in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

Ts = TypeVarTuple("Ts")


class CountingLoop(VirtualTimeLoop):
    """Counts the timers it makes."""

    made = 0

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Make a timer."""
        self.made += 1
        return super().call_at(when, callback, *args, context=context)


class Watched(Deadline):
    """A deadline that notes when it was due."""

    __slots__ = ("loop", "rung")

    def __init__(self, tick_s: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.rung: list[float] = []
        super().__init__(self.loop, tick_s, lambda: self.rung.append(self.loop.time()))


@in_virtual_time
async def test_a_deadline_is_met() -> None:
    """What was set is due at its time, once, and not before."""
    deadline = Watched(1.0)
    deadline.set(0.0, 10.0)
    await asyncio.sleep(9.9)
    assert deadline.rung == []
    await asyncio.sleep(100.0)
    assert deadline.rung == [10.0]


@in_virtual_time
async def test_a_deadline_that_moves_is_met_where_it_is() -> None:
    """A later deadline does not ring at the earlier one's time."""
    deadline = Watched(1.0)
    for _ in range(50):
        deadline.set(deadline.loop.time(), 1.0)
        await asyncio.sleep(0.5)
    assert deadline.rung == []
    await asyncio.sleep(10)
    assert deadline.rung == [25.5]


@in_virtual_time
async def test_the_limit_caps_every_deadline() -> None:
    """A limit is itself a deadline, even one that is nearer than the tick."""
    deadline = Watched(1.0)
    deadline.limit_at = 0.3
    deadline.set(0.0, inf)
    await asyncio.sleep(10)
    assert deadline.rung == [0.3]


@in_virtual_time
async def test_a_nearer_deadline_moves_the_timer() -> None:
    """What is left of a total may be nearer than the timer that runs."""
    deadline = Watched(1.0)
    deadline.set(0.0, 5.0)
    deadline.limit_at = 0.3
    deadline.set(0.0, 5.0)
    await asyncio.sleep(10)
    assert deadline.rung == [0.3]


@in_virtual_time
async def test_a_closed_deadline_is_never_due() -> None:
    """Nothing rings once the connection is gone, and closing twice is closing once."""
    deadline = Watched(1.0)
    deadline.set(0.0, 5.0)
    deadline.close()
    deadline.close()
    await asyncio.sleep(10)
    assert deadline.rung == []


def test_setting_costs_no_timer() -> None:
    """However often a deadline is set and cleared within a tick, one timer is made."""
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, CountingLoop)
        deadline = Deadline(loop, 1.0, lambda: None)
        for _ in range(1000):
            deadline.set(loop.time(), 5.0)
            deadline.set(loop.time(), 1.0)
            deadline.clear()
        assert loop.made == 1
        deadline.close()


def test_without_deadlines_there_is_no_timer() -> None:
    """Infinity is never due."""
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, CountingLoop)
        Deadline(loop, inf, lambda: None).set(0.0, inf)
        assert loop.made == 0
