"""The words that a request's end is counted and logged by: its outcome, whose fault that is, and its status.

Invariants: each set is closed, whatever clients and upstreams send. `OUTCOMES` names every outcome there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.model import NONE, OTHER, Origin, Party

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import Problem

CLIENT_CLOSED_REQUEST: Final = 499
"""The status that stands in logs and metrics for a request whose client left before an answer; it is never sent."""

_CLIENT: Final = "client"
_UPSTREAM: Final = "upstream"
_GATEWAY: Final = "gateway"

OUTCOMES: Final[Mapping[str, tuple[int, str]]] = {
    "ok": (200, NONE),
    "client_error": (400, _CLIENT),
    "rate_limited": (429, _CLIENT),
    "no_route": (404, _CLIENT),
    "upstream_4xx": (404, _CLIENT),
    "upstream_5xx": (500, _UPSTREAM),
    "upstream_masked": (502, _UPSTREAM),
    "upstream_budget": (503, _UPSTREAM),
    "transport": (503, _UPSTREAM),
    "timeout": (504, _UPSTREAM),
    "gateway_error": (500, _GATEWAY),
    "cancelled": (CLIENT_CLOSED_REQUEST, _CLIENT),
    "cut": (200, _UPSTREAM),
    "idle": (101, NONE),
}
"""Every outcome, with the status and the fault that are usual for it."""

WITHOUT_UPSTREAM: Final = ("ok", "client_error", "no_route", "gateway_error", "cancelled")
"""The outcomes of requests that reach no upstream."""

_SETTLED: Final = frozenset(("ok", "idle", "cancelled"))
"""Whose fault these are does not hang on a problem that was about to be told."""

_BY_CODE: Final[Mapping[str, str]] = {
    "route_not_found": "no_route",
    "method_not_allowed": "no_route",
    "rate_limited": "rate_limited",
    "upstream_timeout": "timeout",
    "upstream_budget_exhausted": "upstream_budget",
    "upstream_saturated": "transport",
    "upstream_unavailable": "transport",
}
"""The word for a failure that no upstream's reply lies behind, where its status does not say it."""

_SERVER_ERROR: Final = 500
_CLIENT_ERROR: Final = 400


def word_of(problem: Problem | None, upstream_status: int | None, status: int) -> str:
    """Return the one word for a request that got an answer."""
    if problem is None:
        return word_of_reply(status)
    if problem.source.origin is Origin.UPSTREAM and upstream_status is not None:
        return "upstream_masked" if upstream_status < _CLIENT_ERROR else word_of_reply(upstream_status)
    if word := _BY_CODE.get(problem.code.name):
        return word
    if problem.source.origin is Origin.TRANSPORT:
        return "transport"
    return "gateway_error" if problem.status >= _SERVER_ERROR else "client_error"


def word_of_reply(status: int) -> str:
    """Return the word for a reply of an upstream that went through as it was."""
    if status < _CLIENT_ERROR:
        return "ok"
    return "upstream_4xx" if status < _SERVER_ERROR else "upstream_5xx"


def fault_of(outcome: str, fault: Party | None) -> str:
    """Return who must act: as the problem says (`fault`), and where none was told as is usual for the outcome."""
    if fault is None or outcome in _SETTLED:
        return OUTCOMES[outcome][1]
    return fault.value


_KNOWN: Final = frozenset(
    (
        *range(100, 104),
        *range(200, 209),
        226,
        *range(300, 309),
        *range(400, 419),
        *range(421, 427),
        428,
        429,
        431,
        451,
        CLIENT_CLOSED_REQUEST,
        *range(500, 509),
        510,
        511,
        *range(520, 528),
        529,
        530,
    )
)
"""Statuses that IANA lists, and those that large content networks send beside them (520 to 530)."""

STATUSES: Final[Mapping[int, str]] = {
    status: str(status) if status in _KNOWN else f"{status // 100}xx" for status in range(100, 600)
}
"""The label of each status: those that nobody knows are counted by their class, `4xx` say."""


def status_label(status: int) -> str:
    """Return the label of a status."""
    return STATUSES.get(status, OTHER)
