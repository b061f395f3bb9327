"""`dialect: auto`: each reply is read by the first dialect that knows it by its structure, else by the last resort.

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


class AutoDialect(Dialect):
    """Chooses among dialects for every reply."""

    __slots__ = ("_last", "_options")

    def __init__(self, options: Sequence[tuple[DialectSpec, Dialect]], last: Dialect) -> None:
        """Keep the dialects that can tell their own replies (`detect`), in the order in which they are asked."""
        self.name = "auto"
        self.accept = None
        self.success = None
        self.rates = last.rates
        self.names = last.names.union(*(dialect.names for _, dialect in options))
        self.members = Members(self.names)
        detects = [spec.detect for spec, _ in options if spec.detect is not None]
        self.field_names = last.field_names.union(
            *(dialect.field_names for _, dialect in options), *map(fields_in, detects)
        )
        self.fields = FieldNames(self.field_names)
        self.outline = None
        self._last = last
        self._options = [
            (compile_condition(spec.detect), dialect) for spec, dialect in options if spec.detect is not None
        ]

    def may_be_error(self, status: int) -> bool:
        """Say whether any of the dialects would look into a reply of this status."""
        return self._last.may_be_error(status) or any(dialect.may_be_error(status) for _, dialect in self._options)

    def reads(self, status: int, content_type: bytes) -> bool:
        """Say whether any of the dialects would look into a success of this type."""
        return self._last.reads(status, content_type) or any(
            dialect.reads(status, content_type) for _, dialect in self._options
        )

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
