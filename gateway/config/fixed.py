"""What a gateway keeps as long as it runs: another value of it is a fault of a reload, at its place in the new file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.config.faults import fault_at

if TYPE_CHECKING:
    from gateway.config.load import Configuration
    from gateway.errors import Fault

FIXED: Final = ("listen", "admin", "store")
"""Keys of the gateway's file that are read when a process starts, and never again."""


def restart_faults(running: Configuration, wanted: Configuration) -> list[Fault]:
    """Return a fault for each key in which a configuration differs from a running one, and that needs a restart."""
    return [
        fault_at(wanted.document, (key,), f"{key} cannot be changed while the gateway runs", "restart it for that")
        for key in FIXED
        if getattr(wanted.gateway, key) != getattr(running.gateway, key)
    ]
