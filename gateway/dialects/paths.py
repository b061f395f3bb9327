"""Paths into a body: JMESPath, whose plain subset is compiled to closures.

The plain subset (`a.b`, `"quoted key"`, `a[0]`, `@`) is nearly all that dialects use and costs a tenth of a
microsecond; expressions over lists (`a[?kind=='x'].b`) are compiled too, and the rest goes to the JMESPath library
(https://jmespath.org/specification.html). A path that finds nothing, or meets a value of another shape, gives None; it
never raises.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jmespath
from jmespath.exceptions import JMESPathError

from gateway.dialects.expressions import compiled

if TYPE_CHECKING:
    from collections.abc import Callable

    from jmespath.parser import ParsedResult

    Finder = Callable[[Any], Any]

Step = str | int

_REMEMBERED = 8_192
"""Paths whose closures are kept: presets share most of theirs, and a hundred of them are compiled at once."""

_STEP = re.compile(r'\.?(?:([A-Za-z_][A-Za-z0-9_]*)|"([^"\\\x00-\x1f]*)")|\[(-?[0-9]{1,6})\]')


class PathError(ValueError):
    """A path that is not JMESPath."""


@lru_cache(maxsize=_REMEMBERED)
def plain_steps(text: str) -> tuple[Step, ...] | None:
    """Return the keys and indexes of a plain path (`()` for the root `@`), or None when it needs the full language."""
    if text == "@":
        return ()
    steps: list[Step] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (found.group(3) is None and text[at] == ".") != (found.group(3) is None and at > 0):
            return None
        name, quoted, index = found.groups()
        steps.append(int(index) if index is not None else name if name is not None else quoted)
        at = found.end()
    return tuple(steps) or None


@lru_cache(maxsize=_REMEMBERED)
def find(text: str) -> Finder:
    """Compile a path.

    Raises:
        PathError: `text` is not JMESPath; the message says where.
    """
    steps = plain_steps(text)
    if steps is None:
        return _library(text)
    if len(steps) == 1 and isinstance(steps[0], str):
        return _key(steps[0])
    if len(steps) == 2 and isinstance(steps[0], str) and isinstance(steps[1], str):
        return _two_keys(steps[0], steps[1])
    return _walk(steps)


def _key(key: str) -> Finder:
    def run(tree: Any) -> Any:
        return tree.get(key) if type(tree) is dict else None

    return run


def _two_keys(first: str, second: str) -> Finder:
    def run(tree: Any) -> Any:
        if type(tree) is not dict:
            return None
        inner = tree.get(first)
        return inner.get(second) if type(inner) is dict else None

    return run


def _walk(steps: tuple[Step, ...]) -> Finder:
    def run(tree: Any) -> Any:
        for step in steps:
            if type(step) is str:
                if type(tree) is not dict:
                    return None
                tree = tree.get(step)
            elif type(tree) is list and -len(tree) <= step < len(tree):  # type: ignore[operator]
                tree = tree[step]  # type: ignore[index]
            else:
                return None
        return tree

    return run


def _library(text: str) -> Finder:
    try:
        expression = jmespath.compile(text)
    except JMESPathError as error:
        at = getattr(error, "lex_position", None)
        message = "not a JMESPath expression" + (f" (character {at + 1})" if isinstance(at, int) else "")
        raise PathError(message) from error
    return compiled(expression.parsed) or _interpreted(expression)


def _interpreted(expression: ParsedResult) -> Finder:
    def run(tree: Any) -> Any:
        try:
            return expression.search(tree)
        except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError):
            return None  # a function met a value of another type, or a body nested too deep

    return run
