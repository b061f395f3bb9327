"""Picks of the dialect language, compiled: the first place that holds a value of the right type.

A value of the wrong type is passed over, so that `message: [error.message, error]` reads an API whose `error` is now
an object and now a text. A list of one is taken for what is in it.

What only says again what HTTP's status says, as a number or in the words of its standard, counts only where nothing
says more: `{"code": 404, "message": "Not Found", "type": "shelf_missing", "reason": "There is no such shelf."}`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gateway.dialects.paths import find
from gateway.dialects.spec import BodyKind
from gateway.dialects.text import LONGEST_TEXT, clean, is_usable
from gateway.dialects.transforms import transform
from gateway.dialects.view import in_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.dialects.paths import Finder
    from gateway.dialects.spec import Pick
    from gateway.dialects.view import View

    Source = Callable[[View], Any]
    Read = Callable[[View], str | None]
    Words = tuple[str | None, str | None]

XML_TEXT = "#text"
"""Where the text of an XML element stands that has attributes or children, too."""
_LONGEST_CODE = 200
_PHRASES = frozenset(status.phrase.casefold() for status in HTTPStatus if status >= 400)
_LONGEST_PHRASE = max(map(len, _PHRASES))
_MOST_PARAMETERS = 16


def compile_pick(pick: Pick) -> Source:
    """Return a function from a view to what is taken at one place, or None."""
    at, take = _place(pick), transform(pick)
    if take is None:
        return at
    return lambda view: take(found, view.tree) if (found := at(view)) is not None else None


def compile_finder(pick: Pick) -> Finder:
    """Return the same for a value inside a body, where there are no header fields.

    Raises:
        ValueError: `pick` is of a header field.
    """
    if pick.path is None:
        message = "there are no header fields inside a body"
        raise ValueError(message)
    at, take = find(pick.path), transform(pick)
    if take is None:
        return at
    return lambda tree: take(found, tree) if (found := at(tree)) is not None else None


def _place(pick: Pick) -> Source:
    if pick.path is not None:
        return in_body(pick.path)
    name = (pick.header or "").lower().encode()
    if pick.parameter is None:
        return lambda view: view.text(name)
    parameter = pick.parameter.lower()
    return lambda view: challenge(view.text(name) or "").get(parameter)


def compile_picks(picks: Iterable[Pick]) -> tuple[Source, ...]:
    """Compile several places, in their order."""
    return tuple(compile_pick(pick) for pick in picks)


def code_at(picks: Iterable[Pick]) -> Read:
    """Compile to the first code: a text, or a whole number as text (leading zeros of a text are kept).

    A code that is but the status again gives way to one that is not.
    """
    first = _first(sources := compile_picks(picks), as_code)
    if len(sources) < 2:
        return first

    def read(view: View) -> str | None:
        code = first(view)
        if code is None or code != str(view.status):
            return code
        return next((found for at in sources if (found := as_code(only(at(view)))) and found != code), code)

    return read


def text_at(picks: Iterable[Pick]) -> Read:
    """Compile to the first text, cleaned; empty ones and other types are passed over."""
    return _first(compile_picks(picks), as_text)


def words_at(picks: Iterable[Pick]) -> Callable[[View], Words]:
    """Compile to what was said first, and the first of it that a person can use."""
    sources = compile_picks(picks)

    def read(view: View) -> Words:
        said = usable = None
        for source in sources:
            found = source(view)
            if type(found) is list or type(found) is dict:
                found = only(found)
            if type(found) is not str or not (text := clean(found)):
                continue
            if said is None:
                said = text
            if not is_usable(text):
                continue
            if (view.kind is BodyKind.HTML or not _is_phrase(text)) and (usable is None or " " in text):
                return said, text
            usable = usable or text
        return said, usable

    return read


def _is_phrase(text: str) -> bool:
    """Say whether a text is but the words that stand for a status in HTTP's standard."""
    return len(text) <= _LONGEST_PHRASE and text.casefold().rstrip(".") in _PHRASES


def _first(sources: tuple[Source, ...], read_as: Callable[[Any], str | None]) -> Read:
    if not sources:
        return _nothing

    def read(view: View) -> str | None:
        for source in sources:
            found = source(view)
            if type(found) is list or type(found) is dict:
                found = only(found)
            if found is not None and (text := read_as(found)) is not None:
                return text
        return None

    return read


def _nothing(_view: View) -> None:
    """Nobody says where it stands."""


def as_text(value: Any) -> str | None:
    """Return a text, cleaned, or None for what is none, or is empty."""
    return (clean(value) or None) if type(value) is str else None


def as_code(value: Any) -> str | None:
    """Return a code as text, or None for what is no code."""
    if type(value) is str:
        return clean(value)[:_LONGEST_CODE] or None
    return str(value) if type(value) is int and -(10**18) < value < 10**18 else None


def only(value: Any) -> Any:
    """Return the one member of a list of one, and the text of an XML element with attributes, else the value itself."""
    if type(value) is list and len(value) == 1:
        value = value[0]
    return value.get(XML_TEXT) if type(value) is dict else value


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
