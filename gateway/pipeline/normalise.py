"""Any reply to an answer: a problem, a success, or nothing to change.

Total: for any status, header and bytes `normalise` returns within a bound of time and memory. Here alone is settled
which HTTP status the client gets (docs/reference/format.md, "Which HTTP status the client gets").
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from gateway.catalog import CODES
from gateway.dialects.view import View
from gateway.errors import TransportReason
from gateway.model import Category, Origin, Party, Problem, Reply, Retry, Source, Stage, Success, UpstreamError
from gateway.pipeline.codings import undo, undo_partly
from gateway.pipeline.document import OWN_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgspec import Raw

    from gateway.dialects.reader import ErrorReading
    from gateway.headers import AddressMap
    from gateway.model import Code, Pagination
    from gateway.pipeline.plan import Plan
    from gateway.pipeline.radar import Sightings

_CODING = b"content-encoding"
_ERRORS_FROM = 400
_ERROR_STATUSES = range(400, 600)
_UNAUTHORIZED = 401
_UPSTREAM, _RESPONSE, _GATEWAY = Origin.UPSTREAM, Stage.RESPONSE, Party.GATEWAY
_RETRY = {retryable: Retry(retryable=retryable, after=None) for retryable in (False, True)}
_LIMITED = (Category.RATE_LIMITED, Category.QUOTA_EXHAUSTED)
_CREDENTIALS_REJECTED = CODES["upstream_credentials_rejected"]
_BUDGET_EXHAUSTED = CODES["upstream_budget_exhausted"]


def normalise(
    reply: Reply, plan: Plan, now_s: float, *, in_body: bool = True, unknown: Sightings | None = None
) -> Problem | Success | None:
    """Return what the client is told, or None when the reply passes as it is.

    Args:
        reply: what the upstream sent, its body still in its content codings.
        plan: how replies of this route are read.
        now_s: Unix time, in seconds.
        in_body: whether the request had a body, so that a field that is wrong was there.
        unknown: is told of an error that no rule but those of the last resort knew.
    """
    failed = reply.status >= _ERRORS_FROM
    if failed and not plan.translate:
        return None
    view = view_of(reply, plan)
    if view is None:
        return None
    if plan.translate:
        reading = plan.dialect.read_error(view, now_s, in_body=in_body)
        if reading is not None:
            if unknown is not None and (reading.unread or reading.dialect == plan.last_resort):
                unknown.see(reply.status, view, now_s)
            return _problem(reading, reply.status, plan, truncated=view.truncated)
    return _success(view, plan) if plan.unify and not failed else None


def view_of(reply: Reply, plan: Plan) -> View | None:
    """Return a reply as dialects see it; None for a success whose codings cannot be undone within its limit."""
    failed = reply.status >= _ERRORS_FROM
    dialect = plan.dialect
    fields = dialect.fields.of(reply.headers)
    body, cut = reply.body, reply.cut
    if _CODING in fields:
        plain = _plain_body(body, fields[_CODING], plan, failed=failed)
        if plain is None:
            return None
        body, whole = plain
        cut = cut or not whole
    if failed:  # a success that is not whole is never captured
        view = View(reply.status, fields, body)
        view.truncated = cut or view.truncated
        return view
    return View(reply.status, fields, body, members=dialect.members, outline=dialect.outline)


def _plain_body(body: bytes, coding: bytes, plan: Plan, *, failed: bool) -> tuple[bytes, bool] | None:
    """Return a body without its codings, and whether that is all of it; None for a success that has to stay as it is.

    Of an error as much is read as can be.
    """
    if failed:
        return undo_partly(body, coding, plan.error_bytes) or (b"", True)
    plain = undo(body, coding, plan.success_bytes)
    return (plain, True) if plain is not None else None


def own_problem(
    code: str,
    stage: Stage,
    *,
    upstream: str | None = None,
    after: float | None = None,
    detail: str | None = None,
    origin: Origin = Origin.GATEWAY,
) -> Problem:
    """Return a failure of our own. `after` is in seconds.

    Raises:
        KeyError: `code` is not in the catalogue.
    """
    entry = CODES[code]
    return Problem(
        code=entry,
        status=entry.status,
        detail=detail,
        source=Source(origin=origin, fault=entry.fault, upstream=upstream, stage=stage),
        retry=Retry(retryable=entry.retryable, after=_plain(after)),
    )


def transport_problem(reason: TransportReason, upstream: str) -> Problem:
    """Return the problem of an exchange that gave no usable answer."""
    code, stage, origin = _TRANSPORT[reason]
    return own_problem(code, stage, upstream=upstream, origin=origin)


_UNREACHABLE = ("upstream_unreachable", Stage.CONNECT, Origin.TRANSPORT)
_TLS_FAILED = ("upstream_tls_failed", Stage.CONNECT, Origin.TRANSPORT)
_BROKEN = ("upstream_protocol_error", Stage.RESPONSE, Origin.TRANSPORT)
_TRANSPORT: Mapping[TransportReason, tuple[str, Stage, Origin]] = {
    TransportReason.DNS_ERROR: _UNREACHABLE,
    TransportReason.CONNECTION_REFUSED: _UNREACHABLE,
    TransportReason.DESTINATION_IP_UNROUTABLE: _UNREACHABLE,
    TransportReason.TLS_PROTOCOL_ERROR: _TLS_FAILED,
    TransportReason.TLS_CERTIFICATE_ERROR: _TLS_FAILED,
    TransportReason.CONNECTION_LIMIT_REACHED: ("upstream_saturated", Stage.CONNECT, Origin.GATEWAY),
    TransportReason.CONNECTION_TIMEOUT: ("upstream_timeout", Stage.CONNECT, Origin.TRANSPORT),
    TransportReason.HTTP_RESPONSE_TIMEOUT: ("upstream_timeout", Stage.RESPONSE, Origin.TRANSPORT),
    TransportReason.CONNECTION_TERMINATED: _BROKEN,
    TransportReason.HTTP_RESPONSE_INCOMPLETE: _BROKEN,
    TransportReason.HTTP_PROTOCOL_ERROR: _BROKEN,
}


def _problem(reading: ErrorReading, received: int, plan: Plan, *, truncated: bool) -> Problem:
    """Return what the client is told of an error that came with the HTTP status `received`."""
    code, status = _told(reading, plan)
    beside, clashing = _extensions(reading) if reading.extensions else (None, None)
    ours = code is _CREDENTIALS_REJECTED  # what is said of our credential may quote it, and helps no client
    after = reading.retry_after_s
    return Problem(
        code=code,
        status=status,
        detail=None if ours else reading.detail,
        source=Source(origin=_UPSTREAM, fault=code.fault, upstream=plan.upstream, stage=_RESPONSE),
        retry=_RETRY[code.retryable] if after is None else Retry(retryable=code.retryable, after=_plain(after)),
        errors=reading.errors,
        upstream=_said(reading, received, clashing, ours=ours, truncated=truncated) if plan.expose_upstream else None,
        extensions=beside or None,
    )


def _said(
    reading: ErrorReading, received: int, clashing: dict[str, Raw] | None, *, ours: bool, truncated: bool
) -> UpstreamError:
    return UpstreamError(
        status=received,
        code=reading.upstream_code,
        type=reading.upstream_type,
        message=None if ours else reading.said,
        dialect=reading.dialect,
        request_id=reading.request_id,
        extensions=clashing or UNSET,
        truncated=truncated or UNSET,
    )


def _told(reading: ErrorReading, plan: Plan) -> tuple[Code, int]:
    """Return the code and the status that the client is told."""
    code = reading.code
    own = reading.named or reading.status not in _ERROR_STATUSES or code.fault is _GATEWAY
    status = code.status if own else reading.status
    if plan.owns_credential:
        if code.credential or status == _UNAUTHORIZED:
            return _CREDENTIALS_REJECTED, _CREDENTIALS_REJECTED.status
        if code.category in _LIMITED:
            return _BUDGET_EXHAUSTED, _BUDGET_EXHAUSTED.status
    return code, status


def _extensions(reading: ErrorReading) -> tuple[dict[str, Raw], dict[str, Raw]]:
    """Part an upstream's extension members into those that may stand beside ours and those that clash with ours."""
    beside: dict[str, Raw] = {}
    clashing: dict[str, Raw] = {}
    for name, raw in (reading.extensions or {}).items():
        if name == "errors" and reading.errors:
            continue  # they are told in our own `errors`
        (clashing if name in OWN_MEMBERS else beside)[name] = raw
    return beside, clashing


def _success(view: View, plan: Plan) -> Success | None:
    reader = plan.dialect.success
    success = reader.read(view) if reader is not None else None
    if success is None or success.pagination is None or plan.links is None:
        return success
    return msgspec.structs.replace(success, pagination=_relinked(success.pagination, plan.links))


def _relinked(pagination: Pagination, links: AddressMap) -> Pagination:
    return msgspec.structs.replace(pagination, next=links.link(pagination.next), prev=links.link(pagination.prev))


def _plain(seconds: float | None) -> float | int | None:
    """Return seconds rounded up to milliseconds, never earlier than the truth; whole ones as `23` and not as `23.0`."""
    if seconds is None:
        return None
    rounded = ceil(seconds * 1000) / 1000
    return int(rounded) if rounded.is_integer() else rounded
