"""How a dialect is written: a template of a body, whose places are filled from a problem's document.

Invariants: a template that is here is complete and checked; nothing here writes. `parse` gives it as a tree of nodes,
for whoever fills it.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Any, Final

from msgspec import UNSET, Struct
from pydantic import AfterValidator, Field, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from gateway.dialects.spec.values import Strict

MEMBERS: Final = (
    *("type", "title", "status", "detail", "instance", "code", "category"),
    *("source.origin", "source.fault", "source.upstream", "source.stage"),
    *("retry.retryable", "retry.after"),
    *("upstream.status", "upstream.code", "upstream.type", "upstream.message", "upstream.dialect"),
    *("upstream.request_id", "upstream.truncated", "request_id"),
)
"""What a place may take from a document, by its path there."""
ERROR_MEMBERS: Final = ("field", "pointer", "location", "code", "detail", "position")
"""What it may take from a field error: from `first`, or, inside of `$errors`, from `error`."""
FORMS: Final = ("text", "upper", "duration")
"""How a value may be spelled otherwise."""
SHAPES: Final = ("tree", "positions")
"""How field errors may be written but as a list."""

_FIRST: Final = tuple(f"first.{name}" for name in ERROR_MEMBERS)
_ERROR: Final = tuple(f"error.{name}" for name in ERROR_MEMBERS)
_TAKE, _ERRORS, _ELSE = "$", "$errors", "else"
_TAKE_KEYS: Final = frozenset({_TAKE, "as", "words", _ELSE})
_ERRORS_KEYS: Final = frozenset({_ERRORS, _ELSE})
_MEDIA_TYPE: Final = re.compile(r"[!#$&^_.+a-zA-Z0-9-]+/[!#$&^_.+a-zA-Z0-9-]+")

Location = tuple[str | int, ...]


class Constant(Struct, frozen=True):
    """A value that stands as it is."""

    value: Any


class Take(Struct, frozen=True):
    """The first value that is there of these paths; `words` stands for what it is, `form` how it is spelled."""

    paths: tuple[str, ...]
    form: str | None = None
    words: dict[str, Any] | None = None
    otherwise: Any = UNSET


class Members(Struct, frozen=True):
    """An object."""

    nodes: dict[str, Any]


class Items(Struct, frozen=True):
    """A list."""

    nodes: tuple[Any, ...]


class Errors(Struct, frozen=True):
    """The field errors: a list of `node` for each, or all of them in a `shape`."""

    node: Any = None
    shape: str | None = None
    otherwise: Any = UNSET


Node = Constant | Take | Members | Items | Errors


def parse(template: Any) -> Node:
    """Return a template as nodes.

    Raises:
        ValidationError: a place takes what is not there; it names each, with its way from the root.
    """
    faults: list[tuple[Location, str]] = []
    node = _node(template, (), faults, inside=False)
    if faults:
        raise ValidationError.from_exception_data(
            "template",
            [
                InitErrorDetails(
                    type=PydanticCustomError("template", "{sentence}", {"sentence": sentence}), loc=at, input=None
                )
                for at, sentence in faults
            ],
        )
    return node


def _node(value: Any, at: Location, faults: list[tuple[Location, str]], *, inside: bool) -> Node:
    """Read one value; `inside` of the field errors there is an `error` to take from."""
    if isinstance(value, str) and value.startswith("$"):
        if value.startswith("$$"):
            return Constant(value[1:])
        return Take(_paths([value[1:]], at, faults, inside=inside))
    if isinstance(value, list):
        return Items(tuple(_node(inner, (*at, index), faults, inside=inside) for index, inner in enumerate(value)))
    if not isinstance(value, dict):
        return Constant(value)
    if _TAKE in value:
        return _take(value, at, faults, inside=inside)
    if _ERRORS in value:
        return _errors(value, at, faults)
    nodes = {}
    for key, inner in value.items():
        if str(key).startswith("$"):
            faults.append(((*at, key), "only $ and $errors are known here; a member's name cannot begin with $"))
        nodes[str(key)] = _node(inner, (*at, key), faults, inside=inside)
    return Members(nodes)


def _take(value: dict[str, Any], at: Location, faults: list[tuple[Location, str]], *, inside: bool) -> Take:
    _only(_TAKE_KEYS, value, at, faults)
    named, form, words = value[_TAKE], value.get("as"), value.get("words")
    if form is not None and form not in FORMS:
        faults.append(((*at, "as"), f"must be one of {', '.join(FORMS)}"))
    if words is not None and not isinstance(words, dict):
        faults.append(((*at, "words"), "must be a mapping of values to words"))
        words = None
    return Take(
        paths=_paths(named if isinstance(named, list) else [named], (*at, _TAKE), faults, inside=inside),
        form=form,
        words=None if words is None else {str(key): word for key, word in words.items()},
        otherwise=value.get(_ELSE, UNSET),
    )


def _errors(value: dict[str, Any], at: Location, faults: list[tuple[Location, str]]) -> Errors:
    _only(_ERRORS_KEYS, value, at, faults)
    inner, otherwise = value[_ERRORS], value.get(_ELSE, UNSET)
    if isinstance(inner, str) and not inner.startswith("$"):
        if inner not in SHAPES:
            faults.append(((*at, _ERRORS), f"must be {' or '.join(SHAPES)}, or what one field error is written as"))
        return Errors(shape=inner, otherwise=otherwise)
    return Errors(node=_node(inner, (*at, _ERRORS), faults, inside=True), otherwise=otherwise)


def _only(known: frozenset[str], value: dict[str, Any], at: Location, faults: list[tuple[Location, str]]) -> None:
    faults += [
        ((*at, key), f"this key is not known here (known: {', '.join(sorted(known))})")
        for key in value
        if key not in known
    ]


def _paths(named: list[Any], at: Location, faults: list[tuple[Location, str]], *, inside: bool) -> tuple[str, ...]:
    """Return paths into the document, each checked."""
    known = (*MEMBERS, *_FIRST, *(_ERROR if inside else ()))
    for path in named:
        if path not in known:
            near = get_close_matches(str(path), known, n=1)
            hint = f"did you mean ${near[0]}?" if near else "docs/reference/views.md lists what there is"
            faults.append((at, f"there is nothing of this name to take ({hint})"))
    return tuple(str(path) for path in named)


def _checked(template: Any) -> Any:
    parse(template)
    return template


def _media_type(text: str) -> str:
    if _MEDIA_TYPE.fullmatch(text) is None:
        message = "must be a media type without parameters, such as application/json"
        raise ValueError(message)
    return text


Template = Annotated[
    Any,
    AfterValidator(_checked),
    WithJsonSchema({"title": "template", "description": "What stands in the body, with places that are filled."}),
]


class WriteSpec(Strict, title="write"):
    """How a problem is written in this dialect, for clients that know no other."""

    view: str | None = None
    """What `view` calls it; left out, the dialect's name."""

    content_type: Annotated[str, AfterValidator(_media_type), Field(title="media type")] = "application/json"
    """The media type of the body, which is JSON."""
    body: Template
    """The body. A text that begins with `$` takes what the document has under that path."""
