"""Which upstream and route take a request, and why the others do not.

Every answer is the router's own, asked again with less in its way: an upstream alone, then without its hosts, then
without its methods; a route alone, then without its methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from gateway.pipeline.matches import Matched, MethodNotAllowed, Rejected
from gateway.pipeline.paths import segments_of
from gateway.pipeline.routes import RouteTree, pattern_of, route_name
from gateway.pipeline.routing import Router

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.config.models import RouteConfig, UpstreamFile
    from gateway.pipeline.matches import Match


class RouteCandidate(Struct, frozen=True, kw_only=True):
    """One route of the upstream that takes the request: whether it counts, and why."""

    route: str
    taken: bool
    reason: str


class UpstreamCandidate(Struct, frozen=True, kw_only=True):
    """One upstream: whether it takes the request, and why. `routes` are those of the one that does."""

    upstream: str
    taken: bool
    reason: str
    routes: tuple[RouteCandidate, ...] = ()


class Way(Struct, frozen=True, kw_only=True):
    """Where a request goes. `target` is what is sent upstream; `refused` says why nothing is, where that is so."""

    method: str
    host: str
    path: str
    upstream: str | None
    route: str | None
    target: str | None
    refused: str | None
    candidates: tuple[UpstreamCandidate, ...]


def way(upstreams: Sequence[UpstreamFile], host: bytes, method: str, target: bytes) -> tuple[Way, Match]:
    """Return where a request goes and why, with the router's own word for it."""
    match = Router(upstreams).match(host, method, target)
    taken = upstreams[match.upstream] if isinstance(match, Matched) else None
    route = match.route if isinstance(match, Matched) else None
    found = Way(
        method=method,
        host=host.decode("ascii", "replace"),
        path=target.decode("ascii", "replace"),
        upstream=taken.name if taken is not None else None,
        route=route_name(route) if route is not None else None,
        target=match.target.decode("ascii", "replace") if isinstance(match, Matched) else None,
        refused=_refused(match),
        candidates=tuple(_candidate(one, taken, route, (host, method, target)) for one in upstreams),
    )
    return found, match


def _refused(match: Match) -> str | None:
    if isinstance(match, Matched):
        return None
    if isinstance(match, MethodNotAllowed):
        return f"405 method_not_allowed: allowed are {', '.join(match.allow)}"
    return f"400 malformed_request: {match.reason}" if isinstance(match, Rejected) else "404 route_not_found"


def _candidate(
    one: UpstreamFile, taken: UpstreamFile | None, route: RouteConfig | None, asked: tuple[bytes, str, bytes]
) -> UpstreamCandidate:
    if one is taken:
        routes = tuple(_route_candidate(other, one, route, asked) for other in one.routes)
        return UpstreamCandidate(upstream=one.name, taken=True, reason=_taken(one), routes=routes)
    return UpstreamCandidate(upstream=one.name, taken=False, reason=_not_taken(one, asked))


def _taken(one: UpstreamFile) -> str:
    wanted = [f"prefix {one.match.prefix}"]
    wanted += [f"host {' or '.join(one.match.hosts)}"] if one.match.hosts else []
    wanted += [f"method {' or '.join(one.match.methods)}"] if one.match.methods else []
    return ", ".join(wanted)


def _not_taken(one: UpstreamFile, asked: tuple[bytes, str, bytes]) -> str:
    """Say what keeps an upstream from taking a request, asking it alone and with less and less in the way."""
    found = Router([one]).match(*asked)
    if isinstance(found, Matched):
        return f"prefix {one.match.prefix} would do, but another goes before it"
    if isinstance(found, MethodNotAllowed):
        return f"method: it takes {', '.join(one.match.methods) or 'those that are registered'}"
    if isinstance(found, Rejected):
        return found.reason
    anywhere = one.model_copy(update={"match": one.match.model_copy(update={"hosts": ()})})
    if one.match.hosts and not _is_lost(Router([anywhere]).match(*asked)):
        return f"host: it wants {' or '.join(one.match.hosts)}"
    return f"prefix: it wants {one.match.prefix}"


def _is_lost(match: Match) -> bool:
    return not isinstance(match, Matched | MethodNotAllowed)


def _route_candidate(
    other: RouteConfig, upstream: UpstreamFile, taken: RouteConfig | None, asked: tuple[bytes, str, bytes]
) -> RouteCandidate:
    if other is taken:
        return RouteCandidate(route=route_name(other), taken=True, reason=f"path {other.match.path}")
    segments = segments_of(asked[2].partition(b"?")[0])
    if segments[-1:] == [b""]:
        segments = segments[:-1]
    depth = len(pattern_of(upstream.match.prefix))
    whenever = other.model_copy(update={"match": other.match.model_copy(update={"methods": ()})})
    if RouteTree([other]).find(segments, depth, asked[1]) is not None:
        reason = f"path {other.match.path} would do, but a more specific route goes before it"
    elif RouteTree([whenever]).find(segments, depth, asked[1]) is not None:
        reason = f"method: it wants {' or '.join(other.match.methods)}"
    else:
        reason = f"path: it wants {other.match.path}"
    return RouteCandidate(route=route_name(other), taken=False, reason=reason)
