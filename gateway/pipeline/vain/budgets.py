"""What a budget says in vain: one that clients have by credentials of their own is counted, and refuses nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.faults import fault_at
from gateway.config.granted import granted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config.load import Configuration
    from gateway.errors import Fault

_HINT = "give credentials where ours go upstream, write by: address where the API counts so, or leave it out"


def vain_budgets(configuration: Configuration) -> Iterator[Fault]:
    """Find upstreams whose budgets hold nobody back."""
    for upstream in configuration.upstreams:
        watched = [one.declared.name for one in granted(upstream.settings) if one.declared.shadow]
        if watched:
            names = ", ".join(f'"{name}"' for name in watched)
            message = f"{names}: counted for each client, and refuses nobody: the clients bring their own credentials"
            yield fault_at(upstream.document, ("budget",), message, _HINT)
