"""What the types of a JSON Schema are called, and defaults as a file spells them: the words of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Node = Mapping[str, Any]

_REF: Final = "#/$defs/"
_NULL: Final = {"type": "null"}
_MAPPING: Final = "mapping"
_TYPES: Final = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": _MAPPING}


class Types:
    """The named types of a schema. `elsewhere` holds links, in which `{s}` is the plural's end, to what is not here."""

    def __init__(self, nodes: Mapping[str, Node], elsewhere: Mapping[str, str]) -> None:
        """Keep the schema's definitions by name."""
        self._nodes = nodes
        self._elsewhere = elsewhere

    def properties(self, name: str) -> Node:
        """Return the keys of a mapping; none where `name` is of no mapping, or of one described elsewhere."""
        found: Node = {} if name in self._elsewhere else _full(self._nodes[name]).get("properties", {})
        return found

    def extends(self, name: str, other: str) -> bool:
        """Tell whether a mapping has all keys of another, and more."""
        mine, theirs = self.properties(name), self.properties(other)
        return len(theirs) < len(mine) and all(mine.get(key) == node for key, node in theirs.items())

    def requires(self, name: str, key: str) -> bool:
        """Tell whether a mapping must have a key."""
        return key in _full(self._nodes[name]).get("required", ())

    def title(self, name: str) -> str:
        """Return what a mapping is called."""
        return str(_full(self._nodes[name])["title"])

    def about(self, name: str) -> str:
        """Return what a mapping says."""
        return _one_line(_full(self._nodes[name])["description"])

    def meaning(self, node: Node) -> str:
        """Return what a key means: what it says itself, else what its mapping says."""
        return _one_line(node["description"]) if "description" in node else self.about(_name(node))

    def link(self, name: str, plural: str = "") -> str:
        """Return a link to a mapping's section."""
        title = self.title(name)
        return f"[{title}{plural}](#{title.replace(' ', '-')})"

    def words(self, node: Node, plural: str = "") -> str:
        """Return a type in words; `plural` is what its noun ends in."""
        for keyword, write in _WRITERS.items():
            if keyword in node:
                return write(self, node, plural)
        return _TYPES.get(node.get("type", ""), "anything") + plural

    def _named(self, node: Node, plural: str) -> str:
        """Link to a mapping, after its short form where it has one, or write out what the name stands for."""
        name = _name(node)
        if name in self._elsewhere:
            return self._elsewhere[name].format(s=plural)
        found = self._nodes[name]
        if not _full(found):
            return self.words({key: value for key, value in found.items() if key != "title"}, plural)
        link = self.link(name, plural)
        return link if _full(found) is found else f"{self.words(found['anyOf'][0], plural)}, or {link}"

    def _either(self, node: Node, plural: str) -> str:
        """Write alternatives; one thing or a list of it is how most lists may be written."""
        options = [option for option in node["anyOf"] if option != _NULL]
        if len(options) == 2 and options[1].get("items") == options[0]:
            return f"{self.words(options[0])}, or a list"
        return ", or ".join(self.words(option, plural) for option in options)

    def _list(self, node: Node, _plural: str) -> str:
        return f"list of {self.words(node['items'], 's')}"

    def _map(self, node: Node, plural: str) -> str:
        values = node["additionalProperties"]
        if not isinstance(values, dict):
            return _MAPPING + plural
        return f"mapping of {self.words(node.get('propertyNames', {'type': 'string'}), 's')} to {self.words(values)}"

    def _title(self, node: Node, plural: str) -> str:
        return str(node["title"]) + plural

    def _constant(self, node: Node, _plural: str) -> str:
        return f"`{node['const']}`"

    def _choice(self, node: Node, _plural: str) -> str:
        *first, last = [f"`{value}`" for value in node["enum"]]
        return f"{', '.join(first)} or {last}"

    def _least(self, node: Node, plural: str) -> str:
        return f"{_TYPES[node['type']]}{plural}, at least {node['minimum']}"


_WRITERS: Final[Mapping[str, Callable[[Types, Node, str], str]]] = {
    "$ref": Types._named,  # noqa: SLF001 - the class's own table, which can only stand behind it
    "title": Types._title,  # noqa: SLF001 - as above
    "anyOf": Types._either,  # noqa: SLF001 - as above
    "items": Types._list,  # noqa: SLF001 - as above
    "const": Types._constant,  # noqa: SLF001 - as above
    "enum": Types._choice,  # noqa: SLF001 - as above
    "additionalProperties": Types._map,  # noqa: SLF001 - as above
    "minimum": Types._least,  # noqa: SLF001 - as above
}
"""What writes a type, by the keyword that tells its kind; the first that is there counts."""


def references(node: Node) -> Iterator[str]:
    """Give the names of all types that stand in a key's type."""
    if "$ref" in node:
        yield _name(node)
    for inner in (node.get("items"), *node.get("anyOf", ())):
        if inner is not None:
            yield from references(inner)


def is_several(node: Node) -> bool:
    """Tell whether a key may hold a list."""
    return any("items" in option for option in (node, *node.get("anyOf", ())))


def spelled(value: Any) -> str:
    """Return a default as it is written in a file; nothing where leaving a key out means nothing.

    A list of one is written without its brackets, as it may be in a file.
    """
    if isinstance(value, dict):
        inside = ", ".join(f"{key}: {inner}" for key, inner in value.items())
        return f"`{{{inside}}}`" if inside else ""
    if isinstance(value, list):
        return spelled(value[0]) if value else ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "" if value in (None, "") else f"`{value}`"


def _name(node: Node) -> str:
    return str(node["$ref"]).removeprefix(_REF)


def _full(node: Node) -> Node:
    """Return the full form of what may have a short one; nothing for what is no mapping."""
    return next((option for option in (node, *node.get("anyOf", ())) if "properties" in option), {})


def _one_line(text: str) -> str:
    return " ".join(text.split())
