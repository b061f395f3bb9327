"""Where a field belongs, by its name alone; remembered, because the same few names come with every message."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from gateway.headers import names
from gateway.headers.lists import is_token

_NAMES_REMEMBERED: Final = 2_048
_LONGEST_REMEMBERED: Final = 64
"""Longer names are not remembered, so that nobody fills the memory with them."""


class Place(Enum):
    """What becomes of a client's field."""

    PASS = auto()
    SINGLE = auto()
    """It passes, but not twice: one server would check the first and another the last."""
    APART = auto()
    """It has a rule of its own."""
    FORWARDING = auto()
    """Only a trusted peer may say it."""
    DROP = auto()
    NO_TOKEN = auto()
    """Not a name at all (RFC 9110 section 5.1)."""
    SHADOW = auto()
    """An underscore stands where a known name has a dash."""


def _place_of(name: bytes) -> tuple[bytes, Place]:
    lower = name.lower()
    key = lower.replace(b"_", b"-")
    if not is_token(name):
        return key, Place.NO_TOKEN
    forwarding = key in names.FORWARDING or key.startswith(names.FORWARDING_PREFIX)
    if key != lower and (forwarding or key in names.KNOWN):
        return key, Place.SHADOW
    if forwarding:
        return key, Place.FORWARDING
    if key in names.APART:
        return key, Place.APART
    if key in names.HOP_BY_HOP:
        return key, Place.DROP
    return key, Place.SINGLE if key in names.SINGLE else Place.PASS


class _Places(dict[bytes, tuple[bytes, Place]]):
    """Places by name, as it is spelled; one that is missing is worked out, and kept while there is room."""

    def __missing__(self, name: bytes) -> tuple[bytes, Place]:
        place = _place_of(name)
        if len(name) <= _LONGEST_REMEMBERED and len(self) < _NAMES_REMEMBERED:
            self[name] = place
        return place


PLACES: Final = _Places()
"""A field's name in lower case with dashes for underscores, and its place, by the name as it came: `PLACES[name]`.

Many servers read `_` and `-` as one (RFC 3875 section 4.1.18), so every rule here does.
"""
for _name in sorted(names.KNOWN | names.COMMON):
    PLACES[_name], PLACES[_name.title()] = _place_of(_name), _place_of(_name)
