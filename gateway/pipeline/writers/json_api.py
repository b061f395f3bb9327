"""`application/vnd.api+json`: errors as in JSON:API 1.1, https://jsonapi.org/format/#errors.

One error object for each field error, or one for the whole where no field is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import msgspec

from gateway.model import Location
from gateway.pipeline.document import document_of
from gateway.pipeline.writers.writer import WHOLE

if TYPE_CHECKING:
    from gateway.model import FieldError, Problem
    from gateway.pipeline.document import Document

TYPE: Final = b"application/vnd.api+json"
CARRIES: Final = WHOLE

_PARAMETERS: Final = {Location.QUERY: "parameter", Location.HEADER: "header"}
_encode = msgspec.json.Encoder().encode


def write(problem: Problem, request_id: str, public_url: str | None, language: str) -> bytes:
    """Write a problem as a JSON:API document; what has no place in an error object stands in the document's `meta`."""
    document = document_of(problem, request_id, public_url, language)
    errors = [_about_field(document, error) for error in document.errors] or [_error(document, document.detail)]
    meta = {
        "detail": document.detail,
        "instance": document.instance,
        "category": document.category,
        "source": document.source,
        "retry": document.retry,
        "request_id": request_id,
    }
    if problem.upstream is not None:
        meta["upstream"] = problem.upstream
    return _encode({"jsonapi": {"version": "1.1"}, "errors": errors, "meta": meta})


def _error(document: Document, detail: str | None) -> dict[str, Any]:
    error: dict[str, Any] = {
        "links": {"type": document.type},
        "status": str(document.status),
        "code": document.code,
        "title": document.title,
    }
    return error if detail is None else error | {"detail": detail}


def _about_field(document: Document, field: FieldError) -> dict[str, Any]:
    error = _error(document, field.detail)
    if field.pointer is not None:
        error["source"] = {"pointer": unquote(field.pointer.removeprefix("#"))}
    elif field.field is not None and field.location in _PARAMETERS:
        error["source"] = {_PARAMETERS[field.location]: field.field}
    return error | {"meta": field}
