"""A configuration that may be served: loaded, and checked as far as only the machine that will serve it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.fixed import restart_faults
from gateway.config.load import load
from gateway.edge.limiting.stores import store_faults
from gateway.errors import ConfigError
from gateway.pipeline.verify import ambiguities
from gateway.upstream import file_faults

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.config.load import Configuration


def load_all(path: Path, environ: Mapping[str, str], running: Configuration | None = None) -> Configuration:
    """Load a configuration that is about to be served: its variables and files must be usable and its ways clear.

    In place of one that is `running` it may change nothing that needs a restart. Raises ConfigError with all faults.
    """
    config = load(path, known=running)
    faults = config.environment_faults(environ) + ambiguities(config) + file_faults(config)
    faults += store_faults(config, environ)
    faults += [] if running is None else restart_faults(running, config)
    if faults:
        raise ConfigError(faults)
    return config
