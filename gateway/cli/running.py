"""What the commands that run a gateway share: loading all of a configuration, and running until told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from typing import TYPE_CHECKING

from gateway import app
from gateway.config.load import load
from gateway.edge.stores import store_faults
from gateway.errors import ConfigError
from gateway.pipeline.verify import ambiguities
from gateway.upstream import file_faults

if TYPE_CHECKING:
    from collections.abc import Mapping
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


def addresses(config: Configuration, application: app.Application) -> str:
    """Return where a gateway listens, as a sentence."""
    listen, admin = config.gateway.listen, config.gateway.admin
    return (
        f"serving on http://{_host(listen.host)}:{application.port}, "
        f"metrics and status on http://{_host(admin.host)}:{application.admin_port}"
    )


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def stop_signal() -> asyncio.Event:
    """Return an event that the first SIGTERM or SIGINT sets; the next one ends the process at once."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()

    def first() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        event.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, first)
    return event
