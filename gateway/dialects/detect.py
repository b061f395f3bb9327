"""Which dialect a reply is of: the signs of each, with how sure they make, found by what has to be there for them.

A sign is one entry of a dialect's `detect`. Most need a member of the body, a header field or a kind of body; they are
kept in a tree of members, so that a reply is asked only about the few signs that its own members lead to, however many
dialects there are.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from gateway.dialects.conditions import compile_condition
from gateway.dialects.paths import plain_steps
from gateway.dialects.spec import TypeName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gateway.dialects.conditions import Predicate
    from gateway.dialects.paths import Step
    from gateway.dialects.reader import Dialect
    from gateway.dialects.spec import Condition, Detection
    from gateway.dialects.view import View

_FIRST: Final = 0
"""The step into a list: only its first item is looked at."""


class Sign:
    """One way of knowing a dialect. `confidence` is in hundredths; of two alike the earlier `order` counts."""

    __slots__ = ("confidence", "dialect", "holds", "order", "when")

    def __init__(self, detection: Detection, dialect: Dialect, order: int) -> None:
        """Compile the condition."""
        self.when = detection.when
        self.confidence = detection.confidence
        self.dialect = dialect
        self.order = order
        self.holds: Predicate = compile_condition(detection.when)


class Signs:
    """All signs, by what they need."""

    __slots__ = ("_by_field", "_by_kind", "_others", "_root", "all")

    def __init__(self, detections: Iterable[tuple[Detection, Dialect]]) -> None:
        """Sort the signs; each is kept under the rarest of the members that it needs."""
        self.all = tuple(Sign(detection, dialect, order) for order, (detection, dialect) in enumerate(detections))
        self._root = _Node()
        self._by_field: dict[bytes | None, list[Sign]] = {}
        self._by_kind: dict[str, list[Sign]] = {}
        self._others: list[Sign] = []
        needs = [_needs(sign.when) for sign in self.all]
        shared = Counter(path for need in needs for option in need for path in option.paths)
        for sign, options in zip(self.all, needs, strict=True):
            for option in options:
                self._keep(sign, option, shared)

    def of(self, view: View) -> list[Sign]:
        """Return the signs that may hold for a reply."""
        found = [*self._others, *self._by_kind.get(view.kind, ())]
        if self._by_field:
            for name in view.fields:
                found += self._by_field.get(name, ())
        self._root.collect(view.tree, found)
        return found

    def _keep(self, sign: Sign, need: _Need, shared: Counter[tuple[Step, ...]]) -> None:
        if need.paths:
            rarest = min(need.paths, key=lambda path: (shared[path], -len(path)))
            self._root.at(rarest).signs.append(sign)
        elif need.fields:
            self._by_field.setdefault(need.fields[0], []).append(sign)
        elif need.kinds:
            for kind in need.kinds:
                self._by_kind.setdefault(kind, []).append(sign)
        else:
            self._others.append(sign)


class _Node:
    """A place in bodies: the signs that need something there, and the places below."""

    __slots__ = ("below", "signs")

    def __init__(self) -> None:
        self.signs: list[Sign] = []
        self.below: dict[Step, _Node] = {}

    def at(self, path: Sequence[Step]) -> _Node:
        node = self
        for step in path:
            node = node.below.setdefault(step, _Node())
        return node

    def collect(self, value: Any, found: list[Sign]) -> None:
        """Add the signs of all places that are there in `value`; no deeper than the paths that dialects name."""
        found += self.signs
        below = self.below
        if not below:
            return
        if type(value) is dict:
            for step in value if len(value) < len(below) else below:
                if (node := below.get(step)) is not None and (inner := value.get(step)) is not None:
                    node.collect(inner, found)
        elif type(value) is list and value and (node := below.get(_FIRST)) is not None:
            node.collect(value[0], found)


class _Need:
    """What has to be there for a condition: every one of the paths, the fields, and one of the kinds."""

    __slots__ = ("fields", "kinds", "paths")

    def __init__(self, paths: list[tuple[Step, ...]], fields: list[bytes], kinds: tuple[str, ...]) -> None:
        self.paths = paths
        self.fields = fields
        self.kinds = kinds


def _needs(condition: Condition) -> list[_Need]:
    """Return what a condition needs: alternatives where only those of `any` say something."""
    own = _Need(list(_paths(condition)), list(_fields(condition)), condition.kind)
    if own.paths or own.fields or own.kinds or not condition.any:
        return [own]
    return [need for option in condition.any for need in _needs(option)]


def _paths(condition: Condition) -> Iterator[tuple[Step, ...]]:
    """Give the paths that find something wherever the condition holds, as far as they lead through firsts of lists."""
    body = condition.body
    if body is None:
        return
    typed = (path for path, types in body.type.items() if TypeName.NULL not in types)
    equal = (path for path, values in body.equals.items() if None not in values)
    for path in (*body.has, *typed, *equal, *body.items, *body.status, *body.contains, *body.matches):
        steps: list[Step] = []
        for step in plain_steps(path) or ():
            if isinstance(step, int) and step != _FIRST:
                break
            steps.append(step)
        if steps:
            yield tuple(steps)


def _fields(condition: Condition) -> Iterator[bytes]:
    test = condition.headers
    if test is not None:
        yield from (name.lower().encode() for name in (*test.has, *test.equals, *test.contains, *test.matches))
