"""Which code of the catalogue an error has, once it is read.

A dialect *names* a code by its `classify`, `codes` and `types`, in this order, and the nearer dialect before those that
it extends. Where nothing names it, `statuses` and the catalogue's table *derive* it from the status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import re2
from msgspec import Struct

from gateway.catalog import CODES, for_status
from gateway.dialects.conditions import compile_condition, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.dialects.conditions import Predicate
    from gateway.dialects.spec import Classification, DialectSpec
    from gateway.dialects.view import View
    from gateway.model import Code

    Test = Callable[[View, "Said"], bool]

STATUSES: Final = range(100, 600)
CLIENT_ERRORS: Final = 400
_BAD_GATEWAY: Final = 502


class Said(Struct, frozen=True):
    """What an error says that a classification can test: its code, its type, its words, whether it names fields."""

    code: str | None
    type: str | None
    words: str | None
    fields: bool


class Naming:
    """What names the code of an error, and what derives it from the status; the nearer dialect counts first."""

    __slots__ = ("_derived", "_levels", "field_codes")

    def __init__(self, chain: Sequence[Tables]) -> None:
        """Put the tables of a chain of dialects together, nearest first."""
        self._levels = tuple(chain)
        self._derived = {status: code for tables in reversed(chain) for status, code in tables.statuses.items()}
        self.field_codes = {word: code for tables in reversed(chain) for word, code in tables.field_codes.items()}

    def named(self, view: View, said: Said) -> Code | None:
        """Return the code that something names, or None."""
        for level in self._levels:
            if (code := level.named(view, said)) is not None:
                return code
        return None

    def derived(self, status: int) -> Code:
        """Return the code that a status alone tells."""
        return self._derived.get(status) or derived_from(status)


class Tables:
    """One dialect's own tables."""

    __slots__ = ("_by_status", "_classify", "_codes", "_types", "field_codes", "statuses")

    def __init__(self, spec: DialectSpec) -> None:
        """Compile them."""
        self._classify = [(entry.when.status, _test(entry), CODES[entry.as_]) for entry in spec.classify]
        self._by_status: dict[int, tuple[tuple[Test, Code], ...]] = {}
        self.statuses = {status: CODES[name] for status, name in spec.statuses.items()}
        self.field_codes = spec.field_codes
        self._codes = {code: CODES[name] for code, name in spec.codes.items()}
        self._types = {kind: CODES[name] for kind, name in spec.types.items()}

    def named(self, view: View, said: Said) -> Code | None:
        """Return the code that one of the tables names, or None."""
        if self._classify:
            for holds, code in self._classified(view.status):
                if holds(view, said):
                    return code
        return self._codes.get(said.code or "") or self._types.get(said.type or "")

    def _classified(self, status: int) -> tuple[tuple[Test, Code], ...]:
        """Return the classifications for a status; worked out when it first comes."""
        found = self._by_status.get(status)
        if found is None:
            entries = [entry for entry in self._classify if entry[0] is None or status in entry[0]]
            found = tuple((holds, code) for _, holds, code in entries)
            if status in STATUSES:
                self._by_status[status] = found
        return found


def derived_from(status: int) -> Code:
    """Return the catalogue's code for a status; what is no error's is told as a bad gateway."""
    return for_status(status if status >= CLIENT_ERRORS else _BAD_GATEWAY)


def _test(entry: Classification) -> Test:
    """Compile a classification, less its status, by which it was found."""
    tests = [_of_view(compile_condition(entry.when.model_copy(update={"status": None})))]
    if entry.code is not None:
        tests.append(_of_code(entry.code))
    if entry.says:
        tests.append(_of_words(entry.says))
    if entry.fields is not None:
        tests.append(_of_fields(entry.fields))

    def run(view: View, said: Said) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs as much as three tests
            if not test(view, said):
                return False
        return True

    return run if len(tests) > 1 else tests[0]


def _of_view(holds: Predicate) -> Test:
    return lambda view, _said: holds(view)


def _of_code(pattern: str) -> Test:
    search = re2.compile(pattern).search
    remembered: dict[str, bool] = {}

    def run(_view: View, said: Said) -> bool:
        found = False
        for word in (said.code, said.type):
            if word is not None and not found:
                found = _remembered(word, search, remembered)
        return found

    return run


_MOST_REMEMBERED: Final = 256


def _remembered(word: str, search: Callable[[str], Any], known: dict[str, bool]) -> bool:
    """Return whether a pattern is in a word; asked once for each of the few words that an API has for its codes."""
    found = known.get(word)
    if found is None:
        found = search(word) is not None
        if len(known) < _MOST_REMEMBERED:
            known[word] = found
    return found


def _of_words(phrases: Sequence[str]) -> Test:
    folded = [fold(phrase) for phrase in phrases]

    def run(_view: View, said: Said) -> bool:
        if said.words is None:
            return False
        text = fold(said.words)
        return any(phrase in text for phrase in folded)

    return run


def _of_fields(wanted: bool) -> Test:  # noqa: FBT001 - what the file says
    return lambda _view, said: said.fields is wanted
