"""The shape of a body: which members it has and of which types, and never what they say.

Bounded whatever the body: levels, members of an object, items of a list, and values in all; beyond the bounds a shape
says `more`. The items of a list share one shape, which is the union of theirs. Names that look like data (an id, an
address, a date, whatever is not plain ASCII) and names of one level that are a map's keys (fields of the client, say)
are all told as `*`: replies that differ in their data alone have one shape.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from gateway.pipeline.markers import WILDCARD, marker

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS: Final = 8
MEMBERS: Final = 64
ITEMS: Final = 16
VALUES: Final = 512
"""How much of a body is looked at: security limits on time."""

MOST_SIBLINGS: Final = 3
"""So many lists or objects of one shape may stand beside each other under names of their own."""
MOST_SCALARS: Final = 24
"""So many texts, numbers or flags."""

MORE: Final = "more"
_OBJECT, _LIST, _TEXT, _NUMBER, _FLAG, _NULL = "object", "list", "text", "number", "flag", "null"
_ORDER: Final = (_OBJECT, _LIST, _TEXT, _NUMBER, _FLAG, _NULL, MORE)
_KINDS: Final = {dict: _OBJECT, list: _LIST, str: _TEXT, int: _NUMBER, float: _NUMBER, bool: _FLAG, type(None): _NULL}
_FINGERPRINT_BYTES: Final = 8

_LONGEST_NAME: Final = 40
_MOST_DIGITS: Final = 2
_MOST_SPACES: Final = 1
_LONGEST_MADE: Final = 12
_of_a_key = re.compile(r"[A-Z][0-9]", re.ASCII).search
_is_plain = re.compile(r"[@#$_]?[A-Za-z][A-Za-z0-9]*(?:[ _.:/-]{1,2}[A-Za-z0-9]+)*_?(?:\[\])?", re.ASCII).fullmatch


class Shape:
    """What stands at one place: of which kinds, and what is below.

    `written` is the shape as a text, the same for the same shape whatever the order of members. `text` and `flag` are
    of the first value there, for `sample` alone.
    """

    __slots__ = ("flag", "items", "kinds", "members", "text", "written")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.kinds: set[str] = set()
        self.members: dict[str, Shape] = {}
        self.items: Shape | None = None
        self.written = ""
        self.text: str | None = None
        self.flag = False

    def merge(self, other: Shape) -> None:
        """Take in what stands at another place."""
        self.kinds |= other.kinds
        for name, inner in other.members.items():
            self.member(name).merge(inner)
        if other.items is not None:
            self.item().merge(other.items)
        self.text = self.text or other.text

    def member(self, name: str) -> Shape:
        """Return the shape of a member, from nothing on."""
        found = self.members.get(name)
        if found is None:
            found = self.members[name] = Shape()
        return found

    def item(self) -> Shape:
        """Return the shape of the items, from nothing on."""
        if self.items is None:
            self.items = Shape()
        return self.items


def shape_of(tree: Any) -> Shape:  # noqa: ANN401 - a body as JSON has it
    """Return the shape of a body."""
    shape = Shape()
    _Walk().add(shape, tree, LEVELS)
    _fold(shape)
    return shape


def fingerprint(kind: str, shape: Shape) -> str:
    """Return a short name for a shape, the same on every machine; `kind` is the body's."""
    return blake2b(f"{kind} {shape.written}".encode(), digest_size=_FINGERPRINT_BYTES).hexdigest()


def sample(shape: Shape, words: frozenset[str], levels: int = LEVELS) -> Any:  # noqa: ANN401 - JSON
    """Return a body of this shape without what it said: markers for texts (but `words`), 0 for numbers."""
    kind = next((kind for kind in _ORDER if kind in shape.kinds), _NULL)
    return _one_sample(shape, kind, words, levels)


def name_of(name: str) -> str:
    """Return a member's name, or the wildcard for one that looks like data."""
    if len(name) > _LONGEST_NAME or _is_plain(name) is None or name.count(" ") > _MOST_SPACES:
        return WILDCARD
    digits = sum(map(str.isdigit, name))
    made = digits > _MOST_DIGITS or (digits > 0 and len(name) > _LONGEST_MADE and _of_a_key(name) is not None)
    return WILDCARD if made else name


class _Walk:
    """One look through a body, with what is left of its bound."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = VALUES

    def add(self, shape: Shape, value: Any, levels: int) -> None:  # noqa: ANN401 - as JSON has it
        """Take a value in at a place."""
        self._left -= 1
        kind = _KINDS.get(type(value), MORE)
        if self._left < 0 or (levels == 0 and kind in (_OBJECT, _LIST)):
            shape.kinds.add(MORE)
            return
        shape.kinds.add(kind)
        if kind == _OBJECT:
            self._members(shape, value, levels - 1)
        elif kind == _LIST:
            item = shape.item()
            for one in islice(value, ITEMS):
                self.add(item, one, levels - 1)
        elif kind == _TEXT:
            shape.text = shape.text or value
        elif kind == _FLAG:
            shape.flag = value

    def _members(self, shape: Shape, value: dict[str, Any], levels: int) -> None:
        for name, inner in islice(value.items(), MEMBERS):
            self.add(shape.member(name_of(name)), inner, levels)


def _fold(shape: Shape) -> None:
    """Tell the keys of maps as `*`, from the innermost outwards, and write what is left."""
    if shape.members:
        alike: dict[str, list[str]] = {}
        for name, inner in shape.members.items():
            _fold(inner)
            alike.setdefault(inner.written, []).append(name)
        for text, siblings in alike.items():
            _fold_alike(shape, text, siblings)
    if shape.items is not None:
        _fold(shape.items)
    shape.written = "|".join([_written(shape, kind) for kind in _ORDER if kind in shape.kinds])


def _fold_alike(shape: Shape, text: str, siblings: list[str]) -> None:
    """Fold members of one shape where they are too many, or nearly always keys of a map."""
    if text == _TEXTS:
        _wild(shape, [name for name in siblings if name.lower() not in _SAYING])
    elif len(siblings) > (MOST_SCALARS if text in _SCALARS else MOST_SIBLINGS):
        _wild(shape, siblings)


_TEXTS: Final = f"[{_TEXT}]"
_SAYING: Final = frozenset(
    {
        *("error", "errors", "_errors", "error_message", "error_messages", "errormessage", "errormessages"),
        *("message", "messages", "detail", "details", "description", "title", "reason", "reasons"),
        *("violations", "warnings", "non_field_errors", "globalerrors", "global_errors"),
        *("loc", "path", "fields", "params", "args", "arguments", "codes"),
    }
)
"""A list of texts is nearly always what is wrong with a field, whose name is the client's; but for these names."""


_SCALARS: Final = frozenset((_TEXT, _NUMBER, _FLAG, _NULL))


def _wild(shape: Shape, siblings: list[str]) -> None:
    """Tell members as one, which is folded anew: what is in a map may be a map."""
    for name in siblings:
        if name != WILDCARD:
            inner = shape.members.pop(name)
            shape.member(WILDCARD).merge(inner)
    if siblings:
        _fold(shape.member(WILDCARD))


def _written(shape: Shape, kind: str) -> str:
    if kind == _OBJECT:
        return "{" + ",".join([f"{name}:{shape.members[name].written}" for name in sorted(shape.members)]) + "}"
    if kind == _LIST:
        return f"[{'' if shape.items is None else shape.items.written}]"
    return kind


def _one_sample(shape: Shape, kind: str, words: frozenset[str], levels: int) -> Any:  # noqa: ANN401 - JSON
    return _SAMPLES[kind](shape, words, levels - 1) if levels > 0 else _CUT


def _object_sample(shape: Shape, words: frozenset[str], levels: int) -> Any:  # noqa: ANN401 - JSON
    return {name: sample(inner, words, levels) for name, inner in shape.members.items()}


def _list_sample(shape: Shape, words: frozenset[str], levels: int) -> Any:  # noqa: ANN401 - JSON
    """Return one item of each kind that is among the items."""
    items = shape.items or Shape()
    return [_one_sample(items, kind, words, levels) for kind in _ORDER if kind in items.kinds]


_CUT: Final = "<more>"
_SAMPLES: Final[dict[str, Callable[[Shape, frozenset[str], int], Any]]] = {
    _OBJECT: _object_sample,
    _LIST: _list_sample,
    _TEXT: lambda shape, words, _: marker(shape.text or "", words),
    _NUMBER: lambda *_: 0,
    _FLAG: lambda shape, *_: shape.flag,
    _NULL: lambda *_: None,
    MORE: lambda *_: _CUT,
}
