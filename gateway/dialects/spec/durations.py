"""Durations as files write them, `2s` or `500ms`; in memory they are seconds."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)")
_OFF = "off"
_SHORTEST_S = 0.1
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: Any) -> float:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        message = "a duration needs a unit: ms, s, m, h or d, as in 500ms or 2s"
        raise ValueError(message)
    return float(found.group(1)) * _SECONDS[found.group(2)]


def _some_seconds(value: Any) -> float:
    seconds = _seconds(value)
    if seconds <= 0:
        message = "this duration must be longer than nothing"
        raise ValueError(message)
    return seconds


def _interval(value: Any) -> float:
    if value == _OFF:
        return 0.0
    seconds = _seconds(value)
    if seconds < _SHORTEST_S:
        message = f"write {_OFF}, or at least {_SHORTEST_S:g}s: each time all files are looked at"
        raise ValueError(message)
    return seconds


def _spelled_interval(seconds: float) -> str:
    return _spelled_seconds(seconds) if seconds else _OFF


def _spelled_seconds(seconds: float) -> str:
    for unit in ("d", "h", "m", "s"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    return f"{seconds / _SECONDS['ms']:g}ms" if seconds else "0s"


_DURATION_SCHEMA = WithJsonSchema(
    {"title": "duration", "type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["500ms", "2s", "1m"]}
)

Duration = Annotated[float, BeforeValidator(_some_seconds), PlainSerializer(_spelled_seconds), _DURATION_SCHEMA]
"""A duration longer than nothing, in seconds."""
DurationOrNone = Annotated[float, BeforeValidator(_seconds), PlainSerializer(_spelled_seconds), _DURATION_SCHEMA]
"""A duration that may be `0s`, in seconds."""
Interval = Annotated[
    float,
    BeforeValidator(_interval),
    PlainSerializer(_spelled_interval),
    WithJsonSchema(
        {"title": "interval", "type": "string", "pattern": f"^({_OFF}|{_DURATION.pattern})$", "examples": ["2s", _OFF]}
    ),
]
"""How often something is done, in seconds; `off`, which is 0, is never."""
