"""One life of one process: started as a fresh interpreter, told what it is, watched until it is gone.

A fork of a running loop would share its descriptors and its locks; a fresh interpreter shares what it is handed.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import gateway
from gateway.supervisor.channel import Word, send_hello, words

if TYPE_CHECKING:
    from asyncio.subprocess import Process as Subprocess
    from collections.abc import Callable, Mapping

    from gateway.supervisor.channel import Hello

_MODULE: Final = "gateway.supervisor.child"


class ProcessState(StrEnum):
    """Where a process is in its life, as the supervisor knows it."""

    WAITING = "waiting"
    """There is none now: the last one died, and the next is not started yet."""
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


_STATES: Final = {Word.READY: ProcessState.READY, Word.DRAINING: ProcessState.DRAINING}


class Process:
    """A process that was started. `life` is a number that no other one has."""

    def __init__(self, life: int, began_s: float, subprocess: Subprocess, channel: socket.socket) -> None:
        """Know it by its channel."""
        self.life = life
        self.began_s = began_s
        self.channel = channel
        self.state = ProcessState.STARTING
        self._subprocess = subprocess

    @classmethod
    async def start(
        cls, hello: Hello, *, life: int, began_s: float, environ: Mapping[str, str], changed: Callable[[], None]
    ) -> Self:
        """Start a process, in a session of its own, so that a terminal's Ctrl-C is the supervisor's alone.

        It gets the descriptors that `hello` names, and waits to be greeted with it. `changed` is called when it says
        what it is doing. Raises OSError when the system has no room for it.
        """
        ours, theirs = socket.socketpair()
        shared = [theirs.fileno(), hello.lock_fd]
        if hello.member.table_fd is not None:
            shared.append(hello.member.table_fd)
        try:
            with theirs:
                subprocess = await asyncio.create_subprocess_exec(
                    *command(theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    env=dict(environ),
                    pass_fds=shared,
                    start_new_session=True,
                )
        except OSError:
            ours.close()
            raise
        ours.settimeout(0)
        process = cls(life, began_s, subprocess, ours)
        process._listen(changed)
        return process

    async def greet(self, hello: Hello) -> None:
        """Tell it what it is; it may be gone already, as waiting for it will tell."""
        with suppress(OSError):
            await send_hello(self.channel, hello)

    @property
    def pid(self) -> int:
        """Its number in the system."""
        return self._subprocess.pid

    async def ended(self) -> int:
        """Wait for its end, and return the exit status, for a signal its number as a negative one."""
        status = await self._subprocess.wait()
        asyncio.get_running_loop().remove_reader(self.channel.fileno())
        self.channel.close()
        return status

    def terminate(self) -> None:
        """Ask it to drain and end."""
        with suppress(ProcessLookupError):
            self._subprocess.terminate()

    def kill(self) -> None:
        """End it now."""
        with suppress(ProcessLookupError):
            self._subprocess.kill()

    def _listen(self, changed: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()

        def arrived() -> None:
            said = words(self.channel)
            if said is None:
                loop.remove_reader(self.channel.fileno())
            for word in said or ():
                self.state = _STATES[word]
                changed()

        loop.add_reader(self.channel.fileno(), arrived)


def command(descriptor: int) -> tuple[str, ...]:
    """Return the command of a process, which is found where this one was.

    Python would look for modules in the working folder first, where anybody's may lie: it must not, unless ours do.
    """
    here = Path(gateway.__file__).resolve().parents[1] == Path.cwd()
    return (sys.executable, *(() if here else ("-P",)), "-m", _MODULE, str(descriptor))
