"""Foreign values as a person may see them in a terminal: short, and without anything that a terminal obeys.

Bounded: whatever the value, a few members of a few levels are looked at and little text comes out.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_SHOWN: Final = 160
"""Characters of one value that are shown."""
_DEEPEST: Final = 3
_MEMBERS: Final = 6
_MORE: Final = "…"


def shown(value: Any) -> str:
    """Return a value as JSON would write it, cut, with everything that cannot be printed written out."""
    text = _written(value, 0)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + _MORE


def printable(text: str) -> str:
    """Return a text, cut, without what a terminal obeys or does not show; an escape is written as JSON does."""
    cut = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + _MORE
    return cut if cut.isprintable() else "".join(map(_escaped, cut))


def escaped(text: str) -> str:
    """Return JSON, or any lines, whole, with everything that cannot be printed written as JSON does."""
    return "".join(character if character == "\n" else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _written(value: Any, depth: int) -> str:
    write = _WRITERS.get(type(value))
    return write(value, depth) if write is not None else _plain(value, depth)


def _text(value: str, _depth: int) -> str:
    quoted = json.dumps(value[:LONGEST_SHOWN], ensure_ascii=False)
    return quoted if quoted.isprintable() else "".join(map(_escaped, quoted))


def _list(value: list[Any], depth: int) -> str:
    if depth >= _DEEPEST and value:
        return f"[{_MORE}]"
    items = [_written(item, depth + 1) for item in value[:_MEMBERS]]
    return "[" + ", ".join([*items, _MORE] if len(value) > _MEMBERS else items) + "]"


def _object(value: dict[str, Any], depth: int) -> str:
    if depth >= _DEEPEST and value:
        return f"{{{_MORE}}}"
    members = [f"{_text(str(key), 0)}: {_written(item, depth + 1)}" for key, item in islice(value.items(), _MEMBERS)]
    return "{" + ", ".join([*members, _MORE] if len(value) > _MEMBERS else members) + "}"


def _number(value: int, _depth: int) -> str:
    return str(value) if -(10**40) < value < 10**40 else "a number of very many digits"


def _plain(value: Any, _depth: int) -> str:
    return json.dumps(value, default=str)


_WRITERS: Final[dict[type, Callable[[Any, int], str]]] = {str: _text, list: _list, dict: _object, int: _number}
