"""Policies in few words: what every one of an algorithm has to say is said here."""

from __future__ import annotations

from typing import Any

from gateway.limits.policy import PERIOD_US, Algorithm, Period, Policy


def sliding_log(name: str, requests: int, per_us: int = 1_000_000, **more: Any) -> Policy:  # noqa: ANN401 - as Policy has it
    """Return one of at most so many requests in any window."""
    return _all_at_once(name, requests, per_us=per_us, algorithm=Algorithm.SLIDING_LOG, **more)


def calendar_window(name: str, requests: int, period: Period = Period.DAY, **more: Any) -> Policy:  # noqa: ANN401 - as above
    """Return one of so many requests in each unit of the calendar."""
    per_us = PERIOD_US[period]
    return _all_at_once(name, requests, per_us=per_us, algorithm=Algorithm.CALENDAR, period=period, **more)


def places(name: str, requests: int, **more: Any) -> Policy:  # noqa: ANN401 - as above
    """Return one of so many requests under way."""
    return _all_at_once(name, requests, per_us=0, algorithm=Algorithm.CONCURRENCY, **more)


def _all_at_once(name: str, requests: int, *, key: tuple[str, ...] = ("ip",), **more: Any) -> Policy:  # noqa: ANN401 - as above
    return Policy(name=name, requests=requests, burst=requests, key=key, **more)
