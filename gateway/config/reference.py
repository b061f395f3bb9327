"""The reference of every key, made from the JSON Schemas, which are made from the models.

`python -m gateway.config.reference configuration > docs/reference/configuration.md`, and the same for `dialects`. What
a person has to say stands in `templates/`; what the models know (path, type, default, meaning) is put in by `keys`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import jinja2

from gateway.config.schema import SCHEMAS, content
from gateway.config.words import Types, is_several, references, spelled
from gateway.dialects.fields import MOST_ERRORS
from gateway.dialects.text import LONGEST_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACES_SHOWN: Final = 4


class _Page(NamedTuple):
    """What a page documents: the mappings that files begin with; `elsewhere` links to what another page has."""

    roots: tuple[str, ...]
    elsewhere: Mapping[str, str]


PAGES: Final[Mapping[str, _Page]] = {
    "configuration": _Page(
        roots=("GatewayFile", "UpstreamFile"),
        elsewhere={"DialectSpec": "[dialect](dialects.md#every-key)", "Example": "[example{s}](dialects.md#example)"},
    ),
    "dialects": _Page(roots=("DialectSpec",), elsewhere={"FieldCode": "[field code](codes.md#field-codes)"}),
}

_FACTS: Final = {
    "longest_text": f"{LONGEST_TEXT:,}",
    "most_errors": MOST_ERRORS,
}
"""What the templates say of the code, so that they cannot say otherwise."""


def page(name: str) -> str:
    """Return the text of a page. Raises KeyError for one that does not exist."""
    environment = jinja2.Environment(  # noqa: S701 - it makes Markdown, of nothing but our own
        loader=jinja2.PackageLoader("gateway.config"), keep_trailing_newline=True, undefined=jinja2.StrictUndefined
    )
    template = environment.get_template(f"{name}.md.j2")
    return template.render(keys=_Reference(PAGES[name]).keys, **_FACTS)


class _Reference:
    """All mappings under some roots, each with the keys at which it stands: the mapping that has the key, and the key.

    The path of a mapping is known where it stands at one place only, and so does whatever it stands in.
    """

    def __init__(self, described: _Page) -> None:
        nodes: dict[str, Any] = {}
        for file, model in SCHEMAS.items():
            schema = content(file)
            nodes |= {model.__name__: schema, **schema["$defs"]}
        self._types = Types(nodes, described.elsewhere)
        self._places: dict[str, list[tuple[str, str]]] = {}
        self._under: dict[str, list[str]] = {}
        for root in described.roots:
            met = set(self._places)
            self._places[root] = []
            self._walk(root)
            self._under[root] = [name for name in self._places if name not in met]

    def keys(self, root: str) -> str:
        """Return the table of a root, and a section for each mapping that is met first under it."""
        first, *others = self._under[root]
        return "\n".join([self._table(first), *(self._section(name) for name in others)])

    def _walk(self, name: str) -> None:
        """Note what stands in a mapping, and in what stands there."""
        for key, node in self._types.properties(name).items():
            place = (name, key + ("[]" if is_several(node) else ""))
            for inner in dict.fromkeys(references(node)):
                if inner != name and self._types.properties(inner):
                    met = inner in self._places
                    self._places.setdefault(inner, []).append(place)
                    if not met:
                        self._walk(inner)

    def _path(self, name: str) -> str | None:
        """Return the one path of a mapping, empty for a root; None where it stands at several places."""
        places = self._places[name]
        if not places:
            return ""
        above = self._path(places[0][0]) if len(places) == 1 else None
        return None if above is None else f"{above}.{places[0][1]}".lstrip(".")

    def _place(self, above: str, key: str) -> str:
        path = self._path(above)
        return f"`{key}` of {self._types.link(above)}" if path is None else f"`{path}.{key}`".replace("`.", "`")

    def _section(self, name: str) -> str:
        places = list(dict.fromkeys(self._place(*place) for place in self._places[name]))
        listed = ", ".join(places[:_PLACES_SHOWN]) + (" and more" if len(places) > _PLACES_SHOWN else "")
        title = self._types.title(name).capitalize()
        return f"### {title}\n\nAt {listed}. {self._types.about(name)}\n\n{self._table(name)}"

    def _table(self, name: str) -> str:
        """Return the rows of a mapping's keys; those that another mapping has in the very same way are left to it."""
        properties = self._types.properties(name)
        base = next((other for other in self._places if self._types.extends(name, other)), None)
        inherited = self._types.properties(base) if base is not None else {}
        path = self._path(name)
        prefix = f"{path}." if path else ""
        rows = [f"All keys of {self._types.link(base)}, and:\n"] if base is not None else []
        rows += ["| key | type | default | meaning |", "|---|---|---|---|"]
        for key, node in properties.items():
            if key not in inherited:
                default = "required" if self._types.requires(name, key) else spelled(node.get("default"))
                rows.append(
                    f"| `{prefix}{key}` | {self._types.words(node)} | {default} | {self._types.meaning(node)} |"
                )
        return "\n".join(rows) + "\n"


if __name__ == "__main__":
    # Bytes, since the encoding of a pipe depends on the machine.
    sys.stdout.buffer.write(page(sys.argv[1]).encode())
