"""Picks of the dialect language, compiled: the first place that holds a value of the right type.

A value of the wrong type is passed over, so that `message: [error.message, error]` reads an API whose `error` is now
an object and now a text. A list of one is taken for what is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.dialects.paths import find
from gateway.dialects.text import LONGEST_TEXT, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gateway.dialects.spec import Pick
    from gateway.dialects.view import View

    Source = Callable[[View], Any]

_LONGEST_CODE = 200
_MOST_PARAMETERS = 16


def compile_pick(pick: Pick) -> Source:
    """Return a function from a view to the raw value at one place, or None."""
    if pick.path is not None:
        at = find(pick.path)
        return lambda view: at(view.tree)
    name = (pick.header or "").lower()
    if pick.parameter is None:
        return lambda view: view.fields.get(name)
    parameter = pick.parameter.lower()
    return lambda view: challenge(view.fields.get(name, "")).get(parameter)


def compile_picks(picks: Iterable[Pick]) -> tuple[Source, ...]:
    """Compile several places, in their order."""
    return tuple(compile_pick(pick) for pick in picks)


def texts(sources: tuple[Source, ...], view: View) -> Iterator[str]:
    """Give the texts found, cleaned, in order; empty ones and other types are passed over."""
    for source in sources:
        value = only(source(view))
        if type(value) is str and (text := clean(value)):
            yield text


def code(sources: tuple[Source, ...], view: View) -> str | None:
    """Give the first code: a text, or a whole number as text (leading zeros of a text are kept)."""
    for source in sources:
        if (text := as_code(only(source(view)))) is not None:
            return text
    return None


def as_code(value: Any) -> str | None:
    """Return a code as text, or None for what is no code."""
    if type(value) is str:
        return clean(value)[:_LONGEST_CODE] or None
    return str(value) if type(value) is int and -(10**18) < value < 10**18 else None


def only(value: Any) -> Any:
    """Return the one member of a list of one, else the value itself."""
    return value[0] if type(value) is list and len(value) == 1 else value


def challenge(field: str) -> dict[str, str]:
    """Read the parameters of a challenge such as `Bearer realm="x", error="invalid_token"` (RFC 9110 section 11.6.1).

    Names are in lower case; at most 16 parameters are read, and what is malformed ends the reading.
    """
    found: dict[str, str] = {}
    rest = field.partition(" ")[2].lstrip()
    while rest and len(found) < _MOST_PARAMETERS:
        name, equals, rest = rest.partition("=")
        if not equals:
            break
        text, rest = _quoted(rest[1:]) if rest.startswith('"') else _token(rest)
        found[name.strip(" ,\t").lower()] = text[:LONGEST_TEXT]
        rest = rest.lstrip(" ,\t")
    return found


def _token(rest: str) -> tuple[str, str]:
    text, _, rest = rest.partition(",")
    return text.strip(), rest


def _quoted(rest: str) -> tuple[str, str]:
    text: list[str] = []
    escaped = False
    for at, character in enumerate(rest):
        if escaped:
            text.append(character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            return "".join(text), rest[at + 1 :]
        else:
            text.append(character)
    return "".join(text), ""
