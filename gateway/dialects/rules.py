"""One dialect's own part, compiled: its rules and its tables.

It knows nothing of the dialects that extend it or that it extends, and so is compiled once for all of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gateway.catalog import CODES
from gateway.dialects import sources, timing
from gateway.dialects.conditions import as_status, compile_condition
from gateway.dialects.fields import FieldReader
from gateway.dialects.header import fields_in
from gateway.dialects.members import names_in
from gateway.dialects.naming import CLIENT_ERRORS, Tables
from gateway.dialects.rates import clock
from gateway.dialects.view import in_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.dialects.spec import DialectSpec, Rule, TimePick
    from gateway.dialects.view import View
    from gateway.model import FieldCode, FieldError

_LEVELS_KEPT: Final = 256
"""Dialects whose compiled part is kept for the next that extends them: more than there are presets."""


class Level:
    """A dialect without those that it extends. `names` and `field_names` are the members and fields that it reads."""

    __slots__ = ("field_names", "names", "rules", "tables")

    def __init__(self, spec: DialectSpec) -> None:
        """Compile a dialect."""
        self.names = frozenset(names_in(spec))
        self.field_names = frozenset(fields_in(spec))
        self.rules = [CompiledRule(rule, spec) for rule in spec.errors]
        self.tables = Tables(spec)


class _Identity:
    """A specification as a key: the same object, not one that is alike."""

    __slots__ = ("spec",)

    def __init__(self, spec: DialectSpec) -> None:
        self.spec = spec

    def __hash__(self) -> int:
        return id(self.spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.spec is self.spec


def level_of(spec: DialectSpec) -> Level:
    """Return a dialect's own part, compiled once."""
    return _level(_Identity(spec))


@lru_cache(maxsize=_LEVELS_KEPT)
def _level(key: _Identity) -> Level:
    return Level(key.spec)


class CompiledRule:
    """One rule. `statuses` are those that it is for; `when` is the rest of its condition."""

    __slots__ = (
        "_fields",
        "_retry_after",
        "_retry_after_last",
        "_status",
        "code",
        "dialect",
        "error",
        "extensions",
        "name",
        "problem",
        "request_id",
        "sentence",
        "status_wins",
        "statuses",
        "type",
        "when",
        "words",
    )

    def __init__(self, rule: Rule, spec: DialectSpec) -> None:
        """Compile a rule; what it does not say itself, the dialect's `read` says."""
        read = spec.read
        self.name = rule.name
        self.dialect = spec.name or "unnamed"
        self.error = rule.error
        self.problem = CODES[rule.problem] if rule.problem is not None else None
        self.statuses = rule.when.status or frozenset()
        self.when = compile_condition(rule.when.model_copy(update={"status": None}))  # by which it was found
        status = rule.status or read.status
        self._status = sources.compile_picks(status.from_) if status is not None else ()
        self.status_wins = status is not None and status.wins
        self.code = sources.code_at(rule.code or read.code)
        self.type = sources.code_at(rule.type or read.type)
        self.words = sources.words_at(rule.message or read.message)
        self.request_id = sources.code_at(rule.request_id or read.request_id)
        self.sentence = rule.sentence or read.sentence
        self.extensions = rule.extensions or read.extensions
        self._fields = [FieldReader(fields) for fields in rule.fields or read.fields]
        times = rule.retry_after or read.retry_after
        self._retry_after = [_compiled_time(pick) for pick in times if not pick.last]
        self._retry_after_last = [_compiled_time(pick) for pick in times if pick.last]

    def declared_status(self, view: View) -> int:
        """Return the status that the body declares, if it is an error's, else the one that the view has."""
        for at in self._status:
            if (found := as_status(at(view))) is not None:
                return found if found >= CLIENT_ERRORS else view.status
        return view.status

    def field_errors(
        self, view: View, message: str | None, codes: Mapping[str, FieldCode], *, in_body: bool
    ) -> tuple[FieldError, ...]:
        """Return what the first entry of `fields` that finds any does."""
        for reader in self._fields:
            if errors := reader.read(view, message, codes, in_body=in_body):
                return tuple(errors)
        return ()

    def retry_after(self, view: View, now_s: float) -> float | None:
        """Return the seconds that the body's members tell."""
        return _first_time(self._retry_after, view, now_s)

    def retry_after_words(self, view: View, now_s: float) -> float | None:
        """Return the seconds that only words tell."""
        return _first_time(self._retry_after_last, view, now_s)


def _first_time(readers: Sequence[Callable[[View, float], float | None]], view: View, now_s: float) -> float | None:
    for read in readers:
        if (found := read(view, now_s)) is not None:
            return found
    return None


def _compiled_time(pick: TimePick) -> Callable[[View, float], float | None]:
    if pick.refill is not None:
        need, have, rate = (in_body(path) for path in (pick.refill.need, pick.refill.have, pick.refill.per_second))
        return lambda view, _now_s: timing.seconds_to_refill(need(view), have(view), rate(view))
    picks, form = sources.compile_picks(pick.from_), pick.as_

    def read(view: View, now_s: float) -> float | None:
        for at in picks:
            value = at(view)
            if value is not None:  # nearly always nothing is there
                found = timing.seconds_until(value, form, clock(view.fields, now_s))
                if found is not None:
                    return found
        return None

    return read
