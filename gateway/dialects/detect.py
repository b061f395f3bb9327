"""Which dialect a reply is of: the signs of each, with how sure they make, found by what has to be there for them.

A sign is one entry of a dialect's `detect`. Most need a member of the body, a header field or a kind of body; they are
kept in a tree of members, so that a reply is asked only about the few signs that its own members lead to, however many
dialects there are.
"""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from gateway.dialects.conditions import compile_condition
from gateway.dialects.needs import FIRST, needs_of
from gateway.dialects.spec import BodyKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.dialects.conditions import Predicate
    from gateway.dialects.needs import Need
    from gateway.dialects.paths import Step
    from gateway.dialects.reader import Dialect
    from gateway.dialects.spec import Detection
    from gateway.dialects.view import View

_COMMON_FIELDS: Final = frozenset((b"server", b"content-type", b"x-request-id", b"request-id", b"www-authenticate"))
"""Header fields that say little, for many replies have them."""
_MOST_SIGNS: Final = 100_000


class Sign:
    """One way of knowing a dialect. `confidence` is in hundredths; of two alike the earlier `order` counts.

    `rank` sorts signs by both, the surest first.
    """

    __slots__ = ("confidence", "dialect", "holds", "order", "rank", "when")

    def __init__(self, detection: Detection, dialect: Dialect, order: int) -> None:
        """Compile the condition."""
        self.when = detection.when
        self.confidence = detection.confidence
        self.dialect = dialect
        self.order = order
        self.rank = order - detection.confidence * _MOST_SIGNS
        self.holds: Predicate = compile_condition(detection.when)


class Signs:
    """All signs, by what they need."""

    __slots__ = ("_by_field", "_by_kind", "_by_media", "_others", "_root", "all")

    def __init__(self, detections: Iterable[tuple[Detection, Dialect]]) -> None:
        """Sort the signs; each is kept under the rarest of what it needs."""
        self.all = tuple(Sign(detection, dialect, order) for order, (detection, dialect) in enumerate(detections))
        self._root = _Node()
        self._by_field: dict[bytes | None, list[Sign]] = {}
        self._by_kind: dict[str, list[Sign]] = {}
        self._by_media: dict[str, list[Sign]] = {}
        self._others: list[Sign] = []
        needs = [needs_of(sign.when) for sign in self.all]
        shared = Counter(path for need in needs for option in need for path in option.paths)
        for sign, options in zip(self.all, needs, strict=True):
            for option in options:
                self._keep(sign, option, shared)

    def of(self, view: View) -> list[Sign]:
        """Return the signs that may hold for a reply, the surest first; one that has alternatives may come twice."""
        found = [*self._others, *self._by_kind.get(view.kind, ()), *self._by_media.get(view.content_type, ())]
        if self._by_field:
            for name in view.fields:
                found += self._by_field.get(name, ())
        self._root.collect(view.tree, found)
        found.sort(key=_rank)
        return found

    def _keep(self, sign: Sign, need: Need, shared: Counter[tuple[Step, ...]]) -> None:
        rare = [name for name in need.fields if name not in _COMMON_FIELDS]
        if need.media:
            _under(self._by_media, need.media, sign)
        elif need.kinds and BodyKind.JSON not in need.kinds:
            _under(self._by_kind, need.kinds, sign)
        elif rare:
            _under(self._by_field, rare[:1], sign)
        elif need.paths:
            rarest = min(need.paths, key=lambda path: (shared[path], -len(path)))
            self._root.at(rarest).signs.append(sign)
        elif need.fields:
            _under(self._by_field, need.fields[:1], sign)
        elif need.kinds:
            _under(self._by_kind, need.kinds, sign)
        else:
            self._others.append(sign)


_rank = attrgetter("rank")


def _under(index: dict[Any, list[Sign]], names: Iterable[Any], sign: Sign) -> None:
    for name in names:
        index.setdefault(name, []).append(sign)


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
        elif type(value) is list and value and (node := below.get(FIRST)) is not None:
            node.collect(value[0], found)
