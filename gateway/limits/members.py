"""How a limit stands in a structured-field list (RFC 9651): names are quoted, numbers bounded, seconds rounded up."""

from __future__ import annotations

from typing import Final

from gateway.units import US_IN_S

LARGEST: Final = 999_999_999_999_999
"""The largest integer of a structured field (RFC 9651 section 3.3.1)."""


def quoted(name: str) -> str:
    """Return a name as a string of structured fields (RFC 9651 section 3.3.3), in ASCII."""
    text = "".join(character if " " <= character <= "~" else "?" for character in name)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def bounded(number: int) -> int:
    """Return the nearest integer that a field can hold and that makes sense in ours."""
    return min(max(number, 0), LARGEST)


def seconds(us: int) -> int:
    """Return microseconds in whole seconds, rounded up: never earlier than the truth."""
    return -(-us // US_IN_S)
