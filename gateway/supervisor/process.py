"""One life of one process: started as a fresh interpreter, told what it is, watched until it is gone.

A fork of a running loop would share its descriptors and its locks; a fresh interpreter shares what it is handed.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import gateway
from gateway.supervisor.channel import Word, pass_change, pass_switch, send_hello, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.supervisor.channel import Change, Hello

_MODULE: Final = "gateway.supervisor.child"


class ProcessState(StrEnum):
    """Where a process is in its life, as the supervisor knows it."""

    WAITING = "waiting"
    """There is none now: the last one died, and the next is not started yet."""
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


_STATES: Final = {Word.READY: ProcessState.READY, Word.DRAINING: ProcessState.DRAINING}
_ANSWERS: Final = {Word.PREPARED: True, Word.UNABLE: False}


class Process:
    """A process that was started. `life` is a number that no other one has."""

    def __init__(self, hello: Hello, *, life: int, environ: Mapping[str, str], changed: Callable[[], None]) -> None:
        """Start it, in a session of its own, so that a terminal's Ctrl-C is the supervisor's alone.

        It gets the descriptors that `hello` names, and waits to be greeted. `changed` is called when it says what it is
        doing. Must be called in a running loop. Raises OSError when the system has no room for it.
        """
        self.life = life
        self.state = ProcessState.STARTING
        self.channel, theirs = socket.socketpair()
        self.channel.settimeout(0)
        self._changed = changed
        self._silent = asyncio.Event()
        self._greeted = asyncio.Event()
        self._answer: asyncio.Future[bool] | None = None
        try:
            with theirs:
                self._running = _run(hello, theirs, environ)
        except OSError:
            self.channel.close()
            raise
        asyncio.get_running_loop().add_reader(self.channel.fileno(), self._arrived)

    async def greet(self, hello: Hello) -> None:
        """Tell it what it is; it may be gone already, as waiting for it will tell."""
        with suppress(OSError):
            await send_hello(self.channel, hello)
        self._greeted.set()

    async def prepare(self, change: Change, table_fd: int | None, patience_s: float) -> bool:
        """Hand it another configuration, and tell whether it can serve by it.

        One that is gone is in nobody's way, and one that says nothing for so long is ended: whoever comes in its place
        is told what is served then.
        """
        await self._greeted.wait()
        self._answer = asyncio.get_running_loop().create_future()
        try:
            pass_change(self.channel, change, table_fd)
            async with asyncio.timeout(patience_s):
                return await self._answer
        except (OSError, TimeoutError):
            self.kill()
            return True
        finally:
            self._answer = None

    def switch(self) -> None:
        """Have it serve by what it made ready; where it cannot be told, the next one will know."""
        try:
            pass_switch(self.channel)
        except OSError:
            self.kill()

    @property
    def pid(self) -> int:
        """Its number in the system."""
        return self._running.pid

    async def ended(self) -> int:
        """Wait for its end, and return the exit status, for a signal its number as a negative one."""
        await self._silent.wait()  # the kernel closes its end of the channel when it dies, if it did not do so itself
        self.channel.close()
        return await asyncio.to_thread(self._running.wait)

    def terminate(self) -> None:
        """Ask it to drain and end."""
        self._running.terminate()

    def kill(self) -> None:
        """End it now."""
        self._running.kill()

    def _arrived(self) -> None:
        said = words(self.channel)
        if said is None:
            asyncio.get_running_loop().remove_reader(self.channel.fileno())
            self._silent.set()
            self._answered(able=True)
        for word in said or ():
            if word in _ANSWERS:
                self._answered(able=_ANSWERS[word])
            else:
                self.state = _STATES[word]
                self._changed()

    def _answered(self, *, able: bool) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(able)


def _run(hello: Hello, channel: socket.socket, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the command; subprocess itself keeps all descriptors but the named ones from it, which uvloop does not."""
    handed = [channel.fileno(), hello.lock_fd, *[table.fd for table in hello.member.tables]]
    return subprocess.Popen(  # noqa: S603 - our own command
        command(channel.fileno()),
        stdin=subprocess.DEVNULL,
        env=dict(environ),
        pass_fds=handed,
        start_new_session=True,
    )


def command(descriptor: int) -> tuple[str, ...]:
    """Return the command of a process, which is found where this one was.

    Python would look for modules in the working folder first, where anybody's may lie: it must not, unless ours do.
    """
    here = Path(gateway.__file__).resolve().parents[1] == Path.cwd()
    return (sys.executable, *(() if here else ("-P",)), "-m", _MODULE, str(descriptor))
