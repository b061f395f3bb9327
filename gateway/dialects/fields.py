"""Field errors from every common shape, in one list.

Shapes: a tree (name to text, to texts, to deeper objects), a list of objects or texts, position to name, one name.
Each is read by one function of the table at the end. Bounded: at most `MOST_ERRORS` errors, `_DEEPEST` levels.

Names stay as the upstream spells them; the pointer (RFC 6901, as a URI fragment) is made from them.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from msgspec import UNSET

from gateway.catalog import field_code_of
from gateway.dialects.sources import as_code, as_text, code_at, compile_finder, compile_picks, only, text_at
from gateway.dialects.spec import Shape
from gateway.dialects.text import clean
from gateway.model import FieldCode, FieldError, Location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from msgspec import UnsetType

    from gateway.dialects.paths import Finder
    from gateway.dialects.spec import FieldsSpec, Pick
    from gateway.dialects.view import View

MOST_ERRORS = 256
"""Field errors read from one reply: a security limit on time and size."""
_MOST_LOOKED_AT = 1_024
"""Items of one list, members of one object, that are looked at for them: what says nothing costs time, too."""
_DEEPEST = 16
_LONGEST_NAME = 256
_LONGEST_POSITION = 9
_CACHED_NAMES = 4_096

_BODY, _QUERY = Location.BODY, Location.QUERY
_Item = tuple["str | None", "str | None", "str | None", "str | None", "Location | None", "int | UnsetType"]
"""What a shape says of one field: name, pointer, detail, the upstream's code, location (None: the usual), position."""
_Said = str | list[Any] | None
"""What is said of fields that have no texts of their own: one text, or a list of as many as there are fields."""
_LOCATIONS: Mapping[str, Location] = {
    **dict.fromkeys(("body", "json", "form", "formdata", "payload"), Location.BODY),
    **dict.fromkeys(("query", "querystring", "parameter", "query_parameter"), Location.QUERY),
    **dict.fromkeys(("path", "params", "uri", "url"), Location.PATH),
    **dict.fromkeys(("header", "headers", "cookie", "cookies"), Location.HEADER),
}
"""Usual words for the parts of a request, in lower case."""


class FieldReader:
    """One entry of `fields:`, compiled: gives the field errors of a reply, or an empty list."""

    __slots__ = ("_code", "_detail", "_details", "_each", "_echo", "_from", "_location", "_markers", "_read", "_skip")

    def __init__(self, spec: FieldsSpec) -> None:
        """Compile `spec`."""
        self._location = spec.location
        self._from = compile_picks(spec.from_)
        self._details = compile_picks(spec.detail)
        self._detail = text_at(spec.detail)
        self._code = code_at(spec.code)
        self._each, self._echo = _Each(spec), spec.echo
        self._markers, self._skip = frozenset(spec.markers), frozenset(spec.skip)
        self._read = _SHAPES[spec.shape] if spec.shape is not None else None

    def read(
        self, view: View, message: str | None, codes: Mapping[str, FieldCode], *, in_body: bool
    ) -> list[FieldError]:
        """Return the field errors.

        Args:
            view: the reply.
            message: what the upstream said of the whole; it stands in where a shape has no text of its own.
            codes: the upstream's own words for what is wrong with a field.
            in_body: whether the request had a body; without one its fields were in the query.
        """
        for source in self._from:
            found = source(view)
            if not found:  # what is not filled, and what no shape reads
                continue
            read = self._read or _BY_TYPE.get(type(found))
            if read is None:
                continue
            items = read(self, found, self._said(view, found) or message)
            errors = self._errors(islice(items, MOST_ERRORS), codes, self._code(view), in_body=in_body)
            if errors and (self._echo or not _is_echo(errors, message)):
                return errors
        return []

    def _said(self, view: View, found: Any) -> str | list[Any] | None:
        """Return what is said of the fields beside them: one text for all, or a text for each of a list."""
        if type(found) is list:
            for source in self._details:
                texts = source(view)
                if type(texts) is list and len(texts) == len(found) > 1:
                    return texts
        return self._detail(view)

    def _errors(
        self, items: Iterable[_Item], codes: Mapping[str, FieldCode], usual: str | None, *, in_body: bool
    ) -> list[FieldError]:
        """Settle codes and locations; `usual` is the upstream's word where an item has none of its own."""
        errors = []
        for name, pointer, detail, code, location, position in items:
            word = code or usual
            where = location or self._location
            if where is not _BODY:
                pointer = None  # noqa: PLW2901 - a pointer is into a body
            elif not in_body:
                where, pointer = _QUERY, None  # noqa: PLW2901 - there was no body
            error = FieldError(
                field=name[:_LONGEST_NAME] if name is not None else None,
                pointer=pointer,
                location=where if name is not None else None,
                code=codes.get(word or "") or field_code_of(detail, word),
                detail=detail,
                position=position,
            )
            errors.append(error)
        return errors

    def tree(self, found: Any, _message: _Said) -> Iterable[_Item]:
        """Walk an object of names to texts, lists of texts, and deeper objects; or a list of them."""
        items: list[_Item] = []
        if type(found) is dict:
            self._walk_object(found, None, items, 0)
        elif type(found) is list:
            self._walk(found, None, items, 0)
        return items

    def _walk(self, value: Any, name: str | None, items: list[_Item], depth: int) -> None:
        """Walk what stands under `name`, which is dotted, and None at the root."""
        if depth > _DEEPEST or len(items) >= MOST_ERRORS:
            return
        if type(value) is str:
            if text := clean(value):
                items.append(_item(name, text, None))
        elif type(value) is list:
            pointer = pointer_of(name) if name else None
            for index, inner in enumerate(value[:MOST_ERRORS]):
                if type(inner) is str:
                    if depth < _DEEPEST and (text := clean(inner)):
                        items.append((name or None, pointer, text, None, None, UNSET))
                    continue
                deeper = type(inner) is dict and not self._each.texts(inner)
                self._walk(inner, _below(name, index) if deeper else name, items, depth + 1)
        elif type(value) is dict:
            self._walk_object(value, name, items, depth)

    def _walk_object(self, value: dict[str, Any], name: str | None, items: list[_Item], depth: int) -> None:
        if depth and (texts := self._each.texts(value)):
            own = self._each.name(value)
            full, code = _below(name, own) if own is not None else name, self._each.code(value)
            items.extend(_item(full, text, code) for text in texts)
            return
        for key, inner in islice(value.items(), _MOST_LOOKED_AT):
            if len(items) >= MOST_ERRORS:
                return
            if key in self._markers:
                self._walk(inner, name, items, depth + 1)
            elif key not in self._skip:
                self._walk(inner, _below(name, key), items, depth + 1)

    def list(self, found: Any, _message: _Said) -> Iterable[_Item]:
        """Read a list whose members are objects or texts, or one of them alone."""
        for inner in found[:_MOST_LOOKED_AT] if type(found) is list else [found]:
            if type(inner) is dict or (type(inner) is str and self._each.of_texts):
                yield from self._each.items(inner)
            elif type(inner) is str and (text := clean(inner)):
                yield _item(None, text, None)

    def positions(self, found: Any, message: _Said) -> Iterable[_Item]:
        """Read an object of positions to names; PHP makes a list of one whose positions have no gap."""
        pairs = found.items() if type(found) is dict else enumerate(found) if type(found) is list else ()
        for position, name in islice(pairs, _MOST_LOOKED_AT):
            if type(name) is str and name:
                yield name, pointer_of(name), as_text(message), None, None, _position(position)

    def param(self, found: Any, message: _Said) -> Iterable[_Item]:
        """Read one name, or several; what is wrong with them is the message, or the text beside each."""
        names = found[:_MOST_LOOKED_AT] if type(found) is list else [found]
        texts = message if type(message) is list else [message] * len(names)
        for name, text in zip(names, texts, strict=False):
            if type(name) is str and name:
                yield _item(name, as_text(text), None)


def _is_echo(errors: list[FieldError], message: str | None) -> bool:
    """Say whether an error is alone, names no field and only says the message again."""
    return len(errors) == 1 and errors[0].field is None and errors[0].detail == message


def _below(name: str | None, part: str | int) -> str:
    """Return the name of what is below, no longer than a name is told: each of many members would copy a long one."""
    return (str(part) if name is None else f"{name}.{part}")[:_LONGEST_NAME]


def _item(name: str | None, detail: str | None, code: str | None, location: Location | None = None) -> _Item:
    return name or None, pointer_of(name) if name else None, detail, code, location, UNSET


class _Each:
    """How one object of field errors is read. `text` and `code` find what it says and the upstream's word for it."""

    __slots__ = ("_detail", "_field", "_located", "_location", "_names", "_pointer", "_strip", "code", "of_texts")

    def __init__(self, spec: FieldsSpec) -> None:
        each = spec.each
        self._field = _finders(each.field)
        self._names = _finders(each.names)
        self._pointer = _finders(each.pointer)
        self._detail = _finders(each.detail)
        self._location = _finders(each.location)
        self.code = _first(_finders(each.code), as_code)
        self._located = each.located
        self._strip = spec.strip
        self.of_texts = any(pick.path == "@" for pick in (*each.field, *each.pointer, *each.detail))

    def texts(self, tree: Any) -> list[str]:
        """Return what is wrong: one text, several, or none."""
        for at in self._detail:
            if (found := at(tree)) is None:
                continue
            if (text := as_text(only(found))) is not None:
                return [text]
            if type(found) is list and (texts := [text for inner in found[:MOST_ERRORS] if (text := as_text(inner))]):
                return texts
        return []

    def name(self, tree: Any) -> str | None:
        """Return the field's name, where it is one text."""
        return next((found for at in self._field if type(found := at(tree)) is str and found), None)

    def items(self, tree: Any) -> Iterable[_Item]:
        """Give the errors that an item tells of: one for each of its names and each of its texts."""
        texts, code = self.texts(tree), self.code(tree)
        name, pointer, location = self._place(tree)
        location = location or self._where(tree)
        names = [(name, pointer)] if name is not None else self._named(tree)
        if names != _NAMELESS or texts or code:
            for one, at in names:
                stand_in = None if one is not None else code
                for text in texts or (stand_in,):
                    yield one, at, text, code, location, UNSET

    def _place(self, tree: Any) -> tuple[str | None, str | None, Location | None]:
        """Return the name, the pointer and the location that one member tells together."""
        for at in self._pointer:
            if type(pointer := at(tree)) is str:
                return *self._pointed(pointer[:_LONGEST_NAME]), None
        for at in self._field:
            found = at(tree)
            if type(found) is str and found:
                return found, pointer_of(found), None
            if type(found) is list and all(type(part) in (str, int) for part in found):
                return self._keyed(found)
        return None, None, None

    def _pointed(self, pointer: str) -> tuple[str | None, str | None]:
        text = unquote(pointer[1:]) if pointer.startswith("#") else pointer
        full = "#" + quote(text, safe=_POINTER_SAFE)
        for beginning in self._strip:
            if text.startswith(beginning):
                text = text[len(beginning) :]
                break
        name = ".".join(part.replace("~1", "/").replace("~0", "~") for part in text.strip("/").split("/"))
        return name or None, full if name else None

    def _keyed(self, keys: list[str | int]) -> tuple[str | None, str | None, Location | None]:
        location = _LOCATIONS.get(str(keys[0])) if self._located and keys else None
        name = ".".join(map(str, keys[1:] if location else keys))
        return name or None, pointer_of(name) if name else None, location

    def _named(self, tree: Any) -> list[tuple[str | None, str | None]]:
        for at in self._names:
            found = at(tree)
            among = found[:MOST_ERRORS] if type(found) is list else [found]
            if names := [name for name in among if type(name) is str and name]:
                return [(name, pointer_of(name)) for name in names]
        return _NAMELESS

    def _where(self, tree: Any) -> Location | None:
        for at in self._location:
            if type(word := at(tree)) is str:
                return _LOCATIONS.get(word.lower())
        return None


_NAMELESS: list[tuple[str | None, str | None]] = [(None, None)]


def _finders(picks: Iterable[Pick]) -> tuple[Finder, ...]:
    """Compile picks inside an object of a body, where there are no header fields."""
    return tuple(compile_finder(pick) for pick in picks if pick.path is not None)


def _first(finders: tuple[Finder, ...], read_as: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    def read(tree: Any) -> str | None:
        for at in finders:
            found = at(tree)
            if found is not None and (text := read_as(found)) is not None:
                return text
        return None

    return read


def _position(text: str | int) -> int | UnsetType:
    digits = str(text)
    return int(digits) if len(digits) <= _LONGEST_POSITION and digits.isascii() and digits.isdigit() else UNSET


_POINTER_SAFE = "/~!$&'()*+,;=:@-._"


def pointer_of(name: str) -> str:
    """Return the JSON pointer, as a URI fragment (RFC 6901 section 6), of a name.

    Names are dotted, bracketed or both: `a.b`, `a[0].b`, `a.0.b`, `a[b][c]`.
    """
    return _pointer_of(name[:_LONGEST_NAME])


@lru_cache(maxsize=_CACHED_NAMES)
def _pointer_of(name: str) -> str:
    """Work a pointer out; remembered, so nobody may fill the memory with names of any length."""
    text = name.replace("[", ".").replace("]", "")
    parts = [part.replace("~", "~0").replace("/", "~1") for part in text.split(".") if part]
    return "#/" + quote("/".join(parts), safe=_POINTER_SAFE)


_SHAPES: dict[Shape, Callable[[FieldReader, Any, _Said], Iterable[_Item]]] = {
    Shape.TREE: FieldReader.tree,
    Shape.LIST: FieldReader.list,
    Shape.POSITIONS: FieldReader.positions,
    Shape.PARAM: FieldReader.param,
}
_BY_TYPE: dict[type, Callable[[FieldReader, Any, _Said], Iterable[_Item]]] = {
    dict: FieldReader.tree,
    list: FieldReader.list,
    str: FieldReader.list,
}
