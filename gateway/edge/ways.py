"""What the configuration means for a request, worked out once: the way to each upstream, and to each of its routes."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from msgspec import Struct

from gateway.edge.admission import compiled
from gateway.headers import AddressMap, ReplyRules, RequestRules
from gateway.limits import Policy
from gateway.pipeline.codings import ACCEPTED
from gateway.pipeline.plan import Plan, plan_of
from gateway.pipeline.routing import Router
from gateway.upstream import Pool, Transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config.load import Configuration, Upstream
    from gateway.config.models import GatewayFile, Injection, RouteConfig
    from gateway.model import Header
    from gateway.pipeline.routing import Matched


class Way(Struct, frozen=True, kw_only=True):
    """How requests of one route reach their upstream, and how its replies come back.

    `query` is what is added to each query: credentials, as a rule.
    """

    upstream: str
    route: str | None
    plan: Plan
    policies: tuple[Policy, ...]
    request: RequestRules
    reply: ReplyRules
    query: bytes
    transport: Transport

    def target(self, matched: Matched) -> bytes:
        """Return the target that goes upstream: what was matched, byte for byte, and what we add to its query."""
        if not self.query:
            return matched.target
        return matched.target + (b"&" if b"?" in matched.target else b"?") + self.query


class Ways:
    """All ways, and the transports behind them. `environ` holds the secrets that the configuration names.

    Raises ValueError for a configuration that cannot work, KeyError for a variable that is not set.
    """

    def __init__(self, config: Configuration, environ: Mapping[str, str]) -> None:
        """Work everything out; no connection is opened yet. Must be called in a running loop."""
        loop = asyncio.get_running_loop()
        settings = [upstream.settings for upstream in config.upstreams]
        self.router = Router(settings)
        self._pools = {one.name: Pool(one.base_url, one.timeouts, one.pool, loop) for one in settings}
        self._addresses = {one.name: str(one.base_url) for one in settings}
        self._ways = [self._of(config.gateway, upstream, environ) for upstream in config.upstreams]

    def of(self, matched: Matched) -> Way:
        """Return the way of a request that the router found."""
        return self._ways[matched.upstream][id(matched.route)]

    def describe(self) -> Mapping[str, Mapping[str, Any]]:
        """Return each upstream's address and pool, for the operator."""
        return {name: {"base_url": self._addresses[name], "pool": _pool(pool)} for name, pool in self._pools.items()}

    async def aclose(self) -> None:
        """Close every connection to the upstreams."""
        for pool in self._pools.values():
            await pool.aclose()

    def _of(self, gateway: GatewayFile, upstream: Upstream, environ: Mapping[str, str]) -> dict[int, Way]:
        """Return an upstream's ways by the identity of their route (the configuration lives as long as they do)."""
        return {id(route): self._way(gateway, upstream, route, environ) for route in (None, *upstream.settings.routes)}

    def _way(
        self, gateway: GatewayFile, upstream: Upstream, route: RouteConfig | None, environ: Mapping[str, str]
    ) -> Way:
        settings = upstream.settings
        name = settings.name
        policies = compiled(settings.limits, scope=f"upstream:{name}")
        if route is not None:
            policies += compiled(route.limits, scope=f"route:{name}:{settings.routes.index(route)}")
        plan = plan_of(gateway, upstream, route)
        return Way(
            upstream=name,
            route=None if route is None else _route_name(route),
            plan=plan,
            policies=policies,
            request=_request_rules(gateway, upstream, plan, environ),
            reply=_reply_rules(gateway, upstream),
            query=_query(upstream, environ),
            transport=self._pools[name],
        )


def _route_name(route: RouteConfig) -> str:
    """Return what metrics and limits call a route."""
    return route.name or " ".join((*route.match.methods, route.match.path))


def _pool(pool: Pool) -> dict[str, int]:
    stats = pool.stats()
    return {"open": stats.open, "idle": stats.idle, "waiting": stats.waiting}


def _request_rules(gateway: GatewayFile, upstream: Upstream, plan: Plan, environ: Mapping[str, str]) -> RequestRules:
    settings = upstream.settings
    fixed = [(name.encode("ascii"), value.encode()) for name, value in settings.request.headers.set.items()]
    fixed += [field for one in _injections(upstream) if (field := _injected(one, environ)) is not None]
    return RequestRules(
        host=(settings.request.host or settings.base_url.authority).encode("ascii"),
        via=gateway.via.encode("ascii"),
        fixed=tuple(fixed),
        remove=frozenset(name.lower().encode("ascii") for name in settings.request.headers.remove),
        drop=frozenset((gateway.client_header.lower().encode("ascii"),)) if gateway.clients else frozenset(),
        accept=None if upstream.dialect.accept is None else upstream.dialect.accept.encode("ascii"),
        encodings=ACCEPTED if plan.translate or plan.unify else None,
    )


def _reply_rules(gateway: GatewayFile, upstream: Upstream) -> ReplyRules:
    settings = upstream.settings
    base = settings.base_url
    prefix = settings.match.prefix.rstrip("/") if settings.match.strip else ""
    addresses = AddressMap(
        authority=base.authority.lower().encode("ascii"),
        path=base.path.encode("ascii"),
        public=((gateway.public_url or "") + prefix).encode("ascii"),
    )
    owns_credential = settings.credentials is not None
    return ReplyRules(
        via=gateway.via.encode("ascii"),
        own_credential=owns_credential,
        keep_rate=not owns_credential,
        addresses=addresses,
        locations=settings.rewrite.location,
        cookies=settings.rewrite.cookies,
    )


def _injections(upstream: Upstream) -> tuple[Injection, ...]:
    credentials = upstream.settings.credentials
    return () if credentials is None else credentials.inject


def _injected(injection: Injection, environ: Mapping[str, str]) -> Header | None:
    """Return the header field of a credential, None for one that goes into the query."""
    if injection.basic is not None:
        pair = f"{environ[injection.basic.user_env]}:{environ[injection.basic.password_env]}"
        return b"Authorization", b"Basic " + b64encode(pair.encode())
    if injection.header is None or injection.value_env is None:
        return None
    return injection.header.encode("ascii"), (injection.prefix + environ[injection.value_env]).encode()


def _query(upstream: Upstream, environ: Mapping[str, str]) -> bytes:
    """Return the credentials that go into the query, as they are appended to it."""
    pairs = [
        f"{injection.query}={quote(injection.prefix + environ[injection.value_env], safe='')}"
        for injection in _injections(upstream)
        if injection.query is not None and injection.value_env is not None
    ]
    return "&".join(pairs).encode("ascii")
