"""Where errors speak of single fields, and in which shape.

Shapes are known by structure first: a list of objects of which each has a name without spaces; an object of names to
texts under a word such as `errors`; positions to names; one name beside the message.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.pipeline.suggest import words
from gateway.pipeline.suggest.leaves import Leaf, at, spelled, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.pipeline.suggest.leaves import Path
    from gateway.pipeline.suggest.seen import Seen

_MOST_ITEMS: Final = 20
_MOST_ENTRIES: Final = 4
_SURE, _LIKELY = 8, 5
_BRANCHES: Final = ("body", "query", "path", "header", "headers", "params", "querystring", "json")
_MARKERS: Final = frozenset(("errors", "non_field_errors", "nonFieldErrors"))
_PREFIXES: Final = ("/data/attributes", "/data/relationships", "/data", "/body")


class FieldsFound(NamedTuple):
    """One entry of `fields:` as it is written, where it stands, and in how many errors it was found."""

    path: Path
    shape: str
    spec: Mapping[str, Any]
    named: bool
    times: int


class _Met(NamedTuple):
    path: Path
    shape: str
    found: Any


def fields_of(errors: Sequence[Seen]) -> tuple[FieldsFound, ...]:
    """Return the entries that read the field errors, those that read most errors first."""
    met: dict[tuple[Path, str], list[Any]] = {}
    for seen in errors:
        for one in _outermost(_candidates(seen)):
            met.setdefault((one.path, one.shape), []).append(one.found)
    found = [_ENTRIES[shape](path, several) for (path, shape), several in met.items()]
    named = {one.path for one in found if one is not None and one.named}
    kept = [one for one in found if one is not None and (one.named or one.path not in named)]
    return tuple(sorted(kept, key=lambda one: (not one.named, one.shape == "param", -one.times))[:_MOST_ENTRIES])


def _outermost(candidates: Iterator[_Met]) -> list[_Met]:
    """Leave out what stands inside another candidate."""
    kept: list[_Met] = []
    for one in candidates:
        if not any(one.path[: len(other.path)] == other.path and other.shape in _WHOLE for other in kept):
            kept.append(one)
    return kept if not any(one.shape in _WHOLE for one in kept) else [one for one in kept if one.shape != "texts"]


def _candidates(seen: Seen) -> Iterator[_Met]:
    for leaf in seen.leaves:
        shape = _shape(leaf, seen)
        if shape is not None:
            yield _Met(leaf.path, shape, leaf.value)


def _shape(leaf: Leaf, seen: Seen) -> str | None:
    value = leaf.value
    if not all(step == 0 for step in leaf.path if isinstance(step, int)):
        return None
    if type(value) is list and value:
        return _list_shape(leaf)
    if type(value) is dict and value:
        return _object_shape(leaf)
    return "param" if _is_param(leaf, seen) else None


def _list_shape(leaf: Leaf) -> str | None:
    items = leaf.value[:_MOST_ITEMS]
    weight = words.weight(leaf.name, words.FIELDS)
    if all(type(item) is dict for item in items):
        named = _key(items, words.FIELD, words.is_field_name, ()) is not None
        worded = _key(items, words.MESSAGE, _says, ()) is not None
        if named and (worded or weight >= _LIKELY):
            return "list"
        return "texts" if worded and weight >= _LIKELY else None
    if weight >= _LIKELY and all(map(words.is_sentence, items)):
        return "texts"
    return "param" if weight >= 7 and all(type(item) is str and words.is_field_name(item) for item in items) else None


def _object_shape(leaf: Leaf) -> str | None:
    value = leaf.value
    if all(key.isascii() and key.isdigit() for key in value) and all(map(words.is_field_name, value.values())):
        return "positions"
    return "tree" if _is_tree(leaf) else None


def _is_tree(leaf: Leaf) -> bool:
    """Say whether an object maps names to what is wrong with them."""
    value, weight = leaf.value, words.weight(leaf.name, words.FIELDS)
    if not all(words.is_field_name(key) or key.isdigit() for key in value):
        return False
    if any(type(inner) is not list and _plays_a_part(key, inner) for key, inner in value.items()):
        return False
    depths = [_texts(inner, 0) for inner in value.values()]
    if not all(depths):
        return False
    lists = all(type(inner) is list for inner in value.values())
    if not leaf.path:
        return lists and not any(words.weight(key, words.FIELDS) >= _LIKELY for key in value)
    return weight >= _SURE or (weight >= _LIKELY and any(map(_is_worded, value.values())))


def _is_worded(inner: Any) -> bool:
    return type(inner) is not str or words.is_sentence(inner)


def _plays_a_part(key: str, inner: Any) -> bool:
    if type(inner) is dict:
        return False
    part = max(words.weight(key, words.MESSAGE), words.weight(key, words.CODE)) >= _SURE
    return part or words.names_a_status(key) or words.names_a_request(key) or words.is_aside(key)


def _texts(inner: Any, depth: int) -> bool:
    """Say whether a branch of a tree holds texts, and nothing else."""
    if type(inner) is str:
        return bool(inner)
    if depth > 6 or not inner:
        return False
    if type(inner) is list:
        return all(_texts(one, depth + 1) or (type(one) is dict and not one) for one in inner[:_MOST_ITEMS])
    if type(inner) is not dict:
        return False
    if _key([inner], words.MESSAGE, _says, ()) is not None:
        return True
    return all(_texts(one, depth + 1) for one in islice(inner.values(), _MOST_ITEMS))


def _is_param(leaf: Leaf, seen: Seen) -> bool:
    value, name = leaf.value, words.folded(leaf.name)
    if type(value) is not str or not words.is_field_name(value) or words.FIELD.get(name, 0) < 7 or not leaf.path:
        return False
    beside = at(seen.tree, leaf.path[:-1])
    if type(beside) is not dict or (value.startswith("/") and "pointer" not in name):
        return False
    return any(words.weight(key, words.MESSAGE) >= 6 and words.is_text(inner) for key, inner in beside.items())


def _says(value: Any) -> bool:
    if type(value) is list:
        return bool(value) and all(map(words.is_text, value[:_MOST_ITEMS]))
    return words.is_text(value) and not words.is_mark(value)


def _key(items: Sequence[Any], table: Mapping[str, int], fits: Any, taken: Sequence[Path]) -> Path | None:
    """Return the place in an item that weighs most over all items, or None; those of `taken` are left out."""
    weights: dict[Path, int] = {}
    for item in items[:_MOST_ITEMS]:
        for leaf in walk(item):
            if 0 < len(leaf.path) <= 2 and leaf.path not in taken and fits(leaf.value):
                weight = words.weight(leaf.name, table) - 2 * (len(leaf.path) - 1)
                if weight > 0 and not any(isinstance(step, int) for step in leaf.path):
                    weights[leaf.path] = weights.get(leaf.path, 0) + weight
    return max(weights, key=weights.__getitem__, default=None)


def _keys(items: Sequence[Any], table: Mapping[str, int], fits: Any, taken: Sequence[Path]) -> list[Path]:
    """Return places in the items until every item has one, the best first."""
    left = list(items)
    found: list[Path] = []
    while left and (path := _key(left, table, fits, (*taken, *found))) is not None:
        found.append(path)
        left = [item for item in left if not fits(at(item, path))]
    return found


def _picks(paths: Sequence[Path]) -> Any:
    return _one_or_list([spelled(path) for path in paths])


def _one_or_list(texts: list[str]) -> Any:
    return texts[0] if len(texts) == 1 else texts


def _list(path: Path, several: Sequence[Any]) -> FieldsFound | None:
    items = [item for found in several for item in found[:_MOST_ITEMS] if type(item) is dict]
    spec: dict[str, Any] = {"from": _all_of(path)}
    if not items:
        return FieldsFound(path, "list", spec, named=False, times=len(several)) if path else None
    fields = _keys(items, words.FIELD, words.is_field_name, ())
    details = _keys(items, words.MESSAGE, _says, fields)
    codes = _keys(items, words.CODE, words.is_token, (*fields, *details))[:2]
    pointers = [one for one in fields if all(_is_pointer(at(item, one)) for item in items if at(item, one))]
    located = _key(items, words.LOCATION, _is_branch, (*fields, *details))
    plain = [one for one in fields if one not in pointers]
    parts = {
        "pointer": pointers,
        "field": plain,
        "detail": details or codes,
        "code": codes,
        "location": [located] if located is not None else [],
    }
    spec["each"] = {key: _picks(paths) for key, paths in parts.items() if paths}
    if any(str(at(item, one)).startswith("$.") for item in items for one in plain):
        spec["each"]["field"] = [{"path": spelled(one), "after": "$."} for one in plain]
    if any(_is_located(at(item, one)) for item in items for one in fields):
        spec["each"]["located"] = True
    stripped = [prefix for prefix in _PREFIXES if _some_begin(items, pointers, prefix)]
    if stripped:
        spec["strip"] = stripped[0] if len(stripped) == 1 else stripped
    return FieldsFound(path, "list", spec, named=bool(fields), times=len(several))


def _all_of(path: Path) -> str:
    """Write the path of a list that stands in the items of another with all of those items."""
    inside = any(isinstance(step, int) for step in path)
    return re.sub(r"\[0\]", "[]", spelled(path)) + "[]" if inside else spelled(path)


def _is_pointer(value: Any) -> bool:
    return type(value) is str and value.startswith(("/", "#/"))


def _is_branch(value: Any) -> bool:
    return value in _BRANCHES


def _is_located(value: Any) -> bool:
    return type(value) is list and bool(value) and value[0] in _BRANCHES


def _some_begin(items: Sequence[Any], pointers: Sequence[Path], prefix: str) -> bool:
    found = [at(item, one) for item in items for one in pointers]
    return any(type(text) is str and text.lstrip("#").startswith(prefix + "/") for text in found)


def _tree(path: Path, several: Sequence[Any]) -> FieldsFound:
    spec: dict[str, Any] = {"from": spelled(path), "shape": "tree"}
    items = [leaf.value for found in several for leaf in walk(found) if leaf.path and type(leaf.value) is dict]
    details = _keys(items, words.MESSAGE, _says, ())[:2]
    marks = [str(leaf.path[-1]) for found in several for leaf in walk(found) if len(leaf.path) > 1]
    markers = [key for key in dict.fromkeys(marks) if key.startswith("_") or key in _MARKERS]
    if markers:
        spec["markers"] = _one_or_list(markers)
    if details:
        codes = _keys(items, words.CODE, words.is_token, details)[:2]
        spec["each"] = {"detail": _picks(details)} | ({"code": _picks(codes)} if codes else {})
    return FieldsFound(path, "tree", spec, named=True, times=len(several))


def _positions(path: Path, several: Sequence[Any]) -> FieldsFound:
    return FieldsFound(path, "positions", {"from": spelled(path), "shape": "positions"}, named=True, times=len(several))


def _param(path: Path, several: Sequence[Any]) -> FieldsFound:
    return FieldsFound(path, "param", {"from": spelled(path), "shape": "param"}, named=True, times=len(several))


_WHOLE: Final = frozenset(("list", "tree", "positions"))
_ENTRIES = {"list": _list, "texts": _list, "tree": _tree, "positions": _positions, "param": _param}
