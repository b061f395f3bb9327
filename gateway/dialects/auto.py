"""`dialect: auto`: each reply is read by the dialect that knows it most surely by its structure.

What no dialect knows is read by the last resort.

Successes always pass as they are: an API whose envelope is only guessed must not have its answers rewritten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.dialects.conditions import compile_condition
from gateway.dialects.header import FieldNames, fields_in
from gateway.dialects.members import Members
from gateway.dialects.reader import Dialect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dialects.reader import ErrorReading
    from gateway.dialects.spec import DialectSpec
    from gateway.dialects.view import View


_LEAST = 50
"""Confidence below which a reply is not taken for one of a dialect."""


class AutoDialect(Dialect):
    """Chooses among dialects for every reply."""

    __slots__ = ("_last", "_options")

    def __init__(self, options: Sequence[tuple[DialectSpec, Dialect]], last: Dialect) -> None:
        """Keep the dialects that can tell their own replies (`detect`)."""
        self.name = "auto"
        self.accept = None
        self.success = None
        self.rates = last.rates
        self.names = last.names.union(*(dialect.names for _, dialect in options))
        self.members = Members(self.names)
        detections = [(detection, dialect) for spec, dialect in options for detection in spec.detect]
        detects = [detection.when for detection, _ in detections]
        self.field_names = last.field_names.union(
            *(dialect.field_names for _, dialect in options), *map(fields_in, detects)
        )
        self.fields = FieldNames(self.field_names)
        self.outline = None
        self._last = last
        surest = sorted(detections, key=lambda one: -one[0].confidence)
        self._options = [
            (compile_condition(detection.when), dialect)
            for detection, dialect in surest
            if detection.confidence >= _LEAST
        ]

    def may_be_error(self, status: int) -> bool:
        """Say whether any of the dialects would look into a reply of this status."""
        return self._last.may_be_error(status) or any(dialect.may_be_error(status) for _, dialect in self._options)

    def read_error(self, view: View, now_s: float, *, in_body: bool = True) -> ErrorReading | None:
        """Read the error as the dialect that knows it does."""
        outer = view.tree
        view.tree = view.unwrapped()
        chosen = self._chosen(view)
        view.tree = outer
        return chosen.read_error(view, now_s, in_body=in_body)

    def _chosen(self, view: View) -> Dialect:
        for knows, dialect in self._options:
            if knows(view):
                return dialect
        return self._last
