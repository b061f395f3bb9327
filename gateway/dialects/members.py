"""Which members of a large body are looked at: those that the rules name.

Only they become values. The rest is passed over where it stands, so that a body of a million members costs no more than
its bytes.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Raw, UnsetType
from pydantic import BaseModel

from gateway.dialects.paths import plain_steps
from gateway.dialects.spec.values import is_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNDECLARABLE = re.compile(r'[\\"\x00-\x1f\ud800-\udfff]')


class Members:
    """Reads some members of an object, as the bytes in which they stand."""

    __slots__ = ("_decoder", "_names")

    def __init__(self, names: Iterable[str]) -> None:
        """Know the names; those that JSON would have to escape are never found."""
        self._names = {f"m{index}": name for index, name in enumerate(sorted(filter(is_declarable, names)))}
        self._decoder: msgspec.json.Decoder[Any] | None = None

    def of(self, data: bytes) -> dict[str, bytes]:
        """Return the members that are there.

        Raises:
            msgspec.DecodeError: `data` is not JSON, or no object.
        """
        if self._decoder is None:  # made for the first large body: it takes milliseconds
            fields = [(field, Raw | UnsetType, UNSET) for field in self._names]
            self._decoder = msgspec.json.Decoder(msgspec.defstruct("Members", fields, rename=self._names))
        found: Any = self._decoder.decode(data)
        pairs = ((name, getattr(found, field)) for field, name in self._names.items())
        return {name: bytes(raw) for name, raw in pairs if raw is not UNSET}


def is_declarable(name: str) -> bool:
    """Say whether a member can be named to the decoder: nothing in it is escaped in JSON."""
    return _UNDECLARABLE.search(name) is None


@lru_cache(maxsize=256)
def member(name: str) -> Members:
    """Return the reader of one member."""
    return Members([name])


def names_in(model: BaseModel) -> Iterator[str]:
    """Give every name that the paths in a specification step through."""
    for path in _paths_in(model):
        steps = plain_steps(path)
        if steps is None:
            yield from _IDENTIFIER.findall(path)
        else:
            yield from (step for step in steps if isinstance(step, str))


def _paths_in(model: BaseModel) -> Iterator[str]:
    for name, named in _path_keys(type(model)).items():
        yield from _paths_of(getattr(model, name), named=named)


@cache
def _path_keys(model: type[BaseModel]) -> dict[str, bool]:
    """Return the keys of a model, and whether they hold paths."""
    return {name: is_path(field) for name, field in model.model_fields.items()}


def _paths_of(value: Any, *, named: bool) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from _paths_in(value)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _paths_of(inner, named=named)
    elif isinstance(value, dict) and named:
        yield from value
    elif isinstance(value, str) and named:
        yield value
