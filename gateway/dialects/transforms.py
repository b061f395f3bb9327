"""What is taken of a value that a pick has found: JSON in a text, the deepest of nested objects, a part of a text.

Each step is a function from a value and the tree around it to a value, or None where there is nothing to take. Bounded:
texts of at most `_LONGEST` characters are looked into, nested objects at most `_DEEPEST` levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import re2

from gateway.dialects.paths import find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.dialects.paths import Finder
    from gateway.dialects.spec import Pick

    Transform = Callable[[Any, Any], Any]

_LONGEST = 65_536
_DEEPEST = 32
_LONGEST_FILLING = 500
_LONGEST_INDEX = 3
_decode = msgspec.json.Decoder().decode
_PLACEHOLDER = re2.compile(r"\{\{\s*(\w+)\s*\}\}|[$%]\{(\w+)\}|\{(\w+)\}|%(\w+)")


def transform(pick: Pick) -> Transform | None:
    """Compile what is taken of a value; None where it is the value itself that counts."""
    steps: list[Transform] = []
    if pick.json_ is not None:
        steps.append(_json(pick.json_))
    if pick.through is not None and pick.take is not None:
        steps.append(_deepest(pick.through, find(pick.take)))
    if pick.pattern is not None:
        steps.append(_matched(pick.pattern))
    if pick.after is not None:
        steps.append(_after(pick.after))
    if pick.before is not None:
        steps.append(_before(pick.before))
    if pick.enum:
        steps.append(_named(pick.enum))
    if pick.fill is not None:
        steps.append(_filled(find(pick.fill)))
    return _all(steps) if steps else None


def _all(steps: list[Transform]) -> Transform:
    if len(steps) == 1:
        return steps[0]

    def run(value: Any, root: Any) -> Any:
        for step in steps:
            value = step(value, root)
        return value

    return run


def _json(path: str) -> Transform:
    at = find(path)

    def run(value: Any, _root: Any) -> Any:
        if type(value) is not str or len(value) > _LONGEST:
            return None
        try:
            return at(_decode(value[_json_start(value) :]))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return None

    return run


def _json_start(text: str) -> int:
    """Return where JSON begins in a text that may have words before it."""
    return min((at for mark in "{[" if (at := text.find(mark)) >= 0), default=0)


def _deepest(through: str, take: Finder) -> Transform:
    def run(value: Any, _root: Any) -> Any:
        found = None
        for _ in range(_DEEPEST):
            if type(value) is not dict:
                break
            if (here := take(value)) is not None and here != "":
                found = here
            value = value.get(through)
        return found

    return run


def _matched(pattern: str) -> Transform:
    compiled = re2.compile(pattern)
    group = min(1, compiled.groups)

    def run(value: Any, _root: Any) -> Any:
        if type(value) is not str:
            return None
        found = compiled.search(value[:_LONGEST])
        return found.group(group) if found is not None else None

    return run


def _after(mark: str) -> Transform:
    return lambda value, _root: value.rpartition(mark)[2] if type(value) is str else value


def _before(mark: str) -> Transform:
    return lambda value, _root: value.partition(mark)[0] if type(value) is str else value


def _named(names: Mapping[str, str]) -> Transform:
    def run(value: Any, _root: Any) -> Any:
        return names.get(str(value), value) if type(value) in (str, int) else value

    return run


def _filled(at: Finder) -> Transform:
    def run(value: Any, root: Any) -> Any:
        found = at(root)
        if type(value) is not str or not found:
            return value
        return _PLACEHOLDER.sub(lambda place: _filling(place, found), value[:_LONGEST])

    return run


def _filling(place: re2._Match[str], found: Any) -> str:
    """Return what stands for a placeholder; one that nothing is there for stays as it is."""
    *braced, percent = place.groups()
    name = percent or next(group for group in braced if group is not None)
    inner = None
    if type(found) is dict:
        inner = found.get(name)
    elif type(found) is list and name.isascii() and name.isdigit():
        index = int(name[:_LONGEST_INDEX]) - (percent is not None)  # `%1` is the first, and so is `{0}`
        inner = found[index] if 0 <= index < len(found) else None
    return str(inner)[:_LONGEST_FILLING] if type(inner) in (str, int, float) else place.group(0)
