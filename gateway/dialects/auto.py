"""`dialect: auto`: each reply is read by the dialect that knows it most surely by its structure.

What an upstream was seen to speak of late is remembered: a sign of that dialect counts for more and a weak one is
enough, and an upstream that speaks hardly anything else is taken to speak it where no sign is seen. What nothing is
known of is read by the last resort. The memory is the one thing here that changes; it holds no more than a count for
each dialect, and fades: a page of a proxy, or a reply that somebody made the upstream give, sways nothing for long.

Successes always pass as they are: an API whose envelope is only guessed must not have its answers rewritten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.dialects.detect import Signs
from gateway.dialects.header import FieldNames, fields_in
from gateway.dialects.members import Members
from gateway.dialects.reader import Dialect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dialects.detect import Sign
    from gateway.dialects.reader import ErrorReading
    from gateway.dialects.spec import DialectSpec
    from gateway.dialects.view import View

LEAST: Final = 50
"""Confidence below which a sign counts only for an upstream that is known to speak the dialect."""
SURE: Final = 80
"""Confidence from which a dialect is remembered."""
_PREFERENCE: Final = 15
"""What a sign of a dialect that the upstream is known to speak counts more."""
_SETTLED: Final = 3
"""Replies in one dialect after which a reply without any sign is taken for one of it, too; of others hardly any."""
_SETTLED_SHARE: Final = 8
_SPOKEN_SHARE: Final = 4
"""One in so many replies: less than the first may be of other dialects where one is settled, and no less than the
second must be of a dialect that the upstream speaks."""
_REMEMBERED: Final = 64
"""Replies after which each count is halved, so that what was seen last counts most."""


class Options:
    """The dialects that can be told apart, and the last resort: what every `AutoDialect` shares."""

    __slots__ = ("dialects", "field_names", "fields", "last", "members", "names", "signs")

    def __init__(self, options: Sequence[tuple[DialectSpec, Dialect]], last: Dialect) -> None:
        """Keep the dialects that can tell their own replies (`detect`)."""
        detections = [(detection, dialect) for spec, dialect in options for detection in spec.detect]
        self.signs = Signs(detections)
        self.last = last
        self.dialects = (*dict.fromkeys(dialect for _, dialect in detections), last)
        self.names = frozenset[str]().union(*(dialect.names for dialect in self.dialects))
        self.members = Members(self.names)
        self.field_names = frozenset[str]().union(
            *(dialect.field_names for dialect in self.dialects), *(fields_in(one.when) for one, _ in detections)
        )
        self.fields = FieldNames(self.field_names)


class AutoDialect(Dialect):
    """Chooses among dialects for every reply."""

    __slots__ = ("_known", "_seen", "options")

    def __init__(self, options: Options, *, remembers: bool = False) -> None:
        """Choose among `options`; with `remembers`, by what was seen before, so make one for each upstream."""
        self.name = "auto"
        self.chain = ()
        self.accept = None
        self.success = None
        self.outline = None
        self.rates = options.last.rates
        self.budgets = options.last.budgets
        self.names = options.names
        self.members = options.members
        self.field_names = options.field_names
        self.fields = options.fields
        self.options = options
        self._known: dict[Dialect, int] | None = {} if remembers else None
        self._seen = 0

    def may_be_error(self, status: int) -> bool:
        """Say whether any of the dialects would look into a reply of this status."""
        return any(dialect.may_be_error(status) for dialect in self.options.dialects)

    def reads(self, status: int, content_type: bytes) -> bool:
        """Say whether any of the dialects would look into a success of this type."""
        return any(dialect.reads(status, content_type) for dialect in self.options.dialects)

    def read_error(self, view: View, now_s: float, *, in_body: bool = True) -> ErrorReading | None:
        """Read the error as the dialect that knows it does."""
        return self.chosen(view).read_error(view, now_s, in_body=in_body)

    def chosen(self, view: View) -> Dialect:
        """Return the dialect that a reply is of, and remember it."""
        outer = view.tree
        view.tree = view.unwrapped()
        sign = self._surest(view)
        view.tree = outer
        if sign is None:
            return self._settled() or self.options.last
        if self._known is not None and sign.confidence >= SURE:
            self._remember(self._known, sign.dialect)
        return sign.dialect

    def _remember(self, known: dict[Dialect, int], dialect: Dialect) -> None:
        known[dialect] = known.get(dialect, 0) + 1
        self._seen += 1
        if self._seen >= _REMEMBERED:
            self._known = {one: seen // 2 for one, seen in known.items() if seen > 1}
            self._seen = sum(self._known.values())

    def _surest(self, view: View) -> Sign | None:
        """Return the sign that counts most of those that hold.

        A sign of a dialect that the upstream is known to speak counts more, and is looked at first; of the others,
        which come in the order of their confidence, only those that could count more still.
        """
        signs = self.options.signs.of(view)
        best, least = None, LEAST
        if self._known:
            best = self._surest_known(signs, view)
            least = LEAST if best is None else best.confidence + _PREFERENCE + 1
        for sign in signs:
            if sign.confidence < least:
                break
            if sign.holds(view):
                return sign
        return best

    def _surest_known(self, signs: Sequence[Sign], view: View) -> Sign | None:
        for sign in signs:
            if self._is_spoken(sign.dialect) and sign.holds(view):
                return sign
        return None

    def _is_spoken(self, dialect: Dialect) -> bool:
        """Say whether enough of what was seen of late was of a dialect."""
        seen = self._known.get(dialect) if self._known else None
        return seen is not None and seen * _SPOKEN_SHARE >= self._seen

    def _settled(self) -> Dialect | None:
        """Return the dialect that the upstream hardly ever leaves, once that is known."""
        if not self._known:
            return None
        dialect = max(self._known, key=self._known.__getitem__)
        seen = self._known[dialect]
        return dialect if seen >= _SETTLED and (self._seen - seen) * _SETTLED_SHARE < self._seen else None
