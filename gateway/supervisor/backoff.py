"""How long to wait before a process that died is started again. Pure: how long it lived is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STEADY_S: Final = 10.0
"""A process that lived this long did not die of its start."""
FIRST_S: Final = 0.5
LONGEST_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """What is known of the deaths of one place's processes: how many in a row died `early`."""

    early: int = 0

    def died(self, lived_s: float) -> tuple[Backoff, float]:
        """Return what is known after a process that lived so long, and the seconds to wait before the next.

        None after a long life and after the first short one; then `FIRST_S`, doubled each time, up to `LONGEST_S`.
        """
        if lived_s >= STEADY_S:
            return Backoff(), 0.0
        doublings = min(self.early - 1, 16)
        delay_s = min(FIRST_S * 2.0**doublings, LONGEST_S) if self.early else 0.0
        return Backoff(self.early + 1), delay_s
