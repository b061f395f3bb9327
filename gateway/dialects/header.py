"""Which fields of a reply are read; the others are passed over without being looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from gateway.dialects.spec import HeaderTest, Pick, RateWindow, TimeHeader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.model import Headers

    Fields = Mapping[bytes | None, bytes]

LONGEST_VALUE = 8_192
_NAMES_REMEMBERED = 128
_LONGEST_REMEMBERED = 64
"""Longer names are not remembered, so that nobody fills the memory with them."""


class FieldNames(dict[bytes, bytes | None]):
    """A name as it is spelled -> in lower case, or None for one that nobody reads.

    Remembered while there is room, because the same few names come with every reply.
    """

    def __init__(self, wanted: Iterable[str]) -> None:
        """Know the names that are wanted, in whatever case."""
        super().__init__()
        self._wanted = frozenset(name.lower().encode() for name in wanted)

    def __missing__(self, name: bytes) -> bytes | None:
        lower = name.lower()
        key = lower if lower in self._wanted else None
        if len(name) <= _LONGEST_REMEMBERED and len(self) < _NAMES_REMEMBERED:
            self[name] = key
        return key

    def of(self, headers: Headers) -> Fields:
        """Return the first value of each wanted field by its name in lower case; None stands for any of the others."""
        return {self[name]: value for name, value in reversed(headers)}


def text_of(fields: Fields, name: bytes) -> str | None:
    """Return a field's value as text, at most 8 KiB of it; what is not UTF-8 in it is replaced."""
    value = fields.get(name)
    return value[:LONGEST_VALUE].decode("utf-8", "replace") if value is not None else None


def fields_in(model: BaseModel) -> Iterator[str]:
    """Give every name of a header field that a specification reads."""
    match model:
        case HeaderTest():
            for names in (model.has, model.lacks, model.equals, model.contains, model.matches):
                yield from names
        case Pick(header=str() as name) | TimeHeader(header=name):
            yield name
        case RateWindow():
            yield from filter(None, (model.limit, model.remaining, model.used, model.pair))
    for name in type(model).model_fields:
        yield from _fields_of(getattr(model, name))


def _fields_of(value: Any) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from fields_in(value)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _fields_of(inner)
