"""Limits that are in vain: they load, and do not do what they seem to. `accord check` warns of them.

Only what is certain is told: no matter what clients send, and by how many processes the configuration is served.
`placed` finds the limits, `alone` looks at each by itself, `together` at those that one request meets; `budgets` looks
at those of upstreams.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.errors import Severity
from gateway.pipeline.vain.alone import vain_alone
from gateway.pipeline.vain.budgets import vain_budgets
from gateway.pipeline.vain.placed import limits_of
from gateway.pipeline.vain.together import vain_together

if TYPE_CHECKING:
    from gateway.config.load import Configuration
    from gateway.errors import Fault

__all__ = ["vain_limits"]


def vain_limits(configuration: Configuration) -> list[Fault]:
    """Return a warning for each thing about a configuration's limits that does not do what it seems to."""
    limits = limits_of(configuration)
    found = [fault for limit in limits for fault in vain_alone(limit, configuration)]
    found += vain_together(limits, configuration)
    found += vain_budgets(configuration)
    return [replace(fault, severity=Severity.WARNING) for fault in found]
