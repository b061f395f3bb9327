"""Time and ids, as ports: whoever needs them is given them, so that tests can say what time it is."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Protocol

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

    now_s = staticmethod(time.time)
    monotonic_s = staticmethod(time.monotonic)


class Ids(Protocol):
    """Mints request ids."""

    def mint(self) -> str:
        """Return a new id, 36 characters, in the spelling of RFC 9562 section 4."""


_RANDOM_BYTES = 10
_IDS_AT_ONCE = 64  # a call of the system costs more than all the rest
_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_MASK_12 = (1 << 12) - 1
_MASK_62 = (1 << 62) - 1


class UuidsV7:
    """UUID version 7 (RFC 9562 section 5.7): milliseconds, then 74 random bits, so that ids sort by age."""

    def __init__(self, clock: Clock, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        """Take the time from `clock` and the rest from `random_bytes`."""
        self._clock = clock
        self._random_bytes = random_bytes
        self._ahead = b""

    def mint(self) -> str:
        """Return a new id."""
        if not self._ahead:
            self._ahead = self._random_bytes(_RANDOM_BYTES * _IDS_AT_ONCE)
        random = int.from_bytes(self._ahead[:_RANDOM_BYTES], "big")
        self._ahead = self._ahead[_RANDOM_BYTES:]
        milliseconds = int(self._clock.now_s() * 1000) & 0xFFFFFFFFFFFF
        high = (random >> 62) & _MASK_12
        digits = f"{milliseconds << 80 | _VERSION_7 | high << 64 | _VARIANT | random & _MASK_62:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
