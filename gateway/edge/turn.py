"""One request of a connection, from its head to the end of its answer; the next one's turn comes after it.

Most of them wait for one thing only, and are carried by callbacks. One that has to wait more often (for a body, for a
new connection, for a client that reads slowly) goes on in a task of its own.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gateway.errors import ClientGone

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.edge.answer import Answer
    from gateway.edge.connection import ClientConnection


class Turn:
    """One request under way. `over` once its answer is written and the connection may go on."""

    __slots__ = ("_task", "answer", "connection", "over")

    def __init__(self, connection: ClientConnection, answer: Answer) -> None:
        """Begin."""
        self.connection = connection
        self.answer = answer
        self.over = False
        self._task: asyncio.Task[None] | None = None

    # ---- what a connection calls ---------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Break it off: the client is gone, or the gateway ends."""
        if self._task is not None:
            self._task.cancel()
        elif not self.over:
            self.broken_off()
            self.end()

    async def ended(self) -> None:
        """Wait for what was cancelled."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    # ---- what it does itself -------------------------------------------------------------------------------------

    def wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on in a task with what has to be waited for; it is the last thing that is done."""
        self._task = asyncio.get_running_loop().create_task(work)
        self._task.add_done_callback(self._waited)

    def _waited(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if task.cancelled():
            self.broken_off()
        elif isinstance(error := task.exception(), Exception):
            self.failed(error)
        self.end()

    def end(self) -> None:
        """Be over once the client has taken what was written, so that one who reads slowly holds only himself up."""
        self.settle()
        if self.connection.writing_paused:
            self._task = asyncio.get_running_loop().create_task(self._drain())
            self._task.add_done_callback(self._over)
        else:
            self._over()

    async def _drain(self) -> None:
        with suppress(ClientGone):
            await self.connection.drained()

    def _over(self, _drained: asyncio.Task[None] | None = None) -> None:
        self._task = None
        self.over = True
        self.connection.turn_over(self)

    # ---- what a request of one port fills in ---------------------------------------------------------------------

    def failed(self, error: Exception) -> None:
        """Answer for `error`, or cut an answer that has begun. Must not raise."""
        raise NotImplementedError

    def broken_off(self) -> None:
        """Let go of everything: nobody waits for an answer, or nobody is left to give one. Must not raise."""
        raise NotImplementedError

    def settle(self) -> None:
        """Note what happened. Called once. Must not raise."""
