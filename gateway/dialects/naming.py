"""Which code of the catalogue an error has, once it is read.

A dialect *names* a code by its `classify`, `codes` and `types`, in this order, and the nearer dialect before those that
it extends. Where nothing names it, `statuses` and the catalogue's table *derive* it from the status.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import re2
from msgspec import Struct

from gateway.catalog import CODES, for_status
from gateway.dialects.conditions import compile_condition, fold
from gateway.dialects.spec import Condition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway.dialects.conditions import Predicate
    from gateway.dialects.spec import Classification, DialectSpec
    from gateway.dialects.view import View
    from gateway.model import Code

    Test = Callable[[View, "Said"], bool]
    Step = Callable[[View, "Said"], Code | None]
    Search = Callable[[str], Any]

STATUSES: Final = range(100, 600)
CLIENT_ERRORS: Final = 400
_BAD_GATEWAY: Final = 502
_MOST_REMEMBERED: Final = 256


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
        self._classify = spec.classify
        self._by_status: dict[int, tuple[Step, ...]] = {}
        self.statuses = {status: CODES[name] for status, name in spec.statuses.items()}
        self.field_codes = spec.field_codes
        self._codes = {code: CODES[name] for code, name in spec.codes.items()}
        self._types = {kind: CODES[name] for kind, name in spec.types.items()}

    def named(self, view: View, said: Said) -> Code | None:
        """Return the code that one of the tables names, or None."""
        if self._classify:
            for step in self._steps_for(view.status):
                if (code := step(view, said)) is not None:
                    return code
        return self._codes.get(said.code or "") or self._types.get(said.type or "")

    def _steps_for(self, status: int) -> tuple[Step, ...]:
        """Return the classifications for a status; worked out when it first comes."""
        found = self._by_status.get(status)
        if found is None:
            found = tuple(
                _steps([one for one in self._classify if one.when.status is None or status in one.when.status])
            )
            if status in STATUSES:
                self._by_status[status] = found
        return found


def derived_from(status: int) -> Code:
    """Return the catalogue's code for a status; what is no error's is told as a bad gateway."""
    return for_status(status if status >= CLIENT_ERRORS else _BAD_GATEWAY)


def _steps(entries: Sequence[Classification]) -> Iterator[Step]:
    """Compile classifications of one status; those in a row that ask for nothing but the code are asked together."""
    for by_code, group in groupby(entries, _is_by_code):
        if by_code:
            yield _by_codes([(re2.compile(one.code).search, CODES[one.as_]) for one in group if one.code is not None])
        else:
            yield from (_alone(one) for one in group)


def _is_by_code(entry: Classification) -> bool:
    return entry.code is not None and not entry.says and entry.fields is None and _rest(entry.when) == Condition()


def _rest(when: Condition) -> Condition:
    return when.model_copy(update={"status": None})


def _by_codes(entries: Sequence[tuple[Search, Code]]) -> Step:
    """Return the code of the first pattern that is in the upstream's code, or in its type.

    That is remembered for the few words that an API has for its codes.
    """
    remembered: dict[tuple[str | None, str | None], Code | None] = {}

    def run(_view: View, said: Said) -> Code | None:
        words = (said.code, said.type)
        if words in remembered:
            return remembered[words]
        found = next(
            (code for search, code in entries if any(search(word) for word in words if word is not None)), None
        )
        if len(remembered) < _MOST_REMEMBERED:
            remembered[words] = found
        return found

    return run


def _alone(entry: Classification) -> Step:
    code = CODES[entry.as_]
    tests = [_of_view(compile_condition(_rest(entry.when)))] if _rest(entry.when) != Condition() else []
    if entry.code is not None:
        tests.append(_of_code(entry.code))
    if entry.says:
        tests.append(_of_words(entry.says))
    if entry.fields is not None:
        tests.append(_of_fields(entry.fields))

    def run(view: View, said: Said) -> Code | None:
        for test in tests:
            if not test(view, said):
                return None
        return code

    return run


def _of_view(holds: Predicate) -> Test:
    return lambda view, _said: holds(view)


def _of_code(pattern: str) -> Test:
    search = re2.compile(pattern).search
    return lambda _view, said: any(search(word) for word in (said.code, said.type) if word is not None)


def _of_words(phrases: Sequence[str]) -> Test:
    folded = [fold(phrase) for phrase in phrases]

    def run(_view: View, said: Said) -> bool:
        if said.words is None:
            return False
        text = fold(said.words)
        for phrase in folded:  # noqa: SIM110 - a generator costs as much as three phrases
            if phrase in text:
                return True
        return False

    return run


def _of_fields(wanted: bool) -> Test:  # noqa: FBT001 - what the file says
    return lambda _view, said: said.fields is wanted
