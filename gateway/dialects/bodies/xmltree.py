"""XML to a tree like that of JSON: `{"Root": {"Child": "text", "@attribute": "value"}}`, in local names.

Invariants: nothing is ever expanded, declared or fetched, for a document with a document type declaration is not
parsed at all; bytes, depth, elements, attributes and texts are bounded; what is malformed is read as far as it goes.
The parser is expat, because it forgets a document's names with the document
(docs/explanation/decisions/0015-foreign-bodies.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from gateway.dialects.bodies.body import OPAQUE, READ_LIMIT, SPACE, Body
from gateway.dialects.spec import BodyKind

if TYPE_CHECKING:
    from collections.abc import Mapping

DEEPEST = 64
"""Elements within each other."""
MOST_ELEMENTS = 4_096
MOST_ATTRIBUTES = 64
"""Attributes of one element; a fuller one ends the reading."""
LONGEST_TEXT = 16_384
"""Characters of one text or attribute; the rest is dropped."""

_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_COMPLETE = expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]


def root_of(data: bytes) -> bytes:
    """Return the beginning of what stands behind declaration, instructions and comments: `<Root`, `<!DOCTYPE`."""
    data = data[:READ_LIMIT]
    at = 0
    while True:
        rest = data[at : at + 64]
        skipped = rest.lstrip(SPACE)
        at += len(rest) - len(skipped)
        opening = next((opening for opening in _SKIPPED if skipped.startswith(opening)), None)
        if opening is not None:
            end = data.find(_SKIPPED[opening], at)
            if end < 0:
                return b""
            at = end + len(_SKIPPED[opening])
        elif skipped or not rest:
            return data[at : at + 64]


_SKIPPED = {b"<?": b"?>", b"<!--": b"-->"}


def read(data: bytes) -> Body:
    """Read a document in UTF-8; opaque where it has no element, or declares a document type."""
    if root_of(data).startswith(b"<!"):
        return OPAQUE
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    truncated = len(data) > READ_LIMIT
    try:
        parser.Parse(data[:READ_LIMIT].decode("utf-8", "replace"), True)  # noqa: FBT003 - it takes no names
    except expat.ExpatError as error:
        truncated = truncated or error.code != _COMPLETE
    except _FullError:
        truncated = True
    tree = builder.finish()
    return Body(kind=BodyKind.XML, tree=tree, truncated=truncated) if tree else OPAQUE


class _FullError(Exception):
    """A bound is reached; what was read until then counts."""


class _Element:
    __slots__ = ("members", "name", "room", "texts")

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: dict[str, Any] = {}
        self.texts: list[str] = []
        self.room = LONGEST_TEXT

    def value(self) -> Any:
        """Return the text of an element that has nothing else, else its members with the text beside them."""
        text = "".join(self.texts).strip()
        if not self.members:
            return text
        if text:
            self.members["#text"] = text
        return self.members

    def add(self, name: str, value: Any) -> None:
        """Take in a child; those of one name become a list."""
        there = self.members.get(name)
        if there is None:
            self.members[name] = value
        elif type(there) is list:
            there.append(value)
        else:
            self.members[name] = [there, value]


class _Builder:
    """Takes the parser's events; the outermost element is a child of the document."""

    __slots__ = ("_elements", "_open", "_silent")

    def __init__(self) -> None:
        self._open = [_Element("")]
        self._elements = 0
        self._silent = {"xmlns", "xsi", "xml"}  # prefixes of attributes that speak of the document, not of the error

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS or len(self._open) > DEEPEST or len(attributes) > MOST_ATTRIBUTES:
            raise _FullError
        element = _Element(_local(name))
        if attributes:
            self._attributes(element.members, attributes)
        self._open.append(element)

    def _attributes(self, members: dict[str, Any], attributes: Mapping[str, str]) -> None:
        for name, value in attributes.items():
            if value == _INSTANCE:
                self._silent.add(_local(name))
        for name, value in attributes.items():
            prefix, colon, local = name.partition(":")
            if name != "xmlns" and not (colon and prefix in self._silent):
                members["@" + (local or name)] = value[:LONGEST_TEXT]

    def end(self, _name: str) -> None:
        element = self._open.pop()
        self._open[-1].add(element.name, element.value())

    def text(self, text: str) -> None:
        element = self._open[-1]
        if element.room > 0:
            element.texts.append(text[: element.room])
            element.room -= len(text)

    def finish(self) -> dict[str, Any]:
        """Close what is still open, and return the document."""
        while len(self._open) > 1:
            self.end("")
        return self._open[0].members


def _local(name: str) -> str:
    return name.rpartition(":")[2] or name
