"""The chart's schema and its table of values, from the models: `python -m helm.schema helm/accord` writes both.

The schema is one of draft 7, which every Helm 3 and 4 takes. It holds the configuration's own schemas, so that Helm
refuses what Accord would; what no schema can say is left to the chart's templates and to Accord.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.config.schema import described
from helm.values import Values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Node = dict[str, Any]

BEGIN: Final = "<!-- values: made by `make pages` -->\n"
END: Final = "<!-- end of values -->\n"
_REF, _DRAFT_7_REF = "#/$defs/", "#/definitions/"
_NULL: Final = {"type": "null"}
_CONFIGURATION: Final = ("GatewayFile", "UpstreamFile")
"""Mappings that the configuration reference describes key by key."""


def content() -> Node:
    """Return the schema of the chart's values as a value."""
    found = described(Values)
    definitions = found.pop("$defs")
    del definitions["GatewayFile"]["properties"]["upstreams"]  # where upstream files are is the chart's to say
    found["properties"]["upstreams"] = _told_apart(found["properties"]["upstreams"])
    for node in _own(found, definitions):
        node["required"] = sorted({*node.get("required", ()), *_needed(node)})
    whole = {"$schema": "http://json-schema.org/draft-07/schema#", **found, "definitions": definitions}
    converted: Node = _draft_7(whole)
    return converted


def schema() -> str:
    """Return the text of `values.schema.json`."""
    return json.dumps(content(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def table() -> str:
    """Return a row of Markdown for each value."""
    rows = "".join(f"| `{path}` | {kind} | {default} | {meaning} |\n" for path, kind, default, meaning in _rows())
    return "| value | type | default | meaning |\n|---|---|---|---|\n" + rows


def with_table(page: str) -> str:
    """Return a page with the table of values that it shall have, between its two marks."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


def _told_apart(upstreams: Node) -> Node:
    """Let a fault in a file be told as such, and not as one of three things that the file is not."""
    (pattern, either), *_ = upstreams["patternProperties"].items()
    mapping, *others = either["anyOf"]
    chosen = {"if": {"type": "object"}, "then": mapping, "else": {"type": [other["type"] for other in others]}}
    return upstreams | {"patternProperties": {pattern: chosen}}


def _own(node: Node, definitions: Mapping[str, Node]) -> Iterator[Node]:
    """Yield the chart's own models: the values, and what they refer to, but for the configuration."""
    yield node
    for inner in node["properties"].values():
        name = inner.get("$ref", "").removeprefix(_REF)
        if name and name not in _CONFIGURATION:
            yield from _own(definitions[name], definitions)


def _needed(node: Node) -> Iterator[str]:
    """Yield the keys that templates rely on.

    Each has a default, and is missing where somebody writes null (a key with all below it commented out), or where
    `helm upgrade --reuse-values` brings the values of an older chart. No list and no free mapping is among them: there
    null is as good as empty.
    """
    for key, inner in node["properties"].items():
        default = inner.get("default")
        said = default is not None and default is not False and default != ""
        if "$ref" in inner or (said and not isinstance(default, (list, dict)) and _NULL not in inner.get("anyOf", ())):
            yield key


def _draft_7(node: Any) -> Any:
    """Return a schema in the words of draft 7; a mapping whose keys have a pattern has no others."""
    if isinstance(node, list):
        return [_draft_7(one) for one in node]
    if not isinstance(node, dict):
        return node.replace(_REF, _DRAFT_7_REF) if isinstance(node, str) and node.startswith(_REF) else node
    closed = {"additionalProperties": False} if isinstance(node.get("patternProperties"), dict) else {}
    return closed | {key: _draft_7(value) for key, value in node.items()}


def _rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield path, type, default and meaning of each value, in the order of the models."""
    found = described(Values)
    values = Values().model_dump(mode="json", by_alias=True)
    for key, node in found["properties"].items():
        yield from _below(key, node, values[key], found["$defs"])


def _below(path: str, node: Node, value: Any, definitions: Mapping[str, Node]) -> Iterator[tuple[str, str, str, str]]:
    name = node.get("$ref", "").removeprefix(_REF)
    inner = definitions.get(name, {}).get("properties")
    if inner is None or name in _CONFIGURATION:
        shown = node.get("default", value)
        yield path, _kind(node), f"`{json.dumps(shown)}`" if shown not in (None, "") else "", _meaning(node)
        return
    for key, one in inner.items():
        yield from _below(f"{path}.{key}", one, value[key], definitions)


def _meaning(node: Node) -> str:
    return " ".join(node["description"].split()).replace("|", "\\|")


def _kind(node: Node) -> str:
    """Return a type in words."""
    for keyword, words in _WORDS.items():
        if keyword in node:
            return words(node[keyword])
    return _TYPES[node["type"]]


def _either(nodes: list[Node]) -> str:
    return " or ".join(dict.fromkeys(_kind(node) for node in nodes if node != _NULL))


_TYPES: Final = {
    "string": "text",
    "integer": "whole number",
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
}
_WORDS: Final[Mapping[str, Callable[[Any], str]]] = {
    "$ref": lambda _ref: "mapping",
    "anyOf": _either,
    "enum": lambda choices: ", ".join(f"`{choice}`" for choice in choices),
}


def main() -> None:
    """Write both files into the folder that is named."""
    folder = Path(sys.argv[1])
    page = folder / "README.md"
    page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "values.schema.json").write_text(schema(), encoding="utf-8")


if __name__ == "__main__":
    main()
