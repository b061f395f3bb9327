"""What `accord check` says of upstreams and routes that stand in each other's way."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from gateway.pipeline.methods import listed
from gateway.pipeline.routes import pattern_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.config.models import RouteConfig, UpstreamFile

RESERVED: Final = b"-"
"""The first segment of our own pages."""


class Overlap(Struct, frozen=True, kw_only=True):
    """One thing that can never be reached, or not surely. `route` is a place among the upstream's routes.

    `sentence` stands by itself: it names the other upstream or route.
    """

    upstream: int
    route: int | None = None
    sentence: str


def overlaps(upstreams: Sequence[UpstreamFile]) -> list[Overlap]:
    """Return everything that stands in the way of something else, in the order of the upstreams."""
    found = [fault for index, upstream in enumerate(upstreams) for fault in _of_one(index, upstream)]
    for (_, first), (index, second) in combinations(enumerate(upstreams), 2):
        shared = _shared(first, second)
        if shared:
            found.append(Overlap(upstream=index, sentence=f"{shared} would go to {first.name!r} as well"))
    return sorted(found, key=lambda fault: fault.upstream)


def _of_one(index: int, upstream: UpstreamFile) -> Iterator[Overlap]:
    """Find what an upstream does to itself."""
    if pattern_of(upstream.match.prefix)[:1] == [RESERVED]:
        yield Overlap(upstream=index, sentence="the prefix /- is reserved for the gateway's own pages")
    for place, route in enumerate(upstream.routes):
        missing = _listed_in_vain(upstream, route)
        if missing:
            sentence = f"{_path(route)} lists {missing}, which the upstream's own methods leave out"
            yield Overlap(upstream=index, route=place, sentence=sentence)
        for earlier in upstream.routes[:place]:
            common = _common(earlier.match.methods, route.match.methods)
            if common and pattern_of(earlier.match.path) == pattern_of(route.match.path):
                sentence = f"{_path(route)} with {common} is an earlier route's already"
                yield Overlap(upstream=index, route=place, sentence=sentence)


def _listed_in_vain(upstream: UpstreamFile, route: RouteConfig) -> str:
    """Return the methods of a route that its upstream never lets come so far."""
    methods = listed(upstream.match.methods)
    return _words(listed(route.match.methods) - methods) if methods else ""


def _shared(first: UpstreamFile, second: UpstreamFile) -> str:
    """Return what two upstreams both claim; an upstream that names a host goes before one that names none."""
    one, other = first.match, second.match
    hosts = {host.lower() for host in one.hosts} & {host.lower() for host in other.hosts}
    apart = pattern_of(one.prefix) != pattern_of(other.prefix) or not (hosts or one.hosts == other.hosts)
    methods = "" if apart else _common(one.methods, other.methods)
    return f"{other.prefix} with {methods}" if methods else ""


def _common(first: Sequence[str], second: Sequence[str]) -> str:
    """Return what two lists of methods share, as words; one that is empty goes behind one that is not."""
    return _words(listed(first) & listed(second)) if first or second else "any method"


def _path(route: RouteConfig) -> str:
    return f"the path {route.match.path}"


def _words(methods: frozenset[str]) -> str:
    return ", ".join(sorted(methods))
