"""How successes are wrapped, where all of them show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.pipeline.suggest import words
from gateway.pipeline.suggest.leaves import Leaf, spelled, walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.pipeline.suggest.seen import Seen

_DATA: Final = (
    "data",
    "payload",
    "result",
    "results",
    "response",
    "content",
    "items",
    "records",
    "body",
    "entries",
    "value",
)
_BESIDE: Final = frozenset(
    [
        "ok",
        "success",
        "status",
        "code",
        "message",
        "msg",
        "meta",
        "error",
        "errors",
        "pagination",
        "paging",
        "page",
        "links",
        "total",
        "count",
        "request",
        "id",
        "next",
        "previous",
        "prev",
        "per",
        "page",
        "has",
        "more",
        "cursor",
        "timestamp",
        "version",
        "pages",
        "limit",
        "offset",
        "size",
        "trace",
        "result",
        "warnings",
        "time",
        "took",
        "duration",
        "done",
        "info",
        "text",
        "note",
        "took",
        "ms",
        "description",
    ]
)
_PAGE: Final[Mapping[str, tuple[str, ...]]] = {
    "page": ("page", "current page", "page number", "current", "now", "page no", "page index"),
    "per_page": ("per page", "page size", "limit", "size", "items per page", "page limit"),
    "total": (
        "total",
        "total count",
        "count",
        "total items",
        "total results",
        "total records",
        "total elements",
        "all items",
    ),
    "total_pages": ("total pages", "pages", "page count", "last page", "number of pages"),
    "next": ("next", "next page url", "next url", "next link", "next page"),
    "prev": ("prev", "previous", "prev page url", "previous url", "prev url", "previous page"),
    "has_more": ("has more", "more", "has next", "has next page"),
}
_NUMBERS: Final = frozenset(("page", "per_page", "total", "total_pages"))
_FEWEST: Final = 2


def envelope_of(successes: Sequence[Seen]) -> dict[str, Any] | None:
    """Return what to say under `success:`, or None where no success, or not every one, is in the same envelope."""
    trees = [seen.tree for seen in successes if type(seen.tree) is dict]
    if not trees or len(trees) != sum(seen.tree is not None for seen in successes):
        return None
    data = next((key for key in _keys_of(trees) if all(_is_enveloped(tree, key) for tree in trees)), None)
    if data is None:
        return None
    found: dict[str, Any] = {"data": spelled((data,))}
    messages = [key for key in trees[0] if words.weight(key, words.MESSAGE) >= 8 and words.is_sentence(trees[0][key])]
    if messages:
        found["message"] = spelled((messages[0],))
    page = _pagination(trees, data)
    if page is not None:
        found["pagination"] = page
    return found


def _keys_of(trees: Sequence[dict[str, Any]]) -> list[str]:
    keys = [key for key in trees[0] if words.folded(key) in _DATA]
    return sorted(keys, key=lambda key: _DATA.index(words.folded(key)))


def _is_enveloped(tree: dict[str, Any], data: str) -> bool:
    if data not in tree or not isinstance(tree[data], dict | list | None):
        return False
    return all(_BESIDE.issuperset(words.folded(key).split()) for key in tree if key != data)


def _pagination(trees: Sequence[dict[str, Any]], data: str) -> dict[str, Any] | None:
    """Return where pages are told: at the root beside the data, or in an object there."""
    best: tuple[int, dict[str, Any]] = (0, {})
    for tree in trees:
        beside = {key: value for key, value in tree.items() if key != data}
        for leaf in walk(beside):
            if (
                type(leaf.value) is dict
                and len(leaf.path) <= _FEWEST
                and not any(type(step) is int for step in leaf.path)
            ):
                found = _page(leaf)
                if len(found) > best[0]:
                    best = (len(found), ({"from": spelled(leaf.path)} if leaf.path else {}) | found)
    return best[1] if best[0] >= _FEWEST else None


def _page(base: Leaf) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for leaf in walk(base.value):
        if not 0 < len(leaf.path) <= _FEWEST:
            continue
        for part, names in _PAGE.items():
            if part not in found and words.folded(leaf.name) in names and _fits(part, leaf.value):
                found[part] = spelled(leaf.path)
                break
    return found


def _fits(part: str, value: Any) -> bool:
    if part in _NUMBERS:
        return type(value) is int or (type(value) is str and value.isdigit())
    return type(value) is bool if part == "has_more" else type(value) is str and ("/" in value or "?" in value)
