"""From host, method and target to an upstream and a route, in O(length of the path), however many upstreams there are.

Invariants: the bytes of a path go upstream as they came; only the prefix is taken off and the base path put in front. A
path that some server might read as another upstream's or another route's, or that might lead out of its prefix, is
refused (`gateway.pipeline.paths`). A target that goes upstream begins with a slash, whatever came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.config.models import RouteConfig  # noqa: TC001 - the compiler evaluates the fields of a NamedTuple
from gateway.headers.host import split_authority
from gateway.pipeline.matches import Match, Matched, MethodNotAllowed, NotFound, Rejected
from gateway.pipeline.methods import FORWARDED, listed
from gateway.pipeline.paths import after_segments, holds_nul, is_plain, lowest_depth, readings, segments_of
from gateway.pipeline.routes import RouteTree, pattern_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.config.models import UpstreamFile
    from gateway.pipeline.paths import Segments


_NOT_FOUND = NotFound()
_PATHS_REMEMBERED: Final = 2_048
_LONGEST_REMEMBERED: Final = 256
"""Longer paths are not remembered, so that nobody fills the memory with them."""


class _Entry(NamedTuple):
    """One upstream, ready to be matched. `depth` is the number of segments of its prefix; empty sets mean all."""

    place: int
    depth: int
    hosts: frozenset[bytes]
    methods: frozenset[str]
    routes: RouteTree | None
    strip: bool
    base: bytes


class _Hit(NamedTuple):
    entry: _Entry
    route: RouteConfig | None


class _Node:
    """One place in the tree of prefixes. `entries` are all upstreams that a path which comes this far may belong to."""

    __slots__ = ("below", "entries")

    def __init__(self) -> None:
        self.below: dict[bytes, _Node] = {}
        self.entries: tuple[_Entry, ...] = ()


class Router:
    """Finds the way of a request.

    The longest prefix goes first, then an upstream that names the host, then one that lists methods.
    """

    def __init__(self, upstreams: Sequence[UpstreamFile]) -> None:
        """Build the tree of prefixes."""
        self._root = _Node()
        self._by_host = any(upstream.match.hosts for upstream in upstreams)
        self._known: dict[tuple[bytes, str, bytes], Matched] = {}
        for place, upstream in enumerate(upstreams):
            self._add(place, upstream)
        _inherit(self._root, ())

    def match(self, host: bytes, method: str, target: bytes) -> Match:
        """Return where a request goes. `host` is the authority asked for, `target` its path and query."""
        path, mark, query = target.partition(b"?")
        key = (host if self._by_host else b"", method, path)
        found: Match | None = self._known.get(key)
        if found is None:
            found = self._match(*key)
            if isinstance(found, Matched) and len(path) <= _LONGEST_REMEMBERED:
                if len(self._known) >= _PATHS_REMEMBERED:
                    self._known.clear()
                self._known[key] = found
        if mark and isinstance(found, Matched):
            return Matched(found.upstream, found.route, found.target + mark + query)
        return found

    def _match(self, host: bytes, method: str, path: bytes) -> Match:
        """Match a path without a query."""
        if not path.startswith(b"/"):
            return _NOT_FOUND
        name = _host_name(host)
        segments = segments_of(path)
        found = self._find(segments, name, method)
        if not is_plain(path):
            reason = self._misleading(found, segments, name, method)
            if reason:
                return Rejected(reason)
        if not isinstance(found, _Hit):
            return found
        entry, route = found
        rest = after_segments(path, entry.depth) if entry.strip else path
        return Matched(entry.place, route, entry.base + rest or b"/")

    def _find(self, segments: Segments, host: bytes, method: str) -> _Hit | NotFound | MethodNotAllowed:
        """Match decoded segments."""
        if segments[-1:] == [b""]:
            segments = segments[:-1]
        node = self._root
        for segment in segments:
            below = node.below.get(segment)
            if below is None:
                break
            node = below
        allow: frozenset[str] = frozenset()
        for entry in node.entries:
            if entry.hosts and host not in entry.hosts:
                continue
            route = None if entry.routes is None else entry.routes.find(segments, entry.depth, method)
            if _allows(entry, route, method):
                return _Hit(entry, route)
            allow |= entry.methods or FORWARDED
        return MethodNotAllowed(tuple(sorted(allow))) if allow else _NOT_FOUND

    def _misleading(
        self, found: _Hit | NotFound | MethodNotAllowed, segments: Segments, host: bytes, method: str
    ) -> str:
        """Say why a path must not be forwarded: some reading of it goes elsewhere. Empty when none does."""
        others = readings(segments)
        if others is None or holds_nul(segments):
            return "the path can be read in too many ways"
        depth = found.entry.depth if isinstance(found, _Hit) else 0
        if lowest_depth(segments) < depth:
            return "the path leads out of its place"
        for reading in others:
            if lowest_depth(reading) < depth or self._find(reading, host, method) != found:
                return "the path could be read as another one"
        return ""

    def _add(self, place: int, upstream: UpstreamFile) -> None:
        match = upstream.match
        prefix = pattern_of(match.prefix)
        node = self._root
        for segment in prefix:
            node = node.below.setdefault(segment, _Node())
        entry = _Entry(
            place=place,
            depth=len(prefix),
            hosts=frozenset(_host_name(host.encode()) for host in match.hosts),
            methods=listed(match.methods),
            routes=RouteTree(upstream.routes) if upstream.routes else None,
            strip=match.strip,
            base=upstream.base_url.path.rstrip("/").encode(),
        )
        node.entries = tuple(sorted((*node.entries, entry), key=lambda entry: (not entry.hosts, not entry.methods)))


def _inherit(node: _Node, above: tuple[_Entry, ...]) -> None:
    """Put the upstreams of shorter prefixes behind those of each place."""
    node.entries += above
    for below in node.below.values():
        _inherit(below, node.entries)


def _allows(entry: _Entry, route: RouteConfig | None, method: str) -> bool:
    """Tell whether an upstream takes a method: one it lists, or any ordinary one, or one that its route lists."""
    if entry.methods:
        return method in entry.methods
    return method in FORWARDED or (route is not None and bool(route.match.methods))


def _host_name(authority: bytes) -> bytes:
    """Return a host in lower case, without port and final dot."""
    return split_authority(authority)[0].lower().removesuffix(b".")
