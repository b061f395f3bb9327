"""The wire form of a problem (RFC 9457): its members in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType

from gateway.model import Category, FieldError, Pagination, Retry, Source, UpstreamError

if TYPE_CHECKING:
    from gateway.model import Problem


class Document(Struct, frozen=True, kw_only=True):
    """A problem document. Each member is explained in docs/reference/format.md."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    category: Category
    source: Source
    retry: Retry
    errors: tuple[FieldError, ...]
    upstream: UpstreamError | UnsetType = UNSET
    request_id: str


class Meta(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is said of a unified success beside its data."""

    request_id: str
    upstream: str
    message: str | None = None
    pagination: Pagination | UnsetType = UNSET


OWN_MEMBERS = frozenset(Document.__struct_fields__)
"""Names that an upstream's extension members must not take."""


def document_of(problem: Problem, request_id: str, public_url: str | None, language: str = "en") -> Document:
    """Return the document of a problem. `detail` is the catalogue's sentence where nobody said anything usable."""
    code = problem.code
    happened = code.happened if problem.errors else code.happened_without_fields
    return Document(
        type=f"{public_url or ''}/-/problems/{code.name}",
        title=code.title,
        status=problem.status,
        detail=problem.detail if problem.detail is not None else happened[language],
        instance=f"urn:uuid:{request_id}",
        code=code.name,
        category=code.category,
        source=problem.source,
        retry=problem.retry,
        errors=problem.errors,
        upstream=problem.upstream if problem.upstream is not None else UNSET,
        request_id=request_id,
    )
