"""Faults of a model, told with the place in the file, the path, the reason and a suggestion; values are never shown."""

from __future__ import annotations

import re
import types
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from gateway.config.document import HIDDEN, is_plain_key
from gateway.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic_core import ErrorDetails

    from gateway.config.document import Document

Model = TypeVar("Model", bound=BaseModel)

_SENTENCES = {
    "extra_forbidden": "this key is not known",
    "missing": "a key is missing: {leaf}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_unicode": "must be valid Unicode",
    "string_type": "must be a text (put it in quotes)",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_pattern_mismatch": "does not have the form {pattern}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must not be empty",
}
_FORMS = frozenset({"string_type", "int_type", "int_parsing", "dict_type", "model_type", "tuple_type", "list_type"})
"""Faults which say that a value has not one of the forms that it may have."""

_ECHOES = (
    (re.compile(r'^".*" is not ', re.DOTALL), "this is not "),
    (re.compile(r"^(not an RE2 pattern: [^:]*):.*", re.DOTALL), r"\1"),
)
"""How sentences of the dialect language quote what they are about, and what stands in its place here."""


def validate(model: type[Model], document: Document) -> tuple[Model | None, list[Fault]]:
    """Return the model's value, or None and every fault of the document."""
    if document.value is None and document.faults:
        return None, list(document.faults)
    try:
        value = model.model_validate(document.value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        told = [
            (detail["type"], _fault(model, document, detail)) for detail in details if not _is_echo(detail, details)
        ]
        return None, [*document.faults, *_of_what_was_meant(told)]
    return (None, list(document.faults)) if document.faults else (value, [])


def fault_at(document: Document, location: Sequence[str | int], message: str, hint: str = "") -> Fault:
    """Return a fault at the place of `location` in `document`."""
    (line, column), path = document.place(location)
    return Fault(file=document.file, line=line, column=column, path=path, message=message, hint=hint)


def _is_echo(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Say whether a list counts as empty only because its items are wrong, which is told already."""
    at = detail["loc"]
    inside = any(other["loc"][: len(at)] == at for other in details if other is not detail)
    return detail["type"] == "too_short" and inside


def _of_what_was_meant(told: Sequence[tuple[str, Fault]]) -> list[Fault]:
    """Leave out the forms that a value does not have, where it has another one, in which something else is wrong."""
    return [
        fault
        for kind, fault in told
        if kind not in _FORMS or not any(_goes_deeper(other, there, fault) for other, there in told)
    ]


def _goes_deeper(kind: str, fault: Fault, form: Fault) -> bool:
    if fault.path == form.path:
        return kind not in _FORMS
    return fault.path.startswith((f"{form.path}.", f"{form.path}["))


def _fault(model: type[BaseModel], document: Document, detail: ErrorDetails) -> Fault:
    location = detail["loc"]
    if detail["type"] == "extra_forbidden":
        return _unknown_key(model, document, location)
    leaf = str(location[-1]) if location else ""
    context = {name: value for name, value in detail.get("ctx", {}).items() if name != "error"}
    template = _SENTENCES.get(detail["type"])
    return fault_at(document, location, template.format(leaf=leaf, **context) if template else _sentence(detail["msg"]))


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ")
    for echo, told in _ECHOES:
        message = echo.sub(told, message)
    return message


def _unknown_key(model: type[BaseModel], document: Document, location: tuple[str | int, ...]) -> Fault:
    """Show an unknown key only when it looks like a key: a secret may stand in its place."""
    leaf = str(location[-1])
    keys = sorted({key for owner in _models_at(model, location[:-1]) for key in _keys(owner)})
    near = get_close_matches(leaf, keys, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(keys)}" if keys else ""
    fault = fault_at(document, location, _SENTENCES["extra_forbidden"], hint)
    if near or is_plain_key(leaf):
        return fault
    _, around = document.place(location[:-1])
    return replace(fault, path=f"{around}.{HIDDEN}" if around else HIDDEN)


def _models_at(model: type[BaseModel], location: Sequence[str | int]) -> list[type[BaseModel]]:
    """Return the models that may stand at a location; parts that name alternatives are passed over."""
    current: list[Any] = [model]
    for part in location:
        deeper = [inner for owner in current for inner in _step(owner, part)]
        current = deeper or current
    return [owner for owner in current if isinstance(owner, type) and issubclass(owner, BaseModel)]


def _step(owner: Any, part: str | int) -> list[Any]:
    if not (isinstance(owner, type) and issubclass(owner, BaseModel)):
        return []
    for name, field in owner.model_fields.items():
        if part in (name, field.alias):
            return list(_classes(field.annotation))
    return []


def _classes(annotation: Any) -> Iterable[Any]:
    origin = get_origin(annotation)
    if origin is None:
        yield annotation
    elif origin is Annotated:
        yield from _classes(get_args(annotation)[0])
    elif origin in (Union, types.UnionType, tuple, list, dict):
        for argument in get_args(annotation):
            yield from _classes(argument)


def _keys(model: type[BaseModel]) -> Iterable[str]:
    return (field.alias or name for name, field in model.model_fields.items())
