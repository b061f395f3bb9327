"""The loops that tests run on, and a runner that lets nothing leak unseen."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import logging
import selectors
import socket
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ParamSpec

import pytest
import uvloop

if TYPE_CHECKING:
    from collections.abc import Mapping

P = ParamSpec("P")
LoopFactory = Callable[[], asyncio.AbstractEventLoop]

_SETTLE_S = 0.005
"""How long the kernel may take to bring what was sent on loopback: real time, before virtual time leaps."""


class _LeapingSelector(selectors.DefaultSelector):
    """Waits no longer than the kernel needs, and lets time leap instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; where nothing is, be at the time when something will be."""
        ready = super().select(0)
        if not ready and timeout != 0:
            ready = super().select(_SETTLE_S)
        if not ready and timeout is not None:
            self.now += timeout
        assert ready or timeout is not None, "nothing will ever happen again"
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """asyncio's loop over real sockets, in a time that leaps to the next timer whenever nothing else can happen."""

    def __init__(self) -> None:
        """Begin at 0."""
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._leaping.now

    async def getaddrinfo(self, host: Any, port: Any, **more: Any) -> Any:  # noqa: ANN401
        """Ask the resolver here and now: a thread would lose against a time that leaps."""
        return socket.getaddrinfo(host, port, **more)


LOOPS: Mapping[str, LoopFactory] = {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


def run(main: Coroutine[Any, Any, None], loop_factory: LoopFactory) -> None:
    """Run a test, and fail it when a task is left over, or something goes wrong where nobody looks."""
    unseen: list[Any] = []

    def note(record: logging.LogRecord) -> bool:
        unseen.append(record.getMessage())
        return True

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
        await main
        for _ in range(100):  # what was cancelled ends by itself, within a few turns
            if len(asyncio.all_tasks()) == 1:
                break
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left over: {left}"

    logger = logging.getLogger("asyncio")
    logger.addFilter(note)
    gc.freeze()  # what was there before is none of this test's business, and would make it slow
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(watched())
        gc.collect()  # what was dropped without being closed warns now, and warnings are errors
    finally:
        gc.unfreeze()
        logger.removeFilter(note)
    assert not unseen, unseen


def on_loops(loops: Mapping[str, LoopFactory]) -> Callable[[Callable[P, Coroutine[Any, Any, None]]], Callable[P, None]]:
    """Make a test of a coroutine function, once for each of `loops`, each with `run`."""

    def of(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
        @functools.wraps(test)
        def on_loop(*args: P.args, **kwargs: P.kwargs) -> None:
            loop_factory: Any = kwargs.pop("loop_factory")
            run(test(*args, **kwargs), loop_factory)

        signature = inspect.signature(test)
        first = inspect.Parameter("loop_factory", inspect.Parameter.KEYWORD_ONLY)
        parameters = [*signature.parameters.values(), first]
        vars(on_loop)["__signature__"] = signature.replace(parameters=parameters)
        parametrised: Callable[P, None] = pytest.mark.parametrize("loop_factory", loops.values(), ids=loops.keys())(
            on_loop
        )
        return parametrised

    return of


on_every_loop = on_loops(LOOPS)
in_virtual_time = on_loops({"virtual": VirtualTimeLoop})
