"""Scalars of the dialect language: paths, patterns, codes, statuses; each is checked when it is read."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import re2
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import core_schema

from gateway.catalog import CODES
from gateway.dialects.paths import PathError, find, plain_steps

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.fields import FieldInfo
    from pydantic_core import CoreSchema

_DECLARABLE = re.compile(r'[^\\"\x00-\x1f]+')
_LOWEST_STATUS, _HIGHEST_STATUS = 100, 599
_SILENT = re2.Options()
_SILENT.log_errors = False  # else the library writes to standard error what the fault says already


ShortForm = dict[str, Any] | str | None


class Strict(BaseModel):
    """A frozen mapping in which every key is known; errors never show the input."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    short_form: ClassVar[ShortForm] = None
    """The JSON Schema of a shorter way to write this that a validator takes, or the key whose value may stand alone."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of the mapping, or of its short form too."""
        schema = handler(core)
        short = cls.short_form
        if short is not None:
            full = handler.resolve_ref_schema(schema)
            both = {"anyOf": [full["properties"][short] if isinstance(short, str) else short, dict(full)]}
            full.clear()
            full.update(both)
        return schema


class OneOrList:
    """Mark of a tuple that may be written without brackets when it holds one thing."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take one value for a list of it."""
        return core_schema.no_info_before_validator_function(listed, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of one or a list."""
        several = handler(core)
        return {"anyOf": [several["items"], several]}


def _path(text: str) -> str:
    try:
        find(text)
    except PathError as error:
        raise ValueError(str(error)) from error
    return text


def _plain_path(text: str) -> str:
    steps = plain_steps(text)
    if steps is None or any(isinstance(step, str) and not _DECLARABLE.fullmatch(step) for step in steps):
        message = "this path must be plain (keys and indexes only), for the bytes it names are passed on unchanged"
        raise ValueError(message)
    return text


def _code(name: str) -> str:
    if name not in CODES:
        near = get_close_matches(name, CODES, n=1)
        hint = f"did you mean {near[0]}?" if near else "docs/reference/codes.md lists them"
        message = f'"{name[:40]}" is not a code of the catalogue ({hint})'
        raise ValueError(message)
    return name


def _pattern(text: str) -> str:
    try:
        re2.compile(text, _SILENT)
    except re2.error as error:
        message = f"not an RE2 pattern: {bytes(error.args[0]).decode('utf-8', 'replace')}"
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
    if len(text) != 3 or not text.isascii() or not text.replace("x", digit).isdigit():
        return None
    number = int(text.replace("x", digit))
    return number if _LOWEST_STATUS <= number <= _HIGHEST_STATUS else None


def _spelled_statuses(found: frozenset[int]) -> Any:
    """Write statuses as a file does: whole classes as `4xx`, neighbours as a range, one thing without a list."""
    ends = sorted(status for status in found if status - 1 not in found or status + 1 not in found)
    firsts = [status for status in ends if status - 1 not in found]
    lasts = [status for status in ends if status + 1 not in found]
    ranges = [_spelled_range(first, last) for first, last in zip(firsts, lasts, strict=True)]
    return ranges[0] if len(ranges) == 1 else ranges


def _spelled_range(first: int, last: int) -> int | str:
    if first % 100 == 0 and last % 100 == 99:
        low, high = f"{first // 100}xx", f"{last // 100}xx"
    else:
        low, high = str(first), str(last)
    if low != high:
        return f"{low}-{high}"
    return first if first == last else low


def listed(value: Any) -> Any:
    """One value stands for a list of one."""
    return value if isinstance(value, list) else [value]


Path = Annotated[str, AfterValidator(_path), Field(title="path")]
PlainPath = Annotated[str, AfterValidator(_path), AfterValidator(_plain_path), Field(title="plain path")]
CodeName = Annotated[str, AfterValidator(_code), Field(title="code")]
Pattern = Annotated[str, AfterValidator(_pattern), Field(title="RE2 pattern")]
Statuses = Annotated[
    frozenset[int],
    BeforeValidator(statuses),
    PlainSerializer(_spelled_statuses),
    WithJsonSchema(
        {
            "title": "statuses",
            "description": "A status (404), a class (4xx), a range (500-504, 4xx-5xx), or a list of them.",
            "anyOf": [
                {"type": "integer"},
                {"type": "string"},
                {"type": "array", "items": {"type": ["integer", "string"]}},
            ],
        }
    ),
]
Scalar = Annotated[str | int | float | bool | None, Field(title="plain value")]


def is_path(field: FieldInfo) -> bool:
    """Say whether a key of a model holds paths: one, a list of them, or a mapping from them."""
    return AfterValidator(_path) in field.metadata or "_path" in repr(field.annotation)


Texts = Annotated[tuple[str, ...], OneOrList()]
Paths = Annotated[tuple[Path, ...], OneOrList()]
Scalars = Annotated[tuple[Scalar, ...], OneOrList()]
