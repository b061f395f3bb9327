"""Every limit of a configuration: where it stands, and which requests meet it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.config.faults import fault_at
from gateway.pipeline.methods import FORWARDED, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.config.document import Document
    from gateway.config.limits import PolicyConfig
    from gateway.config.load import Configuration
    from gateway.config.models import RouteConfig, UpstreamFile
    from gateway.errors import Fault
    from gateway.limits import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A policy at its place. The requests of `client`, `upstream` and `route` alone meet it, each None for any.

    `route` is a place among the upstream's routes.
    """

    policy: Policy
    document: Document
    at: tuple[str | int, ...]
    client: str | None = None
    upstream: UpstreamFile | None = None
    route: int | None = None

    @property
    def by_client(self) -> bool:
        """Tell whether it stands back for a client that has limits of its own."""
        return self.client is None and self.upstream is None and "client" in self.policy.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Placed):
    """A limit that we impose. `methods` are those that a request which meets it can have."""

    config: PolicyConfig
    methods: frozenset[str]

    def warn(self, key: str | tuple[str | int, ...], message: str, hint: str) -> Fault:
        """Return a fault at one of the limit's keys."""
        below = (key,) if isinstance(key, str) else key
        return fault_at(self.document, (*self.at, *below), f'limit "{self.config.name}": {message}', hint)


def limits_of(configuration: Configuration) -> tuple[Limit, ...]:
    """Return all limits of a configuration, those that more requests meet first."""
    gateway, document = configuration.gateway, configuration.document
    every = frozenset[str]().union(*(_methods(upstream.settings) for upstream in configuration.upstreams))
    found = _placed(gateway.limits, document, (), every)
    for index, client in enumerate(gateway.clients):
        found += _placed(client.limits, document, ("clients", index), every, client=client.name)
    for upstream in configuration.upstreams:
        settings, document = upstream.settings, upstream.document
        found += _placed(settings.limits, document, (), _methods(settings), upstream=settings)
        for index, route in enumerate(settings.routes):
            methods = _route_methods(settings, route)
            found += _placed(route.limits, document, ("routes", index), methods, upstream=settings, route=index)
    return tuple(found)


def _placed(
    configs: Sequence[PolicyConfig],
    document: Document,
    at: tuple[str | int, ...],
    methods: frozenset[str],
    *,
    client: str | None = None,
    upstream: UpstreamFile | None = None,
    route: int | None = None,
) -> list[Limit]:
    return [
        Limit(
            config=config,
            policy=config.policy(""),
            document=document,
            at=(*at, "limits", index),
            methods=methods,
            client=client,
            upstream=upstream,
            route=route,
        )
        for index, config in enumerate(configs)
    ]


def _methods(upstream: UpstreamFile) -> frozenset[str]:
    """Return the methods that come through to an upstream: those it lists, or the usual ones and its routes' own."""
    if upstream.match.methods:
        return listed(upstream.match.methods)
    return FORWARDED.union(*(listed(route.match.methods) for route in upstream.routes))


def _route_methods(upstream: UpstreamFile, route: RouteConfig) -> frozenset[str]:
    return listed(route.match.methods) or listed(upstream.match.methods) or FORWARDED
