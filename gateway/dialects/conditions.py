"""Conditions of the dialect language, compiled to predicates over a `View`.

A condition without a key is always true. Compilation happens once at load; a predicate neither raises nor allocates
much.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import re2

from gateway.dialects.needs import FIRST, needs_of
from gateway.dialects.spec import TypeName
from gateway.dialects.view import in_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.dialects.paths import Step
    from gateway.dialects.spec import BodyTest, Condition, HeaderTest
    from gateway.dialects.view import View

    Predicate = Callable[[View], bool]

_MANY = 4
_MOST_ITEMS = 256
_LONGEST_TEXT = 4_096  # characters of one text that phrases and patterns are looked for in: a security limit
_IGNORED = dict.fromkeys((*range(1611, 1619), 1648, 1600))  # Arabic vowel signs, tatweel
_SIZED = frozenset({str, list, dict})
_TYPES: dict[TypeName, tuple[type, ...]] = {
    TypeName.OBJECT: (dict,),
    TypeName.LIST: (list,),
    TypeName.STRING: (str,),
    TypeName.NUMBER: (int, float),
    TypeName.BOOLEAN: (bool,),
    TypeName.NULL: (type(None),),
}


def compile_condition(condition: Condition) -> Predicate:
    """Return a predicate that is true of the views for which every key of `condition` holds."""
    tests = [*_head_tests(condition), *_body_tests(condition.body), *_nested(condition)]
    return _every(tests)


def _every(tests: Sequence[Predicate]) -> Predicate:
    match tests:
        case []:
            return lambda _view: True
        case [alone]:
            return alone
        case [first, second]:
            return lambda view: first(view) and second(view)

    def run(view: View) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs as much as three tests
            if not test(view):
                return False
        return True

    return run


def _some(tests: Sequence[Predicate]) -> Predicate:
    def run(view: View) -> bool:
        for test in tests:  # noqa: SIM110 - as above
            if test(view):
                return True
        return False

    return run


@lru_cache(maxsize=16)
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
    if kinds := condition.kind:
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
    # What mostly fails comes first.
    yield from (_equals(path, values) for path, values in test.equals.items())
    yield from (_typed(path, types) for path, types in test.type.items())
    yield from (_filled(path, wanted=True) for path in test.has)
    yield from (_filled(path, wanted=False) for path in test.lacks)
    yield from (_items(path, types) for path, types in test.items.items())
    yield from (_status(path, statuses) for path, statuses in test.status.items())
    yield from (_phrases(in_body(path), phrases) for path, phrases in test.contains.items())
    yield from (_pattern(in_body(path), pattern) for path, pattern in test.matches.items())


def _nested(condition: Condition) -> Iterable[Predicate]:
    if condition.any:
        yield _one_of(condition.any)
    if condition.none:
        excluded = _one_of(condition.none)
        yield lambda view: not excluded(view)


def _one_of(options: Sequence[Condition]) -> Predicate:
    """Compile alternatives; of many only those are tested that a member of the body's root leads to."""
    if len(options) < _MANY:
        return _some([compile_condition(option) for option in options])
    by_key: dict[Step, list[Predicate]] = {}
    others = []
    for option in options:
        test = compile_condition(option)
        needs = needs_of(option)
        keys = {need.paths[0][0] for need in needs if need.paths and need.paths[0][0] != FIRST}
        if len(keys) == 1 and all(need.paths for need in needs):
            by_key.setdefault(keys.pop(), []).append(test)
        else:
            others.append(test)
    return _led_to(by_key, _some(others))


def _led_to(by_key: Mapping[Step, Sequence[Predicate]], otherwise: Predicate) -> Predicate:
    def run(view: View) -> bool:
        tree = view.tree
        if type(tree) is dict:
            for key in tree if len(tree) < len(by_key) else by_key:
                if key in by_key and key in tree:
                    for test in by_key[key]:
                        if test(view):
                            return True
        return otherwise(view)

    return run


def _field(name: str) -> Callable[[View], Any]:
    key = name.encode()
    return lambda view: view.text(key)


def _has_field(name: str, *, wanted: bool) -> Predicate:
    key = name.encode()
    return lambda view: (key in view.fields) is wanted


def _field_equals(name: str, values: tuple[str, ...]) -> Predicate:
    key, allowed = name.encode(), frozenset(values)
    return lambda view: view.text(key) in allowed


def _filled(path: str, *, wanted: bool) -> Predicate:
    at = in_body(path)
    return lambda view: is_filled(at(view)) is wanted


def _status(path: str, statuses: frozenset[int]) -> Predicate:
    at = in_body(path)
    return lambda view: as_status(at(view)) in statuses


def _equals(path: str, values: tuple[Any, ...]) -> Predicate:
    at = in_body(path)
    allowed = frozenset((type(value), value) for value in values)  # with the type, for 1 == True == 1.0 in Python
    types = frozenset(map(type, values))

    def run(view: View) -> bool:
        found = at(view)
        return type(found) in types and (type(found), found) in allowed

    return run


def _typed(path: str, types: tuple[TypeName, ...]) -> Predicate:
    at = in_body(path)
    allowed = frozenset(kind for name in types for kind in _TYPES[name])
    return lambda view: type(at(view)) in allowed


def _items(path: str, types: tuple[TypeName, ...]) -> Predicate:
    at = in_body(path)
    allowed = frozenset(kind for name in types for kind in _TYPES[name])

    def run(view: View) -> bool:
        found = at(view)
        if not found or type(found) not in (dict, list):
            return False
        return all(
            type(item) in allowed for item in islice(found.values() if type(found) is dict else found, _MOST_ITEMS)
        )

    return run


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
