"""Problems and successes to bytes, and the header fields that go with them."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from gateway.model import Origin, Stage
from gateway.pipeline.document import Meta, document_of

if TYPE_CHECKING:
    from gateway.errors import TransportReason
    from gateway.model import Problem, Success

PROBLEM_TYPE = b"application/problem+json"
JSON_TYPE = b"application/json"

_encode = msgspec.json.Encoder().encode


def problem_document(problem: Problem, request_id: str, public_url: str | None, language: str = "en") -> bytes:
    """Return the problem document as JSON; an upstream's extension members stand behind ours, byte for byte."""
    document = _encode(document_of(problem, request_id, public_url, language))
    if problem.extensions is None:
        return document
    return document[:-1] + b"," + _encode(problem.extensions)[1:]


def success_document(success: Success, request_id: str, upstream: str) -> bytes:
    """Return `{"data": …, "meta": …}`, with `warnings` where some of it failed; `data` is spliced in unchanged."""
    meta = Meta(
        request_id=request_id,
        upstream=upstream,
        message=success.message,
        pagination=success.pagination if success.pagination is not None else UNSET,
    )
    parts = [b'{"data":', success.data, b',"meta":', _encode(meta)]
    if success.warnings:
        parts += [b',"warnings":', _encode(success.warnings)]
    parts.append(b"}")
    return b"".join(parts)


def retry_after(problem: Problem) -> bytes | None:
    """Return the value of `Retry-After`: whole seconds, rounded up, so that it agrees with the document.

    For a limit of ours at least 1: the field has no finer unit, and 0 would ask for what was just refused.
    """
    after = problem.retry.after
    if after is None:
        return None
    least = 1 if problem.source.stage is Stage.LIMIT and problem.source.origin is Origin.GATEWAY else 0
    return b"%d" % max(least, ceil(after))


def proxy_status(
    problem: Problem, via: str, reason: TransportReason | None = None, received: int | None = None
) -> bytes:
    """Return the value of `Proxy-Status` (RFC 9209): what this gateway, named as in `Via`, met.

    `received` is the status that the upstream gave, where it is its failure.
    """
    if problem.source.origin is Origin.UPSTREAM:
        return f"{via}; received-status={received or problem.status}".encode()
    error = reason.value if reason is not None else _PROXY_ERRORS.get(problem.code.name)
    if error is None:
        error = "http_request_denied" if problem.source.stage in _DENYING else "proxy_internal_error"
    return f"{via}; error={error}".encode()


_DENYING = frozenset({Stage.ROUTE, Stage.AUTH, Stage.LIMIT})
_PROXY_ERRORS = {
    "malformed_request": "http_request_error",
    "request_timeout": "http_request_error",
    "target_too_large": "http_request_error",
    "head_too_large": "http_request_error",
    "body_too_large": "http_request_error",
    "expectation_failed": "http_request_error",
    "method_not_allowed": "http_request_denied",
    "upstream_saturated": "connection_limit_reached",
    "upstream_budget_exhausted": "destination_unavailable",
    "upstream_unavailable": "destination_unavailable",
    "shutting_down": "destination_unavailable",
    "loop_detected": "proxy_loop_detected",
}
