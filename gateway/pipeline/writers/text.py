"""`text/plain`: a problem for a person with a terminal. Lines may change; programs take another view.

Foreign text stays on its line, and without characters that a terminal could obey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.pipeline.document import document_of
from gateway.pipeline.writers.writer import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.model import FieldError, Problem, UpstreamError
    from gateway.pipeline.document import Document

TYPE: Final = b"text/plain; charset=utf-8"
_LEFT_OUT: Final = frozenset(
    {
        *("instance", "category", "upstream.type", "upstream.dialect", "upstream.truncated"),
        *("errors[].pointer", "errors[].position"),
    }
)
CARRIES: Final = {member: extent for member, extent in WHOLE.items() if member not in _LEFT_OUT}


def write(problem: Problem, request_id: str, public_url: str | None, language: str) -> bytes:
    """Write a problem as lines of UTF-8."""
    lines = _lines(document_of(problem, request_id, public_url, language), problem.upstream)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _lines(document: Document, said: UpstreamError | None) -> Iterator[str]:
    source = document.source
    yield f"{document.status} {document.code}: {document.title}"
    yield ""
    yield _shown(document.detail)
    if document.errors:
        yield ""
        yield from (f"  {_field(error)}" for error in document.errors)
    yield ""
    yield f"Answered by:   {source.origin}, at the stage {source.stage}"
    yield f"Who must act:  {source.fault}"
    yield f"Try again:     {_again(document)}"
    if source.upstream is not None:
        yield f"Upstream:      {_shown(source.upstream)}{_said(said)}"
    yield f"Request:       {document.request_id}"
    yield f"More:          {document.type}"


def _field(error: FieldError) -> str:
    name = "(the whole request)" if error.field is None else _shown(error.field)
    kind = error.code.value if error.location is None else f"{error.location}, {error.code}"
    return f"{name} ({kind})" if error.detail is None else f"{name} ({kind}): {_shown(error.detail)}"


def _again(document: Document) -> str:
    if not document.retry.retryable:
        return "no, not without a change"
    after = document.retry.after
    return "later" if after is None else f"in {after} s"


def _said(upstream: UpstreamError | None) -> str:
    if upstream is None:
        return ""
    words = [str(upstream.status), *(text for text in (upstream.code, upstream.message) if text is not None)]
    told = f", which said {_shown(' · '.join(words))}"
    return told if upstream.request_id is None else f"{told} (its request {_shown(upstream.request_id)})"


def _shown(text: str) -> str:
    return "".join([letter for letter in " ".join(text.split()) if letter.isprintable()])
