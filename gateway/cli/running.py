"""What the commands that run a gateway share: loading all of a configuration, and running until told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from gateway import app
from gateway.app.reloads import Reloads
from gateway.edge.clock import SystemClock
from gateway.edge.limiting.stores import shared_table
from gateway.supervisor.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from gateway.config.load import Configuration


async def serve(path: Path, config: Configuration, environ: Mapping[str, str]) -> None:
    """Run the gateway until SIGTERM or SIGINT; `path` is the file that `config` came from."""
    clock = SystemClock()
    application = app.build(config, environ=environ, clock=clock)
    stop = stop_signal()
    reloads = Reloads(path, environ, application, record=application.record, log=application.log, clock=clock)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloads.ask)
    await application.start()
    reloads.start()
    gc.collect()
    gc.freeze()  # what was made by now lives as long as the process; no collection need look at it again
    print(f"accord: {addresses(config, application)}", file=sys.stderr, flush=True)
    await stop.wait()
    await reloads.aclose()
    await application.stop()


async def serve_by(processes: int, path: Path, config: Configuration, environ: Mapping[str, str]) -> None:
    """Run the gateway by several processes until SIGTERM or SIGINT; `path` is the file that `config` came from."""
    with counted_together(config, processes) as table_fd:
        supervisor = Supervisor(config, path, processes=processes, environ=environ, table_fd=table_fd)
        stop = stop_signal(supervisor.kill)
        await supervisor.start()
        print(f"accord: {addresses(config, supervisor)}, by {processes} processes", file=sys.stderr, flush=True)
        await stop.wait()
        await supervisor.stop()


@contextmanager
def counted_together(config: Configuration, processes: int) -> Iterator[int | None]:
    """Yield a descriptor of the memory in which processes count limits together; None where Redis does that."""
    if config.gateway.store.redis is not None:
        yield None
        return
    table = shared_table(config, processes)
    try:
        yield table.fileno()
    finally:
        table.close()


class Listening(Protocol):
    """What listens on two ports."""

    port: int
    admin_port: int


def addresses(config: Configuration, listening: Listening) -> str:
    """Return where a gateway listens, as a sentence."""
    listen, admin = config.gateway.listen, config.gateway.admin
    return (
        f"serving on http://{_host(listen.host)}:{listening.port}, "
        f"metrics and status on http://{_host(admin.host)}:{listening.admin_port}"
    )


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def stop_signal(at_once: Callable[[], None] | None = None) -> asyncio.Event:
    """Return an event that the first SIGTERM or SIGINT sets; the next one ends the process at once.

    `at_once`, if there is such a thing, is done before that. Without it even a loop that hangs is ended.
    """
    event = asyncio.Event()
    loop = asyncio.get_running_loop()

    def default(number: int) -> None:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)

    def last(number: int, do: Callable[[], None]) -> None:
        do()
        default(number)
        signal.raise_signal(number)

    def first() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            if at_once is None:
                default(number)
            else:
                loop.add_signal_handler(number, last, number, at_once)
        event.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, first)
    return event
