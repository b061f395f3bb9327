"""Which policies a configuration has, and where each is written: its scope, by which two of one name are told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.config.granted import granted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.config.limits import PolicyConfig
    from gateway.config.load import Configuration
    from gateway.config.models import ClientConfig, GatewayFile, RouteConfig, UpstreamFile
    from gateway.limits import Policy

Policies = tuple["Policy", ...]

_CLIENT: Final = "client"
_ROUTE: Final = "route"


def of_gateway(gateway: GatewayFile) -> Policies:
    """Return the policies of every request that reaches an upstream."""
    return _compiled(gateway.limits, "gateway")


def of_client(gateway: GatewayFile, client: ClientConfig) -> Policies:
    """Return what stands in for `of_gateway` with a client: its own limits in place of those that count by client."""
    if not client.limits:
        return of_gateway(gateway)
    general = tuple(policy for policy in of_gateway(gateway) if "client" not in policy.key)
    return general + _compiled(client.limits, f"{_CLIENT}:{client.name}")


def of_way(upstream: UpstreamFile, route: RouteConfig | None) -> Policies:
    """Return the policies of an upstream's requests, by a route or by none; last its declared budgets."""
    found = _compiled(upstream.limits, f"upstream:{upstream.name}")
    budgets = tuple(policy for budget in granted(upstream) for policy in budget.declared.policies())
    if route is None:
        return found + budgets
    scope = f"{_ROUTE}:{upstream.name}:{route.name or upstream.routes.index(route)}"
    return found + _compiled(route.limits, scope) + budgets


def upstream_of(scope: str) -> str | None:
    """Return the upstream that a scope is of, be it the scope of a route or of a budget; None for all others."""
    kind, *names = scope.split(":")
    if not names or kind == _CLIENT:
        return None
    return names[0] if kind == _ROUTE else names[-1]


def all_of(configuration: Configuration) -> Policies:
    """Return every policy once, in the order of the files."""
    return tuple({policy.id: policy for policy in _all(configuration)}.values())


def _all(configuration: Configuration) -> Iterator[Policy]:
    gateway = configuration.gateway
    yield from of_gateway(gateway)
    for client in gateway.clients:
        yield from of_client(gateway, client)
    for upstream in configuration.upstreams:
        for route in (None, *upstream.settings.routes):
            yield from of_way(upstream.settings, route)


def _compiled(configs: Iterable[PolicyConfig], scope: str) -> Policies:
    return tuple(config.policy(scope) for config in configs)
