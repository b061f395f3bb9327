"""YAML with places: a file's text to plain values, with the line and column of each.

Stricter than YAML 1.1, so that a file means what it looks like: duplicate keys, anchors, aliases, merge keys and tags
are faults, keys are text, and only `true`, `false`, `null`, numbers in plain notation and texts exist (`yes`, `on`,
`0123`, `1_000` and dates are texts).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from gateway.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    Place = tuple[int, int]
    Location = tuple[str | int, ...]

HIDDEN = "…"
"""What stands in a path for a key that is not shown."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT_STYLES = ("'", '"', "|", ">")  # quoted or a block: a text, whatever it looks like
_DEEPEST = 64
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+([eE][-+]?[0-9]{1,3})?")
_SHOWN = re.compile(r"[A-Za-z0-9_-]{1,32}")
_KEY = re.compile(r"[a-z][a-z_]{0,19}")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


class Document:
    """A file's values with the place of each, and the faults found while reading it."""

    __slots__ = ("_places", "faults", "file", "text", "value")

    def __init__(self, text: str, file: str) -> None:
        """Read `text`; `file` is the name that faults are told under. A text that is not YAML has the value None."""
        self.file = file
        self.text = text
        self.faults: list[Fault] = []
        self._places: dict[Location, Place] = {}
        self.value: Any = None
        try:
            if self._is_plain(text):
                node = yaml.compose(text, Loader=_Loader)
                self.value = self._build(node, ()) if node is not None else {}
        except yaml.MarkedYAMLError as error:
            place = _place_of(error.problem_mark or error.context_mark)
            lines = text.splitlines() or [""]
            if place[0] > len(lines):  # what is missing at the end is missed in the line after it
                place = (len(lines), len(lines[-1]) + 1)
            self._fault(place, (), f"not YAML: {error.problem or error.context}")
        except (yaml.YAMLError, ValueError) as error:
            self._fault((0, 0), (), f"not YAML: {str(error).splitlines()[0]}")

    def place(self, location: Sequence[str | int]) -> tuple[Place, str]:
        """Return the place nearest to `location` and the path to it as people write it.

        Parts of `location` that are not in the file (names of alternatives, a list of one that was written without its
        brackets) are passed over.
        """
        at: Location = ()
        for part in location:
            if (*at, part) in self._places:
                at = (*at, part)
        return self._places.get(at, (0, 0)), path_text(at)

    def beside(self, name: str) -> Path:
        """Return the path of a file that this one names: from this one's folder, unless it begins at the root."""
        return Path(self.file).parent / name

    def _fault(self, place: Place, at: Location, message: str, hint: str = "") -> None:
        line, column = place
        shown = [part if isinstance(part, int) or is_plain_key(part) else HIDDEN for part in at]
        self.faults.append(
            Fault(file=self.file, line=line, column=column, path=path_text(shown), message=message, hint=hint)
        )

    def _is_plain(self, text: str) -> bool:
        """Find what makes a file mean something else than it shows, or that must not be built at all.

        An alias can multiply a text, and the YAML library crashes on a deep one.
        """
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                self._fault(_place_of(event.start_mark), (), "nested too deep")
                break
            if isinstance(event, yaml.AliasEvent):
                self._fault(_place_of(event.start_mark), (), "aliases are not allowed", "write the value out")
            elif getattr(event, "anchor", None) is not None:
                self._fault(_place_of(event.start_mark), (), "anchors are not allowed", "leave the anchor out")
            if getattr(event, "tag", None) is not None:
                self._fault(_place_of(event.start_mark), (), "tags are not allowed", "leave the tag out")
        return not self.faults

    def _build(self, node: yaml.Node, at: Location) -> Any:
        place = _place_of(node.start_mark)
        self._places.setdefault(at, place)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self._build(item, (*at, index)) for index, item in enumerate(node.value)]
        return _scalar(node)  # type: ignore[arg-type]  # the third and last kind of node

    def _mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, Any]:
        found: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            place = _place_of(key_node.start_mark)
            key = key_node.value
            if not isinstance(key, str) or key == "<<":
                self._fault(place, at, "a key must be a plain text")
            elif key in found:
                self._fault(place, (*at, key), "this key is given twice", f"it stands first in line {first[key]}")
            else:
                first[key] = place[0]
                self._places[(*at, key)] = place
                found[key] = self._build(value_node, (*at, key))
        return found


def path_text(at: Sequence[str | int]) -> str:
    """Write a path as `limits[0].burst`; a key that no key of a file looks like may be a secret, and is not shown."""
    text = ""
    for part in at:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            shown = part if _SHOWN.fullmatch(part) else HIDDEN
            text += f".{shown}" if text else shown
    return text


def is_plain_key(key: str) -> bool:
    """Say whether a key that nobody knows looks like one of the language all the same, and not like a secret."""
    return _KEY.fullmatch(key) is not None


def _place_of(mark: Any) -> Place:
    return (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style in _TEXT_STYLES:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
