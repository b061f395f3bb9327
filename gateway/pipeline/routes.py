"""The routes of one upstream, as a tree by segments: the most specific first, wherever it stands in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.pipeline.methods import listed
from gateway.pipeline.paths import segments_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.config.models import RouteConfig
    from gateway.pipeline.paths import Segments

ONE: Final = b"*"
REST: Final = b"**"

_Choice = tuple[frozenset[str], "RouteConfig"]


def pattern_of(path: str) -> Segments:
    """Return the segments of a pattern or a prefix; a slash at its end says nothing."""
    segments = segments_of(path.encode())
    if segments[-1] == b"":
        del segments[-1]
    return segments


def route_name(route: RouteConfig) -> str:
    """Return what metrics, limits and people call a route: its name, else its methods and path."""
    return route.name or " ".join((*route.match.methods, route.match.path))


class _Node:
    """One place in the tree: the routes that end here, those that take all the rest, and the places below."""

    __slots__ = ("any_one", "below", "exact", "rest")

    def __init__(self) -> None:
        self.below: dict[bytes, _Node] = {}
        self.any_one: _Node | None = None
        self.exact: list[_Choice] = []
        self.rest: list[_Choice] = []


class RouteTree:
    """Finds the route of a path. A segment that is written out goes before `*`, and `*` before `**`.

    Among routes with one pattern those that list methods go first. The work is bound by the path's length and by the
    number of patterns that have its beginning.
    """

    def __init__(self, routes: Sequence[RouteConfig]) -> None:
        """Build the tree. Raises ValueError for a pattern that is none."""
        self._root = _Node()
        for route in sorted(routes, key=lambda route: not route.match.methods):
            self._add(route)

    def find(self, segments: Segments, start: int, method: str) -> RouteConfig | None:
        """Return the route for `segments` from `start` on, or None."""
        return _search(self._root, segments, start, method)

    def _add(self, route: RouteConfig) -> None:
        node = self._root
        choice = (listed(route.match.methods), route)
        for segment in pattern_of(route.match.path):
            if segment == REST:
                node.rest.append(choice)
                return
            if segment == ONE:
                node.any_one = node.any_one or _Node()
                node = node.any_one
            else:
                node = node.below.setdefault(segment, _Node())
        node.exact.append(choice)


def _search(node: _Node, segments: Segments, at: int, method: str) -> RouteConfig | None:
    """Search below one place; each place of the tree is visited at most once."""
    if at >= len(segments):
        return _first(node.exact, method) or _first(node.rest, method)
    segment = segments[at]
    below = node.below.get(segment)
    found = None if below is None else _search(below, segments, at + 1, method)
    if found is None and node.any_one is not None and segment:
        found = _search(node.any_one, segments, at + 1, method)
    return found or _first(node.rest, method)


def _first(choices: list[_Choice], method: str) -> RouteConfig | None:
    for methods, route in choices:
        if not methods or method in methods:
            return route
    return None
