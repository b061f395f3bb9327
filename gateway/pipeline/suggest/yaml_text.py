"""Plain values written as YAML that people like to read, and that means the same to any YAML reader.

What fits on a line is written in brackets, everything else in blocks; whatever could be taken for something else than
a text is quoted.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Comments = Mapping[tuple[str, ...], list[str]]

_WIDTH: Final = 120
_STEP: Final = "  "
_plain = re.compile(r"(?:https?://)?[A-Za-z0-9_./][A-Za-z0-9_@./()?'-]*(?: [A-Za-z0-9_@./()?'-]+)*").fullmatch
_worded = re.compile(r"[A-Za-z_./]|[0-9]+ .*[A-Za-z]").match
_status = re.compile(r"[1-5]xx(?:-[1-5]xx)?").fullmatch
_NOT_TEXT: Final = frozenset(
    ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~", ".inf", ".nan", "nan", "inf", "@", "?", "-", "="]
)


def scalar(value: Any) -> str:
    """Write a text, a number, true, false or null."""
    if isinstance(value, float):
        whole, exponent, rest = json.dumps(value).partition("e")
        return whole + ".0" * ("." not in whole) + exponent + rest
    if not isinstance(value, str):
        return json.dumps(value)
    if _status(value) is not None:
        return value
    plain = _plain(value) is not None and _worded(value) is not None and value.lower() not in _NOT_TEXT
    return value if plain and not value.startswith(".") else _quoted(value)


def _quoted(text: str) -> str:
    """Write a text in double quotes, with what does not print escaped (YAML 1.2 section 5.7)."""
    inner = json.dumps(text, ensure_ascii=False)[1:-1]
    return '"' + "".join(one if one.isprintable() else _escaped(one) for one in inner) + '"'


def _escaped(one: str) -> str:
    number = ord(one)
    return f"\\U{number:08x}" if number > 0xFFFF else f"\\u{number:04x}"


def flow(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def block(value: Mapping[str, Any], comments: Comments | None = None, depth: int = 0) -> str:
    """Write a mapping as a block, `depth` steps deep.

    `comments` are lines that stand above a key, by the keys that lead there; a path that ends in an empty key is for
    the end of a mapping.
    """
    return "".join(f"{line}\n" for line in _mapping(value, depth, (), comments or {}))


def _mapping(value: Mapping[str, Any], depth: int, at: tuple[str, ...], comments: Comments) -> Iterator[str]:
    pad = _STEP * depth
    for key, inner in value.items():
        here = (*at, key)
        yield from (f"{pad}# {line}" for line in comments.get(here, ()))
        start = f"{pad}{scalar(key)}:"
        if _fits(inner, len(start), here, comments):
            yield f"{start} {flow(inner)}"
        elif isinstance(inner, dict):
            yield start
            yield from _mapping(inner, depth + 1, here, comments)
        else:
            yield start
            yield from _sequence(inner, depth + 1, here, comments)
    yield from (f"{pad}# {line}" for line in comments.get((*at, ""), ()))


def _sequence(value: list[Any], depth: int, at: tuple[str, ...], comments: Comments) -> Iterator[str]:
    pad = _STEP * depth
    for inner in value:
        if _fits(inner, len(pad) + 2, at, {}):
            yield f"{pad}- {flow(inner)}"
        elif isinstance(inner, dict):
            first, *rest = _mapping(inner, depth + 1, (*at, "[]"), comments)
            yield f"{pad}- {first.lstrip()}"
            yield from rest
        else:
            yield f"{pad}-"
            yield from _sequence(inner, depth + 1, at, comments)


def _fits(value: Any, used: int, at: tuple[str, ...], comments: Comments) -> bool:
    """Say whether a value goes on the rest of a line; a scalar always does."""
    if not isinstance(value, dict | list | tuple) or not value:
        return True
    if any(path[: len(at)] == at and len(path) > len(at) for path in comments):
        return False
    return at not in _BLOCKS and used + 1 + len(flow(value)) <= _WIDTH


_BLOCKS: Final = frozenset(
    (("dialect",), ("examples",), ("dialect", "read"), ("dialect", "errors"), ("dialect", "codes"))
)
