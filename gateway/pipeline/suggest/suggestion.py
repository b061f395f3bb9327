"""What inference gives back: a dialect as plain values, and what it makes of each reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class ReplyReading(Struct, frozen=True, kw_only=True):
    """What the suggested dialect makes of one reply. `dialect` is `own` for a rule of the suggestion itself."""

    status: int
    is_error: bool
    dialect: str | None
    code: str | None
    upstream_code: str | None
    detail: str | None
    fields: int


class Suggestion(Struct, frozen=True, kw_only=True):
    """A dialect for some replies.

    `dialect` is what stands under `dialect:` in an upstream's file: a name, or a dialect as plain values. `open_codes`
    are upstream codes whose meaning a person has to settle: our best guess, and what speaks for it; `told_codes` those
    whose status says what they mean. `unsure` says in
    sentences what else could not be told. `readings` are in the order of the replies.
    """

    dialect: str | dict[str, Any]
    readings: tuple[ReplyReading, ...]
    open_codes: Mapping[str, tuple[str, str]]
    told_codes: Mapping[str, str]
    unsure: tuple[str, ...]
