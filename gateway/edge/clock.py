"""Time and ids, as ports: whoever needs them is given them, so that tests can say what time it is."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(Protocol):
    """The two clocks that a gateway needs."""

    def now_s(self) -> float:
        """Return Unix time in seconds: for dates, ids, and what upstreams mean by an epoch."""

    def monotonic_s(self) -> float:
        """Return seconds since some fixed moment: for durations and limits; it never goes back."""


class SystemClock:
    """The clocks of this machine."""

    def now_s(self) -> float:
        """Return Unix time in seconds."""
        return time.time()

    def monotonic_s(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()


class Ids(Protocol):
    """Mints request ids."""

    def mint(self) -> str:
        """Return a new id, 36 characters, in the spelling of RFC 9562 section 4."""


_IDS_AT_ONCE: Final = 64  # a call of the system costs more than all the rest
_ENDING_BYTES: Final = 10
_RANDOM: Final = int("0fff3fffffffffffffff" * _IDS_AT_ONCE, 16)
_FIXED: Final = int("70008000000000000000" * _IDS_AT_ONCE, 16)
"""Which bits of ids, from the version on, are random, and what the others are: version 7, variant 10."""


class UuidsV7:
    """UUID version 7 (RFC 9562 section 5.7): milliseconds, then 74 random bits, so that ids sort by age."""

    def __init__(self, clock: Clock, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        """Take the time from `clock` and the rest from `random_bytes`."""
        self._clock = clock
        self._random_bytes = random_bytes
        self._endings: list[str] = []
        self._milliseconds = -1
        self._beginning = ""

    def mint(self) -> str:
        """Return a new id."""
        milliseconds = int(self._clock.now_s() * 1000)
        if milliseconds != self._milliseconds:
            self._milliseconds = milliseconds
            digits = f"{milliseconds & 0xFFFFFFFFFFFF:012x}"
            self._beginning = f"{digits[:8]}-{digits[8:]}-"
        if not self._endings:
            self._endings = _endings(self._random_bytes(_ENDING_BYTES * _IDS_AT_ONCE))
        return self._beginning + self._endings.pop()


def _endings(random: bytes) -> list[str]:
    """Return the last three groups of many ids."""
    fixed = int.from_bytes(random, "big") & _RANDOM | _FIXED
    digits = f"{fixed:x}"  # the first of them is the 7
    return [
        f"{digits[at : at + 4]}-{digits[at + 4 : at + 8]}-{digits[at + 8 : at + 20]}"
        for at in range(0, len(digits), 2 * _ENDING_BYTES)
    ]
