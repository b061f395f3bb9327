"""A body's members one by one, each with the path that leads there.

Bounded: at most `MOST_LEAVES` members, `_DEEPEST` levels, the first `_MOST_ITEMS` items of a list; a key that no plain
path can name is passed over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.dialects.paths import Step

    Path = tuple[Step, ...]

MOST_LEAVES: Final = 1_000
"""Members of one body that are looked at: a security limit on time."""
_DEEPEST: Final = 10
_MOST_ITEMS: Final = 3
_LONGEST_KEY: Final = 100
_plain = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
_quotable = re.compile(r'[^"\\\x00-\x1f]+').fullmatch


class Leaf(NamedTuple):
    """A value that is no object, or an object or a list itself, and where it stands."""

    path: Path
    value: Any

    @property
    def name(self) -> str:
        """The key that names it: the last one that is a key and no language's."""
        keys = [step for step in self.path if isinstance(step, str)]
        while len(keys) > 1 and _is_language(keys[-1]):
            keys.pop()
        return keys[-1] if keys else ""


def _is_language(key: str) -> bool:
    return (
        len(key) in (2, 5)
        and key[:2].isalpha()
        and key[2:3] in ("", "-", "_")
        and key[:2].islower()
        and key not in _WORDS
    )


_WORDS: Final = frozenset(("id", "no", "ok", "at", "on", "rc", "by", "in", "of", "to"))


def walk(tree: Any) -> tuple[Leaf, ...]:
    """Return the members of a tree in the order in which they stand, the root first."""
    found: list[Leaf] = []
    for leaf in _walk(tree, ()):
        found.append(leaf)
        if len(found) >= MOST_LEAVES:
            break
    return tuple(found)


def _walk(value: Any, path: Path) -> Iterator[Leaf]:
    yield Leaf(path, value)
    if len(path) >= _DEEPEST:
        return
    if type(value) is dict:
        for key, inner in value.items():
            if len(key) <= _LONGEST_KEY and _quotable(key) is not None:
                yield from _walk(inner, (*path, key))
    elif type(value) is list:
        for index, inner in enumerate(value[:_MOST_ITEMS]):
            yield from _walk(inner, (*path, index))


def spelled(path: Path) -> str:
    """Write a path as the dialect language has it; the root is `@`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            shown = step if _plain(step) is not None else f'"{step}"'
            text += f".{shown}" if text else shown
    return text or "@"


def at(tree: Any, path: Path) -> Any:
    """Return what is at a path, or None."""
    for step in path:
        if isinstance(step, str):
            tree = tree.get(step) if type(tree) is dict else None
        else:
            tree = tree[step] if type(tree) is list and -len(tree) <= step < len(tree) else None
    return tree
