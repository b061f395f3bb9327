"""What the commands that run a gateway share: loading all of a configuration, and running until told to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from gateway import app
from gateway.config.load import load
from gateway.edge.limiting.stores import shared_table, store_faults
from gateway.errors import ConfigError
from gateway.pipeline.verify import ambiguities
from gateway.supervisor.supervisor import Supervisor
from gateway.upstream import file_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from gateway.config.load import Configuration


def load_all(path: Path, environ: Mapping[str, str]) -> Configuration:
    """Load a configuration that is about to be served: its variables and files must be usable and its ways clear.

    Raises ConfigError with all faults.
    """
    config = load(path)
    faults = config.environment_faults(environ) + ambiguities(config) + file_faults(config)
    faults += store_faults(config, environ)
    if faults:
        raise ConfigError(faults)
    return config


async def serve(config: Configuration, environ: Mapping[str, str]) -> None:
    """Run the gateway until SIGTERM or SIGINT."""
    application = app.build(config, environ=environ)
    stop = stop_signal()
    await application.start()
    gc.collect()
    gc.freeze()  # what was made by now lives as long as the process; no collection need look at it again
    print(f"accord: {addresses(config, application)}", file=sys.stderr, flush=True)
    await stop.wait()
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
        signal.signal(number, _end if os.getpid() == 1 else signal.SIG_DFL)

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


def _end(number: int, _frame: object) -> None:
    """End at once as process 1, for which the kernel has no default: it ignores what is not handled."""
    os._exit(128 + number)
