"""Whether a reply streams through or is captured to be read: decided on its head alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from gateway.headers import forbids_transform, is_json
from gateway.model import first_value
from gateway.pipeline.codings import can_undo

if TYPE_CHECKING:
    from gateway.model import Headers
    from gateway.pipeline.plan import Plan

_ERRORS_FROM = 400
_REDIRECTS_FROM = 300
_WITHOUT_CONTENT = frozenset({204, 205, 206})  # 206 has content, but a part of something that cannot be read as a whole


class Stream(Struct, frozen=True):
    """The reply goes through as it comes."""


class Capture(Struct, frozen=True, kw_only=True):
    """The body is held up to a limit; what is over it is dropped (`cut`) or makes the reply stream after all."""

    limit_bytes: int
    cut: bool


STREAM = Stream()


def decide(status: int, headers: Headers, plan: Plan, method: str) -> Stream | Capture:
    """Return what to do with a reply of which only the head is there."""
    if status >= _ERRORS_FROM:
        return Capture(limit_bytes=plan.error_bytes, cut=True) if plan.translate else STREAM
    if status >= _REDIRECTS_FROM or status in _WITHOUT_CONTENT or method == "HEAD":
        return STREAM
    if not plan.unify and not (plan.translate and plan.dialect.may_be_error(status)):
        return STREAM
    if not is_json(first_value(headers, b"content-type") or b"") or not can_undo(
        first_value(headers, b"content-encoding")
    ):
        return STREAM
    if forbids_transform(headers):
        return STREAM
    length = first_value(headers, b"content-length")
    if length is not None and length.isdigit() and int(length[:18]) > plan.success_bytes:
        return STREAM
    return Capture(limit_bytes=plan.success_bytes, cut=False)
