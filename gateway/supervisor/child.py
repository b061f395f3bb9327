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
from typing import TYPE_CHECKING, Any

import uvloop

from gateway import app
from gateway.config.load import load
from gateway.errors import AccordError, ConfigError
from gateway.limits.stores.shared.handle import Handle
from gateway.supervisor.channel import Order, Upwards, Word, read_change, receive_hello
from gateway.supervisor.shared_log import SharedLog

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.app.application import Prepared
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
    if application.apart.busy:
        os._exit(0)  # all is done, and nobody waits for what is loaded: a thread that hangs would not let us end


class Changes:
    """What a process does with a configuration that it is handed: the supervisor has checked it, and tells of it."""

    def __init__(self, application: app.Application) -> None:
        """Have nothing ready."""
        self._application = application
        self._ready: Prepared | None = None

    async def prepare(self, file: int, table: int | None = None) -> bool:
        """Make ready what is in a file, with room for its limits in a table; tell whether that could be done."""
        application = self._application
        self._forget()
        gc.disable()  # as in a single process: see `app.reloads`
        try:
            self._ready = await application.apart.do(self._prepared, file, table)
            gc.freeze()  # as at the start, and before anybody looks through it
        except Exception as error:  # whatever it was, the supervisor waits for a word
            application.log.warning("configuration not prepared", reason=str(error))
            if not isinstance(error, AccordError | ValueError | KeyError | OSError):
                application.log.exception("unexpected", exc_info=error)
            return False
        finally:
            gc.enable()
        return True

    def _prepared(self, file: int, table: int | None) -> Prepared:
        application, running = self._application, self._application.config
        change = read_change(file)
        config = load(Path(running.document.file), change.texts, running)
        return application.prepare(config, None if table is None else Handle(fd=table, policies=change.policies))

    def _forget(self) -> None:
        """Let go of what was made ready and then not taken, since another process could not."""
        ready, self._ready = self._ready, None
        if ready is not None:
            self._application.discard(ready)

    def switch(self) -> None:
        """Serve by what is ready."""
        ready, self._ready = self._ready, None
        if ready is not None:
            self._application.switch(ready)
            self._application.record.reloaded(ready.serving.config.digest, self._application.now_s())


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
        self._changes = Changes(application)
        self.link = Upwards(channel, told=self._told, orphaned=self._orphan)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)  # the supervisor's to hear

    def _told(self, order: Order, descriptors: list[int]) -> None:
        match order:
            case Order.ANSWER:
                self._do(self._application.attend(socket.socket(fileno=descriptors[0])))
            case Order.PREPARE:
                self._do(self._prepare(descriptors))
            case Order.SWITCH:
                self._changes.switch()

    async def _prepare(self, descriptors: list[int]) -> None:
        able = await self._changes.prepare(*descriptors)
        self.link.say(Word.PREPARED if able else Word.UNABLE)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._attending.add(task)
        task.add_done_callback(self._attending.discard)

    def _orphan(self) -> None:
        """End: nobody would know of us. The port is given up at once, for the next supervisor."""
        self.orphaned = True
        self.stop.set()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
