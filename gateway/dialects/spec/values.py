"""Scalars of the dialect language: paths, patterns, codes, statuses; each is checked when it is read."""

from __future__ import annotations

from typing import Annotated, Any

import re2
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from gateway.catalog import CODES
from gateway.dialects.paths import PathError, find, plain_steps

_LOWEST_STATUS, _HIGHEST_STATUS = 100, 599


class Strict(BaseModel):
    """A frozen mapping in which every key is known; errors never show the input."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


def _path(text: str) -> str:
    try:
        find(text)
    except PathError as error:
        raise ValueError(str(error)) from error
    return text


def _plain_path(text: str) -> str:
    if plain_steps(text) is None:
        message = "this path must be plain (keys and indexes only), for the bytes it names are passed on unchanged"
        raise ValueError(message)
    return text


def _code(name: str) -> str:
    if name not in CODES:
        message = f'"{name}" is not a code of the catalogue (see `accord catalog` or docs/reference/codes.md)'
        raise ValueError(message)
    return name


def _pattern(text: str) -> str:
    try:
        re2.compile(text)
    except re2.error as error:
        message = f"not an RE2 pattern: {error.args[0] if error.args else error}"
        raise ValueError(message) from error
    return text


def statuses(value: Any) -> frozenset[int]:
    """Read statuses as they are written: `404`, `"4xx"`, `"500-504"`, or a list of such."""
    if isinstance(value, frozenset):
        return value
    parts = value if isinstance(value, list) else [value]
    return frozenset(status for part in parts for status in _status_range(part))


def _status_range(part: Any) -> range:
    """Read `404`, `"4xx"`, `"500-504"` or `"4xx-5xx"`."""
    text = str(part)
    first, dash, last = text.partition("-")
    low, high = _status_bound(first, "0"), _status_bound(last if dash else first, "9")
    if isinstance(part, bool) or low is None or high is None or low > high:
        message = f'"{text[:20]}" is not a status, a class such as 4xx, or a range such as 500-504'
        raise ValueError(message)
    return range(low, high + 1)


def _status_bound(text: str, digit: str) -> int | None:
    text = text.strip().lower()
    if len(text) != 3 or not text.replace("x", digit).isdigit():
        return None
    number = int(text.replace("x", digit))
    return number if _LOWEST_STATUS <= number <= _HIGHEST_STATUS else None


def listed(value: Any) -> Any:
    """One value stands for a list of one."""
    return value if isinstance(value, list) else [value]


Path = Annotated[str, AfterValidator(_path)]
PlainPath = Annotated[str, AfterValidator(_path), AfterValidator(_plain_path)]
CodeName = Annotated[str, AfterValidator(_code)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Statuses = Annotated[
    frozenset[int],
    BeforeValidator(statuses),
    WithJsonSchema(
        {
            "description": "A status (404), a class (4xx), a range (500-504, 4xx-5xx), or a list of them.",
            "anyOf": [
                {"type": "integer"},
                {"type": "string"},
                {"type": "array", "items": {"type": ["integer", "string"]}},
            ],
        }
    ),
]
Scalar = str | int | float | bool | None


def one_or_list(item: dict[str, Any]) -> WithJsonSchema:
    """Return the schema of one value or a list of them."""
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item}]})


Texts = Annotated[tuple[str, ...], BeforeValidator(listed), one_or_list({"type": "string"})]
Paths = Annotated[tuple[Path, ...], BeforeValidator(listed), one_or_list({"type": "string"})]
Scalars = Annotated[tuple[Scalar, ...], BeforeValidator(listed)]
