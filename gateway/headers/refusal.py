"""Why a message is not passed on."""

from __future__ import annotations

from msgspec import Struct


class Refusal(Struct, frozen=True):
    """A message that must not be passed on: the name of a code of the catalogue, and words that are safe to show."""

    code: str
    reason: str


def malformed(reason: str) -> Refusal:
    """Refuse a request that two servers could read differently; its connection is closed after the answer."""
    return Refusal("malformed_request", reason)
