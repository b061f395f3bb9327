"""One of several processes, from its first instruction to its end: `python -m gateway.supervisor.child DESCRIPTOR`.

It is the same gateway as a single process. What differs: the port is shared, operators' questions come through the
supervisor, and when the supervisor is gone it ends too.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from gateway import app
from gateway.config.load import load
from gateway.errors import ConfigError
from gateway.supervisor.channel import Upwards, Word, receive_hello
from gateway.supervisor.shared_log import SharedLog

if TYPE_CHECKING:
    from gateway.supervisor.channel import Hello


def main(descriptor: int) -> int:
    """Serve as the supervisor at the other end of the socket `descriptor` says; return the exit status."""
    channel = socket.socket(fileno=descriptor)
    channel.set_inheritable(False)
    hello = receive_hello(channel)
    if hello is None:
        return 1
    try:
        uvloop.run(_serve(channel, hello))
    except (ConfigError, ValueError, RuntimeError, OSError) as error:
        reason = error.strerror or error if isinstance(error, OSError) else error
        sys.stderr.write(f"accord: process {hello.member.index + 1}: {reason}\n")
        return 1
    return 0


async def _serve(channel: socket.socket, hello: Hello) -> None:
    config = load(Path(hello.config), hello.texts)
    environ = os.environ  # noqa: TID251 - a process's start is where the environment is read
    log = SharedLog(hello.lock_fd)
    application = app.build(config, environ=environ, stream=log, member=hello.member)
    life = _Life(application, channel)
    await application.start()
    gc.collect()
    gc.freeze()  # as a single process does
    life.link.say(Word.READY)
    await life.stop.wait()
    life.link.say(Word.DRAINING)
    await application.stop(delay=not life.orphaned)
    life.link.close()


class _Life:
    """What ends a process: a signal, or the supervisor's death. Each further signal says nothing new.

    Whoever starts and stops services may signal every process of a group, and so may the supervisor: the second one is
    no order to end at once, as it is to a single process.
    """

    def __init__(self, application: app.Application, channel: socket.socket) -> None:
        """Listen for both."""
        self.stop = asyncio.Event()
        self.orphaned = False
        self._application = application
        self._attending: set[asyncio.Task[None]] = set()
        self.link = Upwards(channel, asked=self._asked, orphaned=self._orphan)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop.set)

    def _asked(self, connection: socket.socket) -> None:
        task = asyncio.get_running_loop().create_task(self._application.attend(connection))
        self._attending.add(task)
        task.add_done_callback(self._attending.discard)

    def _orphan(self) -> None:
        """End: nobody would know of us. The port is given up at once, for the next supervisor."""
        self.orphaned = True
        self.stop.set()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
