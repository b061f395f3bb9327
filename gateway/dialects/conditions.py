"""Conditions of the dialect language, compiled to predicates over a `View`.

A condition without a key is always true. Compilation happens once at load; a predicate neither raises nor allocates
much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import re2

from gateway.dialects.paths import find
from gateway.dialects.spec import TypeName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.dialects.spec import BodyTest, Condition, HeaderTest
    from gateway.dialects.view import View

    Predicate = Callable[[View], bool]

_LONGEST_TEXT = 4_096  # characters of one text that phrases and patterns are looked for in: a security limit
_IGNORED = dict.fromkeys((*range(1611, 1619), 1648, 1600))  # Arabic vowel signs, tatweel
_SIZED = frozenset({str, list, dict})
_TYPES = {
    dict: TypeName.OBJECT,
    list: TypeName.LIST,
    str: TypeName.STRING,
    bool: TypeName.BOOLEAN,
    type(None): TypeName.NULL,
}


def compile_condition(condition: Condition) -> Predicate:
    """Return a predicate that is true of the views for which every key of `condition` holds."""
    tests = [*_head_tests(condition), *_body_tests(condition.body), *_nested(condition)]
    if not tests:
        return lambda _view: True
    if len(tests) == 1:
        return tests[0]

    def run(view: View) -> bool:
        return all(test(view) for test in tests)

    return run


def fold(text: str) -> str:
    """Return `text` as phrases are compared: without case, Arabic vowel signs and runs of space."""
    return " ".join(text[:_LONGEST_TEXT].translate(_IGNORED).casefold().split())


def is_filled(value: Any) -> bool:
    """Say whether a value says anything: null, and an empty text, list or object do not; 0 and false do."""
    return value is not None and (type(value) not in _SIZED or len(value) > 0)


def as_status(value: Any) -> int | None:
    """Return a status written as a number or as three digits."""
    if type(value) is int:
        number = value
    elif type(value) is str and len(value) == 3 and value.isascii() and value.isdigit():
        number = int(value)
    else:
        return None
    return number if 100 <= number <= 599 else None


def _head_tests(condition: Condition) -> Iterable[Predicate]:
    if (statuses := condition.status) is not None:
        yield lambda view: view.status in statuses
    if kinds := frozenset(condition.kind):
        yield lambda view: view.kind in kinds
    if media_types := frozenset(name.lower() for name in condition.content_type):
        yield lambda view: view.content_type in media_types
    if condition.headers is not None:
        yield from _header_tests(condition.headers)


def _header_tests(test: HeaderTest) -> Iterable[Predicate]:
    yield from (_has_field(name.lower(), wanted=True) for name in test.has)
    yield from (_has_field(name.lower(), wanted=False) for name in test.lacks)
    yield from (_field_equals(name.lower(), values) for name, values in test.equals.items())
    yield from (_phrases(_field(name.lower()), phrases) for name, phrases in test.contains.items())
    yield from (_pattern(_field(name.lower()), pattern) for name, pattern in test.matches.items())


def _body_tests(test: BodyTest | None) -> Iterable[Predicate]:
    if test is None:
        return
    yield from (_filled(path, wanted=True) for path in test.has)
    yield from (_filled(path, wanted=False) for path in test.lacks)
    yield from (_equals(path, values) for path, values in test.equals.items())
    yield from (_typed(path, types) for path, types in test.type.items())
    yield from (_status(path, statuses) for path, statuses in test.status.items())
    yield from (_phrases(_value(path), phrases) for path, phrases in test.contains.items())
    yield from (_pattern(_value(path), pattern) for path, pattern in test.matches.items())


def _nested(condition: Condition) -> Iterable[Predicate]:
    if options := [compile_condition(option) for option in condition.any]:
        yield lambda view: any(option(view) for option in options)
    if excluded := [compile_condition(option) for option in condition.none]:
        yield lambda view: not any(option(view) for option in excluded)


def _field(name: str) -> Callable[[View], Any]:
    return lambda view: view.fields.get(name)


def _value(path: str) -> Callable[[View], Any]:
    at = find(path)
    return lambda view: at(view.tree)


def _has_field(name: str, *, wanted: bool) -> Predicate:
    return lambda view: (name in view.fields) is wanted


def _field_equals(name: str, values: tuple[str, ...]) -> Predicate:
    allowed = frozenset(values)
    return lambda view: view.fields.get(name) in allowed


def _filled(path: str, *, wanted: bool) -> Predicate:
    at = find(path)
    return lambda view: is_filled(at(view.tree)) is wanted


def _status(path: str, statuses: frozenset[int]) -> Predicate:
    at = find(path)
    return lambda view: as_status(at(view.tree)) in statuses


def _equals(path: str, values: tuple[Any, ...]) -> Predicate:
    at = find(path)
    allowed = frozenset((type(value), value) for value in values)  # with the type, for 1 == True == 1.0 in Python

    def run(view: View) -> bool:
        found = at(view.tree)
        return type(found) not in (dict, list) and (type(found), found) in allowed

    return run


def _typed(path: str, types: tuple[TypeName, ...]) -> Predicate:
    at = find(path)
    names = frozenset(types)
    return lambda view: type_of(at(view.tree)) in names


def type_of(value: Any) -> TypeName:
    """Name the type of a value of a tree."""
    return _TYPES.get(type(value), TypeName.NUMBER)


def _phrases(get: Callable[[View], Any], phrases: tuple[str, ...]) -> Predicate:
    folded = [fold(phrase) for phrase in phrases]

    def run(view: View) -> bool:
        text = get(view)
        if type(text) is not str:
            return False
        text = fold(text)
        return any(phrase in text for phrase in folded)

    return run


def _pattern(get: Callable[[View], Any], pattern: str) -> Predicate:
    search = re2.compile(pattern).search

    def run(view: View) -> bool:
        text = get(view)
        return type(text) is str and search(text[:_LONGEST_TEXT]) is not None

    return run
