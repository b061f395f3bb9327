"""A dialect's template (`gateway.dialects.spec.writing`), compiled to closures that fill it.

A place for which the document has nothing (null, an empty text, no field errors) gives no member. An object or a list
whose places all came to nothing gives none either, unless it has no places or is the whole body. `carried` says what of
a document a dialect tells: what is read from a body that was written so must say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET, Struct

from gateway.dialects.spec.writing import Constant, Errors, Items, Members, Take, parse
from gateway.pipeline.document import document_of
from gateway.pipeline.writers.writer import Extent, Writer

if TYPE_CHECKING:
    from gateway.dialects.spec import WriteSpec
    from gateway.dialects.spec.writing import Node
    from gateway.model import FieldError, Problem
    from gateway.pipeline.document import Document

_NOTHING: Final = object()
_encode = msgspec.json.Encoder().encode

Fill = Callable[["Document", "FieldError | None"], Any]
Takes = tuple[tuple[str, Extent], ...]


class Filled(Struct, frozen=True):
    """A compiled node: what it gives for a document (and one field error), and the members that it takes."""

    fill: Fill
    takes: Takes = ()


def template_writer(name: str, spec: WriteSpec) -> Writer:
    """Return the writer of a dialect."""
    root = parse(spec.body)
    body = _members(root, stays=True) if isinstance(root, Members) else _compiled(root)

    def write(problem: Problem, request_id: str, public_url: str | None, language: str) -> bytes:
        found = body.fill(document_of(problem, request_id, public_url, language), None)
        return _encode({} if found is _NOTHING else found)

    return Writer(
        name=name,
        media_type=spec.content_type.encode("ascii"),
        carries=_most(body.takes),
        write=write,
    )


def carried(spec: WriteSpec, document: Document) -> dict[str, Any]:
    """Return what a body written by `spec` tells of a document, by the paths that each place takes from.

    A value is spelled as it is in the body, but for `words`, which may be the same for several values.
    """
    found = {label: node.fill(document, None) for label, node in _places(parse(spec.body))}
    return {label: value for label, value in found.items() if value is not _NOTHING}


def _places(node: Node) -> list[tuple[str, Filled]]:
    """Return every place of a template that takes something from the document, with a label."""
    match node:
        case Take(paths=paths, form=form):
            return [(" or ".join(paths), _compiled(Take(paths, form)))]
        case Errors():
            return [("errors", _compiled(Errors(node.node, node.shape)))]
        case Members(nodes=members):
            return [place for inner in members.values() for place in _places(inner)]
        case Items(nodes=items):
            return [place for inner in items for place in _places(inner)]
    return []


def _compiled(node: Node) -> Filled:
    return _COMPILERS[type(node)](node)


def _constant(node: Constant) -> Filled:
    value = node.value
    return Filled(lambda _document, _error: value)


def _take(node: Take) -> Filled:
    finders = [_finder(path) for path in node.paths]
    spell = _FORMS[node.form] if node.form is not None else _as_it_is
    words, otherwise = node.words, _NOTHING if node.otherwise is UNSET else node.otherwise

    def fill(document: Document, error: FieldError | None) -> Any:  # noqa: ANN401 - any JSON
        for find in finders:
            value = find(document, error)
            if value is None or value is UNSET or value == "":
                continue
            if words is None:
                return spell(value)
            return words.get(str(value), otherwise)
        return otherwise

    return Filled(fill, tuple(_taken(path, node, index) for index, path in enumerate(node.paths)))


def _taken(path: str, node: Take, index: int) -> tuple[str, Extent]:
    """Return which member a path takes, and how much of it."""
    first, _, rest = path.partition(".")
    if first == "first":
        return f"errors[].{rest}", Extent.FIRST
    extent = Extent.WORDS if node.words is not None else Extent.ELSE if index else Extent.WHOLE
    return (f"errors[].{rest}" if first == "error" else path), extent


def _most(takes: Takes) -> dict[str, Extent]:
    """Return each member with the most that is taken of it."""
    return dict(sorted(takes, key=lambda taken: _RANKS[taken[1]]))


def _finder(path: str) -> Fill:
    """Compile a path into the document; `first` and `error` begin at a field error."""
    first, *others = path.split(".")
    if first == "first":
        return lambda document, _error: getattr(document.errors[0], others[0]) if document.errors else None
    if first == "error":
        return lambda _document, error: getattr(error, others[0])
    if not others:
        return lambda document, _error: getattr(document, first)
    return lambda document, _error: getattr(getattr(document, first), others[0], None)


def _members(node: Members, *, stays: bool = False) -> Filled:
    """Compile an object; the whole body `stays`, whatever is left of it."""
    parts = [(name, _compiled(inner)) for name, inner in node.nodes.items()]
    takes = tuple(taken for _, part in parts for taken in part.takes)

    def fill(document: Document, error: FieldError | None) -> Any:  # noqa: ANN401 - an object, or nothing
        found = {}
        empty = bool(takes) and not stays
        for name, part in parts:
            value = part.fill(document, error)
            if value is not _NOTHING:
                found[name] = value
                empty = empty and not part.takes
        return _NOTHING if empty else found

    return Filled(fill, takes)


def _items(node: Items) -> Filled:
    parts = [_compiled(inner) for inner in node.nodes]
    takes = tuple(taken for part in parts for taken in part.takes)

    def fill(document: Document, error: FieldError | None) -> Any:  # noqa: ANN401 - a list, or nothing
        found = [value for part in parts if (value := part.fill(document, error)) is not _NOTHING]
        return found if found or not takes else _NOTHING

    return Filled(fill, takes)


def _errors(node: Errors) -> Filled:
    otherwise = _NOTHING if node.otherwise is UNSET else node.otherwise
    if node.shape is not None:
        gather, takes = _SHAPES[node.shape]
        return Filled(lambda document, _error: gather(document) or otherwise, takes)
    inner = _compiled(node.node)

    def fill(document: Document, _error: FieldError | None) -> Any:  # noqa: ANN401 - a list, or nothing
        found = [value for error in document.errors if (value := inner.fill(document, error)) is not _NOTHING]
        return found or otherwise

    return Filled(fill, inner.takes)


def _tree(document: Document) -> dict[str, list[str]]:
    """Gather texts by name; where nobody gave a text, our word for what is wrong stands."""
    found: dict[str, list[str]] = {}
    for error in document.errors:
        if error.field is not None:
            found.setdefault(error.field, []).append(error.detail or error.code.value)
    return found


def _positions(document: Document) -> dict[str, str]:
    """Gather names by position, which is the place in the list where nobody gave one, or two are alike."""
    named = [error for error in document.errors if error.field is not None]
    given = {str(error.position): error.field for error in named if error.position is not UNSET}
    if len(given) < len(named):
        given = {str(index): error.field for index, error in enumerate(named)}
    return {position: name for position, name in given.items() if name is not None}


def _as_it_is(value: Any) -> Any:  # noqa: ANN401 - any member
    return value


def _duration(value: Any) -> str:  # noqa: ANN401 - any member; seconds are meant
    return f"{value}s"


_FORMS: Final[dict[str, Callable[[Any], Any]]] = {
    "text": str,
    "upper": lambda value: str(value).upper(),
    "duration": _duration,
}
_RANKS: Final = {extent: rank for rank, extent in enumerate((Extent.ELSE, Extent.WORDS, Extent.FIRST, Extent.WHOLE))}
_NAME: Final = ("errors[].field", Extent.WHOLE)
_SHAPES: Final[dict[str, tuple[Callable[[Document], dict[str, Any]], Takes]]] = {
    "tree": (_tree, (_NAME, ("errors[].detail", Extent.WHOLE), ("errors[].code", Extent.ELSE))),
    "positions": (_positions, (_NAME, ("errors[].position", Extent.WHOLE))),
}
_COMPILERS: Final[dict[type, Callable[[Any], Filled]]] = {
    Constant: _constant,
    Take: _take,
    Members: _members,
    Items: _items,
    Errors: _errors,
}
