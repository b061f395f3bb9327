"""The header fields in which an API tells what it still grants, by their names and values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.model import Reply

_KNOWN: Final = ("x-ratelimit-", "ratelimit-", "x-rate-limit-")
_SUBJECT: Final = frozenset(
    [
        "rate",
        "ratelimit",
        "limit",
        "quota",
        "call",
        "calls",
        "request",
        "requests",
        "throttle",
        "api",
        "credits",
        "usage",
        "budget",
        "allowance",
    ]
)
_PARTS: Final = {
    "remaining": frozenset(("remaining", "left", "available", "rest")),
    "reset": frozenset(("reset", "resets", "renew", "renews", "refill", "resetafter")),
    "limit": frozenset(("limit", "max", "maximum", "total", "allowed", "quota")),
}
_REQUEST_IDS: Final = frozenset(
    ("request", "trace", "correlation", "transaction", "ray", "traceid", "requestid", "req")
)
_number = re.compile(r"[0-9]{1,16}(?:\.[0-9]{1,6})?").fullmatch
_separators = re.compile(r"[-_]+")
_MOST: Final = 100


def rate_headers_of(replies: Sequence[Reply]) -> dict[str, Any] | None:
    """Return a window in fields that `generic` does not know by itself, or None."""
    found: dict[str, Any] = {}
    for name, value in _fields(replies):
        lower = name.lower()
        if _number(value) is None or lower.startswith(_KNOWN):
            continue
        parts = _separators.split(lower)
        part = _part(parts)
        if part is not None and part not in found and not _SUBJECT.isdisjoint(parts):
            found[part] = {"header": name, "as": _form(value)} if part == "reset" else name
    return (
        {part: found[part] for part in ("limit", "remaining", "reset") if part in found}
        if "remaining" in found
        else None
    )


def _part(words: Sequence[str]) -> str | None:
    """Return what a field tells by its last word; of a reset it may stand anywhere: `Resets-In`, `Reset-After`."""
    if not _PARTS["reset"].isdisjoint(words):
        return "reset"
    return next((part for part, ends in _PARTS.items() if words[-1] in ends), None)


def _form(value: str) -> str:
    whole = value.partition(".")[0]
    if len(whole) >= 13:
        return "epoch_ms"
    return "epoch_seconds" if len(whole) >= 10 else "delta_seconds"


def request_id_headers(replies: Sequence[Reply]) -> list[str]:
    """Return the names of the fields that hold the API's own id of a request."""
    found: dict[str, str] = {}
    for name, value in _fields(replies):
        parts = _separators.split(name.lower())
        if (
            len(value) >= 4
            and " " not in value
            and not _REQUEST_IDS.isdisjoint(parts)
            and parts[-1] not in ("time", "cost")
        ):
            found.setdefault(name.lower(), name)
    return list(found.values())[:3]


def _fields(replies: Sequence[Reply]) -> Iterator[tuple[str, str]]:
    for reply in replies:
        for name, value in reply.headers[:_MOST]:
            yield name[:100].decode("latin-1"), value[:200].decode("latin-1").strip()
