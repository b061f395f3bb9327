"""A body cut down to what an example needs."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

_ITEMS, _KEYS, _DEEP = 2, 8, 4
_ROOT_KEYS: Final = 24
_ERROR_ITEMS, _ERROR_KEYS, _ERROR_DEEP = 4, 24, 12


def shortened(tree: Any, *, failed: bool) -> Any:
    """Return a tree with few items and keys, and what is deep left out; of errors nearly all is kept."""
    if failed:
        return _cut(tree, _ERROR_ITEMS, _ERROR_KEYS, _ERROR_DEEP)
    if type(tree) is dict:
        return {key: _cut(inner, _ITEMS, _KEYS, _DEEP) for key, inner in islice(tree.items(), _ROOT_KEYS)}
    return _cut(tree, _ITEMS, _KEYS, _DEEP)


def _cut(value: Any, items: int, keys: int, deep: int) -> Any:
    if type(value) is dict:
        return {key: _cut(one, items, keys, deep - 1) for key, one in islice(value.items(), keys if deep else 0)}
    if type(value) is list:
        return [_cut(one, items, keys, deep - 1) for one in value[: items if deep else 0]]
    return value
