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
    limit_bytes = 0
    if status < _REDIRECTS_FROM and status not in _WITHOUT_CONTENT:
        limit_bytes = _limit(status, headers, plan)
    if not limit_bytes:
        return STREAM
    if method == "HEAD":
        return BARE if plan.unify and not plan.shadow else STREAM
    return Capture(limit_bytes=limit_bytes, cut=False)


def _limit(status: int, headers: Headers, plan: Plan) -> int:
    """Return how much of a success is held: nothing where nobody wants to read it, or it cannot or may not be read.

    What is not JSON can only hide an error, and is held as far as errors are.
    """
    if not plan.unify and not (plan.translate and plan.dialect.may_be_error(status)):
        return 0
    fields = _FIELDS.of(headers)
    content_type = fields.get(b"content-type", b"")
    limit_bytes = plan.success_bytes
    if not _is_json(content_type):
        if not (plan.translate and plan.dialect.reads(status, content_type)):
            return 0
        limit_bytes = min(limit_bytes, plan.error_bytes)
    if not can_undo(fields.get(b"content-encoding")) or (b"cache-control" in fields and forbids_transform(headers)):
        return 0
    length = fields.get(b"content-length")
    return limit_bytes if length is None or not length.isdigit() or int(length[:18]) <= limit_bytes else 0
