"""Units of time against each other: limits reckon in whole microseconds, files in nanoseconds, people in seconds."""

from __future__ import annotations

from typing import Final

US_IN_S: Final = 1_000_000
NS_IN_S: Final = 1_000_000_000
