"""Whether the gateway takes requests, and how many are under way."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import StrEnum


class State(StrEnum):
    """Where the process is in its life."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    """Asked to stop: still serving, not ready, so that load balancers take note."""
    ENDING = "ending"
    """The grace is over: what is still under way is told so and broken off."""
    STOPPED = "stopped"


class Lifecycle:
    """The state of the process and the count of its requests."""

    def __init__(self) -> None:
        """Begin as starting, with no request under way."""
        self.state = State.STARTING
        self.in_flight = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def ready(self) -> bool:
        """Tell whether load balancers should send requests."""
        return self.state is State.READY

    def enter(self) -> None:
        """Count a request that began."""
        self.in_flight += 1
        self._quiet.clear()

    def leave(self) -> None:
        """Count a request that ended."""
        self.in_flight -= 1
        if not self.in_flight:
            self._quiet.set()

    async def quiet(self, timeout_s: float) -> bool:
        """Wait until no request is under way; return False when that took longer than `timeout_s` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._quiet.wait()
        return self._quiet.is_set()
