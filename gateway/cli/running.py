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
from gateway.app.reloads import Reloads, Taker
from gateway.config.files import FileSet
from gateway.edge.clock import SystemClock
from gateway.edge.limiting.stores import shared_tables
from gateway.supervisor.supervisor import Supervisor
from gateway.units import NS_IN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger

    from gateway.app.apart import Apart
    from gateway.config.load import Configuration
    from gateway.edge.config_record import ConfigRecord
    from gateway.edge.limiting.tables import Tables


async def serve(path: Path, config: Configuration, environ: Mapping[str, str]) -> None:
    """Run the gateway until SIGTERM or SIGINT; `path` is the file that `config` came from."""
    clock = SystemClock()
    files = FileSet(path)
    files.look(int(clock.now_s() * NS_IN_S))
    application = app.build(config, environ=environ, clock=clock)
    stop = stop_signal()
    reloads = reloading(path, environ, application, clock, files)
    await application.start()
    reloads.start()
    gc.collect()
    gc.freeze()  # what was made by now lives as long as the process; no collection need look at it again
    print(f"accord: {addresses(config, application)}", file=sys.stderr, flush=True)
    await stop.wait()
    await reloads.aclose()
    await application.stop()
    end_if_busy(reloads.apart, application.apart)


async def serve_by(processes: int, path: Path, config: Configuration, environ: Mapping[str, str]) -> None:
    """Run the gateway by several processes until SIGTERM or SIGINT; `path` is the file that `config` came from."""
    with counted_together(config, processes) as tables:
        clock = SystemClock()
        supervisor = Supervisor(config, path, processes=processes, environ=environ, clock=clock, tables=tables)
        stop = stop_signal(supervisor.kill)
        reloads = reloading(path, environ, supervisor, clock)
        await supervisor.start()
        reloads.start()
        print(f"accord: {addresses(config, supervisor)}, by {processes} processes", file=sys.stderr, flush=True)
        await stop.wait()
        await reloads.aclose()
        await supervisor.stop()
        end_if_busy(reloads.apart)


class Reloadable(Taker, Protocol):
    """What takes configurations, and tells of them."""

    @property
    def record(self) -> ConfigRecord:
        """What is told of them."""

    @property
    def log(self) -> FilteringBoundLogger:
        """Where it is told what became of each."""


def reloading(
    path: Path, environ: Mapping[str, str], taker: Reloadable, clock: SystemClock, files: FileSet | None = None
) -> Reloads:
    """Return what reloads the configuration at `path`, at SIGHUP at the least; one that came before is heard now."""
    reloads = Reloads(path, environ, taker, record=taker.record, log=taker.log, clock=clock, files=files)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloads.ask)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP,))
    return reloads


def end_if_busy(*threads: Apart) -> None:
    """End the process where a thread loads files still, and may hang: Python would wait for it, however long."""
    if any(apart.busy for apart in threads):
        sys.stderr.flush()
        os._exit(0)


@contextmanager
def counted_together(config: Configuration, processes: int) -> Iterator[Tables | None]:
    """Yield the memory in which processes count limits together; None where Redis does that."""
    if config.gateway.store.redis is not None:
        yield None
        return
    tables = shared_tables(config, processes)
    try:
        yield tables
    finally:
        tables.close()


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
