"""The catalogue's own YAML files, read strictly: one mapping each, no key twice, and every fault with its line.

They are package data, read once at import. A fault in them is a mistake in this program, so that it stops the import
with a `ConfigError` that lists all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from gateway.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# libyaml is ten times as fast; the wheels of PyYAML have it, a build from source may not.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One member of a file's mapping, with the line (from 1) and the column (from 1) where its key stands."""

    file: str
    line: int
    column: int
    key: Any
    value: Any

    def fault(self, message: str) -> Fault:
        """Return what is wrong with this entry, at its place."""
        return Fault(file=self.file, line=self.line, column=self.column, path=str(self.key), message=message)


def package_text(name: str) -> str:
    """Return the text of the file `name` in this package (UTF-8)."""
    return files("gateway.catalog").joinpath(name).read_text(encoding="utf-8")


def entries(text: str, file: str, make_loader: Callable[[str], Any] = _LOADER) -> tuple[Entry, ...]:
    """Read `text`, a YAML mapping, in the order of its keys; `file` is its name in messages. Raises `ConfigError`."""
    loader = make_loader(text)
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise ConfigError([Fault(file=file, message="must be a mapping")])
        if repeated := [_place(key, file).fault("is there twice") for key in _repeated(root)]:
            raise ConfigError(repeated)
        return tuple(_place(key, file, loader.construct_object(value, deep=True)) for key, value in root.value)
    except yaml.MarkedYAMLError as error:
        raise ConfigError([syntax_fault(error, file)]) from error
    finally:
        loader.dispose()


def _place(key: yaml.Node, file: str, value: object = None) -> Entry:
    mark = key.start_mark
    name = int(key.value) if key.tag == "tag:yaml.org,2002:int" else key.value
    return Entry(file=file, line=mark.line + 1, column=mark.column + 1, key=name, value=value)


def _repeated(node: yaml.Node) -> Iterator[yaml.Node]:
    """Find, at any depth, the keys that their mapping has already."""
    children = node.value if isinstance(node, yaml.CollectionNode) else ()
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                yield key
            seen.add(key.value)
        children = [value for _, value in node.value]
    for child in children:
        yield from _repeated(child)


def syntax_fault(error: yaml.MarkedYAMLError, file: str) -> Fault:
    """Return what YAML itself finds wrong with `file`, at the place that it names, if it names one."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Fault(file=file, line=line, column=column, message=error.problem or "is not YAML")
