"""A success taken out of its envelope, with the payload's bytes unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from gateway.dialects.conditions import compile_condition, is_filled
from gateway.dialects.members import member
from gateway.dialects.paths import find, plain_steps
from gateway.dialects.sources import as_code, as_text, only
from gateway.dialects.view import in_body
from gateway.model import ItemWarning, Pagination, Success

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.dialects.paths import Finder, Step
    from gateway.dialects.spec import PaginationSpec, SuccessSpec, WarningsSpec
    from gateway.dialects.view import View

MOST_WARNINGS = 256
_LARGEST = 2**53


class SuccessReader:
    """How one dialect writes successes."""

    __slots__ = ("_data", "_envelope", "_message", "_pagination", "_unwrap", "_warnings", "dialect", "unify")

    def __init__(self, spec: SuccessSpec, *, dialect: str, unwrap: bool) -> None:
        """Compile `spec`."""
        self.dialect = dialect
        self.unify = spec.unify
        self._unwrap = unwrap
        self._data = plain_steps(spec.data) if spec.data is not None else None
        self._envelope = _envelope(spec)
        self._message = [find(path) for path in spec.message]
        self._pagination = _PaginationReader(spec.pagination) if spec.pagination is not None else None
        self._warnings = [_WarningsReader(warnings) for warnings in spec.warnings]

    def read(self, view: View) -> Success | None:
        """Return the success, or None where its bytes cannot be spliced (not JSON, or not strict JSON)."""
        body = view.spliceable
        if body is None:
            return None
        outer, tree = view.tree, view.unwrapped() if self._unwrap else view.tree
        view.tree = tree
        enveloped = self._data is not None and self._envelope(view)
        if not enveloped:
            view.tree = outer
            return Success(status=view.status, data=body.strip(), dialect=self.dialect, warnings=self._warned(view))
        steps: tuple[Step, ...] = self._data or ()
        if view.payload is not None:
            data = raw_at(view.payload, steps[1:]) if len(steps) > 1 else view.payload
        else:
            data = raw_at(body, steps if tree is outer else (0, *steps))
        return Success(
            status=view.status,
            data=data if data is not None else b"null",
            dialect=self.dialect,
            message=_text(self._message, tree),
            pagination=self._pagination.read(tree) if self._pagination is not None else None,
            warnings=self._warned(view),
        )

    def _warned(self, view: View) -> tuple[ItemWarning, ...]:
        for reader in self._warnings:
            if found := reader.read(view):
                return found
        return ()


def raw_at(body: bytes, steps: Iterable[Step]) -> bytes | None:
    """Return the bytes of the value at a plain path of a JSON text, or None where there is none."""
    raw = body
    try:
        for step in steps:
            raw = member(step).of(raw)[step] if isinstance(step, str) else _item(raw, step)
    except (msgspec.DecodeError, KeyError, IndexError):
        return None
    return raw.strip()


def _item(data: bytes, index: int) -> bytes:
    return bytes(msgspec.json.decode(data, type=list[Raw])[index])


def _envelope(spec: SuccessSpec) -> Callable[[View], bool]:
    if spec.envelope is not None:
        return compile_condition(spec.envelope)
    at = in_body(spec.data or "@")
    return lambda view: at(view) is not None


class _PaginationReader:
    __slots__ = ("_at", "_from")

    def __init__(self, spec: PaginationSpec) -> None:
        self._from = [find(path) for path in spec.from_]
        names = ("page", "per_page", "total", "total_pages", "next", "prev", "has_more")
        self._at = {name: [find(path) for path in getattr(spec, name)] for name in names}

    def read(self, tree: Any) -> Pagination | None:
        for at in self._from:
            if type(base := at(tree)) is dict:
                return self._page(base)
        return None

    def _page(self, base: dict[str, Any]) -> Pagination:
        page, pages = self._number("page", base), self._number("total_pages", base)
        following = _text(self._at["next"], base)
        return Pagination(
            page=page,
            per_page=self._number("per_page", base),
            total=self._number("total", base),
            total_pages=pages,
            next=following,
            prev=_text(self._at["prev"], base),
            has_more=self._has_more(base, following, page, pages),
        )

    def _number(self, name: str, base: dict[str, Any]) -> int | None:
        for at in self._at[name]:
            found = at(base)
            if type(found) is str and found.isascii() and found.isdigit():
                found = int(found[:17])
            if type(found) is int and 0 <= found < _LARGEST:
                return found
        return None

    def _has_more(
        self, base: dict[str, Any], following: str | None, page: int | None, pages: int | None
    ) -> bool | None:
        for at in self._at["has_more"]:
            if type(found := at(base)) is bool:
                return found
        if following is not None:
            return True
        return page < pages if page is not None and pages is not None else None


class _WarningsReader:
    __slots__ = ("_code", "_detail", "_field", "_from", "_index", "_when")

    def __init__(self, spec: WarningsSpec) -> None:
        self._when = compile_condition(spec.when)
        self._from = [find(path) for path in spec.from_]
        self._index = [find(path) for path in spec.index]
        self._code = [find(path) for path in spec.code]
        self._detail = [find(path) for path in spec.detail]
        self._field = [find(path) for path in spec.field]

    def read(self, view: View) -> tuple[ItemWarning, ...]:
        if not self._when(view):
            return ()
        for at in self._from:
            items = at(view.tree)
            if type(items) is list and items:
                return tuple(self._warning(item) for item in items[:MOST_WARNINGS] if is_filled(item))
        return ()

    def _warning(self, item: Any) -> ItemWarning:
        index = next((found for at in self._index if type(found := at(item)) is int and 0 <= found < _LARGEST), None)
        code = next((text for at in self._code if (text := as_code(at(item))) is not None), None)
        return ItemWarning(
            index=index,
            upstream_code=code,
            detail=_text(self._detail, item),
            field=_text(self._field, item),
        )


def _text(finders: list[Finder], tree: Any) -> str | None:
    for at in finders:
        if (found := at(tree)) is not None and (text := as_text(only(found))) is not None:
            return text
    return None
