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

from msgspec import UNSET, Struct

from gateway.catalog import field_code_of
from gateway.dialects.conditions import is_filled
from gateway.dialects.sources import as_code, code, compile_picks, only
from gateway.dialects.spec import Shape
from gateway.dialects.text import clean
from gateway.dialects.view import View
from gateway.model import FieldCode, FieldError, Location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.dialects.sources import Source
    from gateway.dialects.spec import FieldsSpec

MOST_ERRORS = 256
"""Field errors read from one reply: a security limit on time and size."""
_DEEPEST = 16
_LONGEST_NAME = 256
_LONGEST_POSITION = 9
_CACHED_NAMES = 4_096

Part = str | int
_LOCATIONS = {"body": Location.BODY, "query": Location.QUERY, "path": Location.PATH, "header": Location.HEADER}


class FieldReader:
    """One entry of `fields:`, compiled: gives the field errors of a reply, or an empty list."""

    __slots__ = ("_code", "_codes", "_detail", "_each", "_from", "_markers", "_read", "_skip", "_spec")

    def __init__(self, spec: FieldsSpec, codes: Mapping[str, FieldCode]) -> None:
        """Compile `spec`; `codes` are the upstream's own words for what is wrong with a field."""
        self._spec = spec
        self._codes = codes
        self._from = compile_picks(spec.from_)
        self._detail = compile_picks(spec.detail)
        self._code = compile_picks(spec.code)
        self._each = _Each(spec)
        self._markers, self._skip = frozenset(spec.markers), frozenset(spec.skip)
        self._read = _SHAPES[spec.shape] if spec.shape is not None else None

    def read(self, view: View, message: str | None, *, in_body: bool) -> list[FieldError]:
        """Return the field errors.

        Args:
            view: the reply.
            message: what the upstream said of the whole; it stands in where a shape has no text of its own.
            in_body: whether the request had a body; without one its fields were in the query.
        """
        for source in self._from:
            found = source(view)
            if not is_filled(found):
                continue
            read = self._read or _BY_TYPE.get(type(found))
            if read is None:
                continue
            items = islice(read(self, found, _first_text(self._detail, view) or message), MOST_ERRORS)
            word = code(self._code, view)
            if errors := [self._error(item, item.code or word, in_body=in_body) for item in items]:
                return errors
        return []

    def _error(self, item: _Item, word: str | None, *, in_body: bool) -> FieldError:
        name, pointer, location = item.field, item.pointer, item.location or self._spec.location
        if location is Location.BODY and not in_body:
            location = Location.QUERY
        if location is not Location.BODY:
            pointer = None
        return FieldError(
            field=name[:_LONGEST_NAME] if name is not None else None,
            pointer=pointer,
            location=location if name is not None else None,
            code=self._codes.get(word or "") or field_code_of(item.detail, word),
            detail=item.detail,
            position=UNSET if item.position is None else item.position,
        )

    def tree(self, found: Any, _message: str | None) -> Iterable[_Item]:
        """Walk an object of names to texts, lists of texts, and deeper objects."""
        items: list[_Item] = []
        if type(found) is dict:
            self._walk_object(found, (), items, 0)
        return items

    def _walk(self, value: Any, parts: tuple[Part, ...], items: list[_Item], depth: int) -> None:
        if depth > _DEEPEST or len(items) >= MOST_ERRORS:
            return
        if type(value) is str:
            if text := clean(value):
                items.append(_of_parts(parts, text, None))
        elif type(value) is list:
            for index, inner in enumerate(value[:MOST_ERRORS]):
                deeper = type(inner) is dict and self._each.detail_of(inner) is None
                self._walk(inner, (*parts, index) if deeper else parts, items, depth + 1)
        elif type(value) is dict:
            self._walk_object(value, parts, items, depth)

    def _walk_object(self, value: dict[str, Any], parts: tuple[Part, ...], items: list[_Item], depth: int) -> None:
        if parts and (text := self._each.detail_of(value)) is not None:
            items.append(_of_parts(parts, text, self._each.code_of(value)))
            return
        for name, inner in value.items():
            if len(items) >= MOST_ERRORS:
                return
            if name in self._markers:
                self._walk(inner, parts, items, depth + 1)
            elif name not in self._skip:
                self._walk(inner, (*parts, name), items, depth + 1)

    def list(self, found: Any, _message: str | None) -> Iterable[_Item]:
        """Read a list whose members are objects or texts, or one of them alone."""
        for inner in found if type(found) is list else [found]:
            if type(inner) is str:
                if text := clean(inner):
                    yield _Item(detail=text)
            elif type(inner) is dict and (item := self._each.item(inner)) is not None:
                yield item

    def positions(self, found: Any, message: str | None) -> Iterable[_Item]:
        """Read an object of positions to names; PHP makes a list of one whose positions have no gap."""
        pairs = found.items() if type(found) is dict else enumerate(found) if type(found) is list else ()
        for position, name in pairs:
            if type(name) is str and name:
                yield _Item(field=name, pointer=pointer_of(name), detail=message, position=_position(position))

    def param(self, found: Any, message: str | None) -> Iterable[_Item]:
        """Read one name; what is wrong with it is the message."""
        if type(found) is str:
            yield _Item(field=found, pointer=pointer_of(found), detail=message)


class _Item(Struct, kw_only=True):
    """What a shape says of one field, before codes and locations are settled."""

    field: str | None = None
    pointer: str | None = None
    detail: str | None = None
    code: str | None = None
    location: Location | None = None
    position: int | None = None


def _of_parts(parts: Sequence[Part], detail: str | None, code: str | None) -> _Item:
    name = ".".join(map(str, parts)) if len(parts) > 1 else str(parts[0]) if parts else None
    return (
        _Item(field=name, pointer=pointer_of(name), detail=detail, code=code)
        if name
        else _Item(detail=detail, code=code)
    )


class _Each:
    """How one object of field errors is read."""

    __slots__ = ("_code", "_detail", "_field", "_located", "_pointer", "_strip")

    def __init__(self, spec: FieldsSpec) -> None:
        self._field = compile_picks(spec.each.field)
        self._pointer = compile_picks(spec.each.pointer)
        self._detail = compile_picks(spec.each.detail)
        self._code = compile_picks(spec.each.code)
        self._located = spec.each.located
        self._strip = spec.strip

    def detail_of(self, tree: dict[str, Any]) -> str | None:
        return _first_text(self._detail, View.of_tree(tree))

    def code_of(self, tree: dict[str, Any]) -> str | None:
        view = View.of_tree(tree)
        for source in self._code:
            if (text := as_code(source(view))) is not None:
                return text
        return None

    def item(self, tree: dict[str, Any]) -> _Item | None:
        view = View.of_tree(tree)
        detail, code = self.detail_of(tree), self.code_of(tree)
        for source in self._pointer:
            if type(pointer := source(view)) is str:
                return self._pointed(pointer, detail, code)
        for source in self._field:
            if (item := self._named(source(view), detail, code)) is not None:
                return item
        return _Item(detail=detail or code, code=code) if detail or code else None

    def _pointed(self, pointer: str, detail: str | None, code: str | None) -> _Item:
        pointer = pointer[:_LONGEST_NAME]
        text = unquote(pointer[1:]) if pointer.startswith("#") else pointer
        full = "#" + quote(text, safe=_POINTER_SAFE)
        for beginning in self._strip:
            if text.startswith(beginning):
                text = text[len(beginning) :]
                break
        name = ".".join(part.replace("~1", "/").replace("~0", "~") for part in text.strip("/").split("/"))
        return _Item(field=name or None, pointer=full if name else None, detail=detail, code=code)

    def _named(self, name: Any, detail: str | None, code: str | None) -> _Item | None:
        if type(name) is str and name:
            return _Item(field=name, pointer=pointer_of(name), detail=detail, code=code)
        if type(name) is not list or not all(type(part) in (str, int) for part in name):
            return None
        location = _LOCATIONS.get(str(name[0])) if self._located and name else None
        item = _of_parts(name[1:] if location else name, detail, code)
        item.location = location
        return item


def _position(text: str | int) -> int | None:
    digits = str(text)
    return int(digits) if len(digits) <= _LONGEST_POSITION and digits.isascii() and digits.isdigit() else None


def _first_text(sources: tuple[Source, ...], view: View) -> str | None:
    for source in sources:
        found = only(source(view))
        if type(found) is str and (text := clean(found)):
            return text
    return None


_POINTER_SAFE = "/~!$&'()*+,;=:@-._"


@lru_cache(maxsize=_CACHED_NAMES)
def pointer_of(name: str) -> str:
    """Return the JSON pointer, as a URI fragment (RFC 6901 section 6), of a name.

    Names are dotted, bracketed or both: `a.b`, `a[0].b`, `a.0.b`, `a[b][c]`.
    """
    text = name[:_LONGEST_NAME].replace("[", ".").replace("]", "")
    parts = [part.replace("~", "~0").replace("/", "~1") for part in text.split(".") if part]
    return "#/" + quote("/".join(parts), safe=_POINTER_SAFE)


_SHAPES: dict[Shape, Callable[[FieldReader, Any, str | None], Iterable[_Item]]] = {
    Shape.TREE: FieldReader.tree,
    Shape.LIST: FieldReader.list,
    Shape.POSITIONS: FieldReader.positions,
    Shape.PARAM: FieldReader.param,
}
_BY_TYPE: dict[type, Callable[[FieldReader, Any, str | None], Iterable[_Item]]] = {
    dict: FieldReader.tree,
    list: FieldReader.list,
    str: FieldReader.list,
}
