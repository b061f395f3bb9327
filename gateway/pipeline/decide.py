"""Whether a reply streams through or is captured to be read: decided on its head alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from gateway.dialects.header import FieldNames
from gateway.headers import forbids_transform, is_json
from gateway.pipeline.codings import can_undo

if TYPE_CHECKING:
    from gateway.model import Headers
    from gateway.pipeline.plan import Plan

_FIELDS = FieldNames(("Content-Type", "Content-Encoding", "Content-Length", "Cache-Control"))
_is_json = lru_cache(maxsize=64)(is_json)
_ERRORS_FROM = 400
_REDIRECTS_FROM = 300
_RESET_CONTENT = 205
_WITHOUT_CONTENT = frozenset({204, 206})  # 206 has content, but a part of something that cannot be read as a whole


class Stream(Struct, frozen=True):
    """The reply goes through as it comes.

    `bare`: without a body, and without the fields that would describe one. So goes a 205, which has none whatever the
    upstream sends (RFC 9110 section 15.3.6), and the answer to a HEAD whose GET would be written anew: the upstream's
    length and type are not those of what a GET gets (section 9.3.2).
    """

    bare: bool = False


class Capture(Struct, frozen=True, kw_only=True):
    """The body is held up to a limit; what is over it is dropped (`cut`) or makes the reply stream after all."""

    limit_bytes: int
    cut: bool


STREAM = Stream()
BARE = Stream(bare=True)


def decide(status: int, headers: Headers, plan: Plan, method: str) -> Stream | Capture:
    """Return what to do with a reply of which only the head is there."""
    if status >= _ERRORS_FROM:
        return Capture(limit_bytes=plan.error_bytes, cut=True) if plan.translate else STREAM
    if status == _RESET_CONTENT:
        return BARE
    if status >= _REDIRECTS_FROM or status in _WITHOUT_CONTENT or not _is_read(status, headers, plan):
        return STREAM
    if method == "HEAD":
        return BARE if plan.unify and not plan.shadow else STREAM
    return Capture(limit_bytes=plan.success_bytes, cut=False)


def _is_read(status: int, headers: Headers, plan: Plan) -> bool:
    """Tell whether somebody wants to read a success, and it can and may be read."""
    if not plan.unify and not (plan.translate and plan.dialect.may_be_error(status)):
        return False
    fields = _FIELDS.of(headers)
    if not _is_json(fields.get(b"content-type", b"")) or not can_undo(fields.get(b"content-encoding")):
        return False
    if b"cache-control" in fields and forbids_transform(headers):
        return False
    length = fields.get(b"content-length")
    return length is None or not length.isdigit() or int(length[:18]) <= plan.success_bytes
