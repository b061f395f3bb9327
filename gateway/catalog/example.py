"""A document for each code, as a client would receive it: for the pages, so nothing in it is real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.model import (
    Category,
    FieldCode,
    FieldError,
    Location,
    Origin,
    Retry,
    Source,
    Stage,
    UpstreamError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import Code

_REQUEST_ID = "019ab4c2-77aa-7d2e-9e0b-3d1f5f1c2a10"
_UPSTREAM = "salla"

# Where a code usually comes from when it is not the upstream's own answer.
_ELSEWHERE: Final[Mapping[str, tuple[Origin, Stage]]] = {
    "route_not_found": (Origin.GATEWAY, Stage.ROUTE),
    "malformed_request": (Origin.GATEWAY, Stage.REQUEST),
    "request_timeout": (Origin.GATEWAY, Stage.REQUEST),
    "body_too_large": (Origin.GATEWAY, Stage.REQUEST),
    "target_too_large": (Origin.GATEWAY, Stage.REQUEST),
    "head_too_large": (Origin.GATEWAY, Stage.REQUEST),
    "rate_limited": (Origin.GATEWAY, Stage.LIMIT),
    "upstream_budget_exhausted": (Origin.GATEWAY, Stage.LIMIT),
    "upstream_saturated": (Origin.GATEWAY, Stage.CONNECT),
    "upstream_unavailable": (Origin.GATEWAY, Stage.CONNECT),
    "upstream_unreachable": (Origin.TRANSPORT, Stage.CONNECT),
    "upstream_tls_failed": (Origin.TRANSPORT, Stage.CONNECT),
    "upstream_timeout": (Origin.TRANSPORT, Stage.RESPONSE),
    "upstream_protocol_error": (Origin.TRANSPORT, Stage.RESPONSE),
    "store_unavailable": (Origin.GATEWAY, Stage.LIMIT),
    "shutting_down": (Origin.GATEWAY, Stage.ROUTE),
    "loop_detected": (Origin.GATEWAY, Stage.ROUTE),
    "internal": (Origin.GATEWAY, Stage.TRANSLATE),
}
# Where the upstream sent another status than the code's own.
_SENT: Final[Mapping[str, int]] = {
    "insufficient_scope": 401,
    "upstream_credentials_rejected": 401,
    "upstream_error": 500,
}
_FIELDS = (
    FieldError(
        field="email",
        pointer="#/email",
        location=Location.BODY,
        code=FieldCode.REQUIRED,
        detail="An email address is needed.",
    ),
)


def example_document(code: Code) -> dict[str, Any]:
    """Return a problem document with `code`, its members in the order of the wire form."""
    origin, stage = _ELSEWHERE.get(code.name, (Origin.UPSTREAM, Stage.RESPONSE))
    document: dict[str, Any] = {
        "type": f"/-/problems/{code.name}",
        "title": code.title,
        "status": code.status,
        "detail": code.happened["en"],
        "instance": f"urn:uuid:{_REQUEST_ID}",
        "code": code.name,
        "category": code.category,
        "source": Source(
            origin=origin, fault=code.fault, upstream=None if stage is Stage.ROUTE else _UPSTREAM, stage=stage
        ),
        "retry": Retry(retryable=code.retryable, after=30 if code.retryable and code.status in {429, 503} else None),
        "errors": _FIELDS if code.category is Category.VALIDATION else (),
    }
    if origin is Origin.UPSTREAM:
        document["upstream"] = UpstreamError(status=_SENT.get(code.name, code.status), dialect=_UPSTREAM)
    return document | {"request_id": _REQUEST_ID}


def example_json(code: Code) -> str:
    """Return the example for `code` as indented JSON text."""
    return msgspec.json.format(msgspec.json.encode(example_document(code)), indent=2).decode()
