"""What the configuration means for a request, worked out once: the way to each upstream, and to each of its routes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from msgspec import Struct

from gateway.config import policies
from gateway.edge.limiting.budgets import counted
from gateway.headers import CREDENTIALS, ReplyRules, RequestRules, Secrets, strip_parameters
from gateway.limits import Policy
from gateway.pipeline import words
from gateway.pipeline.codings import ACCEPTED
from gateway.pipeline.counted import Counted
from gateway.pipeline.plan import Plan, mode_of, plan_of
from gateway.pipeline.radar import Sightings
from gateway.pipeline.routes import route_name
from gateway.pipeline.routing import Router
from gateway.pipeline.writers.table import Writers
from gateway.pipeline.writers.writer import Writer
from gateway.upstream import Pool, Reach, Transport, pool_of, reach_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from gateway.config.load import Configuration, Upstream
    from gateway.config.models import BasicInjection, ClientConfig, GatewayFile, Injection, RouteConfig, UpstreamFile
    from gateway.edge.limiting.budgets import Budgets
    from gateway.model import Header
    from gateway.pipeline.matches import Matched
    from gateway.upstream import Stats


class Way(Struct, frozen=True, kw_only=True, eq=False):
    """How requests of one route reach their upstream, and how its replies come back.

    Of its policies those in `counted`, by id, are for some of its requests only.

    `query` is what is added to each query: credentials, in place of the client's `parameters` of those names. `secrets`
    is what of ours must not come back; None where the upstream knows nothing of ours. `unknown` is told what its
    replies look like that no dialect knows. `view` is how its problems are written, None where `Accept` chooses.
    `tunnel_idle_s` is how long a tunnel may rest.
    """

    upstream: str
    route: str | None
    plan: Plan
    policies: tuple[Policy, ...]
    request: RequestRules
    reply: ReplyRules
    query: bytes
    parameters: frozenset[bytes]
    secrets: Secrets | None
    unknown: Sightings
    view: Writer | None
    tunnel_idle_s: float
    transport: Transport
    counted: Mapping[str, Counted] = {}

    def target(self, matched: Matched) -> bytes:
        """Return the target that goes upstream: what was matched, byte for byte, and what we add to its query."""
        if not self.query:
            return matched.target
        target = strip_parameters(matched.target, self.parameters)
        path, _, query = target.partition(b"?")
        return b"%s?%s&%s" % (path, query, self.query) if query else b"%s?%s" % (path, self.query)


class Ways:
    """All ways, the transports behind them, and by upstream's name what its replies look like that no dialect knows.

    `environ` holds the secrets that the configuration names.

    Those that stay as they were are taken over from the ways `before`: a pool while its upstream is reached in the same
    way, what was seen of unknown replies while the upstream has its name.

    Raises ValueError for a configuration that cannot work, KeyError for a variable that is not set, ConfigError for
    files that cannot be used.
    """

    def __init__(
        self,
        config: Configuration,
        environ: Mapping[str, str],
        budgets: Budgets,
        loop: asyncio.AbstractEventLoop,
        before: Ways | None = None,
    ) -> None:
        """Work everything out; no connection is opened yet, and nothing of `before` is changed."""
        settings = [upstream.settings for upstream in config.upstreams]
        self.router = Router(settings)
        self._config = config
        self._budgets = budgets
        self._writers = Writers(config.views)
        self._pools = {one.settings.name: _reached(one, loop, before) for one in config.upstreams}
        self._shown = {one.name: _described(one) for one in settings}
        shown = words.shipped()
        secrets = {one.settings.name: _secrets(one, environ) for one in config.upstreams}
        self.unknown = {
            one.settings.name: _sightings(shown, secrets[one.settings.name], one, before) for one in config.upstreams
        }
        kept = {} if before is None else self._kept(before)
        self._ways = [
            kept.get(id(one)) or self._of(config.gateway, one, environ, secrets[one.settings.name])
            for one in config.upstreams
        ]

    def _kept(self, before: Ways) -> Mapping[int, dict[int, Way]]:
        """Return the ways that are what they were, by the identity of their upstreams."""
        if before._config.gateway != self._config.gateway or before._config.views != self._config.views:
            return {}
        return {
            id(one): ways
            for one, ways in zip(before._config.upstreams, before._ways, strict=True)
            if self._pools.get(one.settings.name) is before._pools[one.settings.name]
        }

    def retired(self, after: Ways) -> list[Pool]:
        """Return the pools that those who come `after` do not use."""
        used = {id(reached.pool) for reached in after._pools.values()}
        return [reached.pool for reached in self._pools.values() if id(reached.pool) not in used]

    @property
    def pools(self) -> Mapping[str, Pool]:
        """Return the pool of each upstream, by its name."""
        return {name: reached.pool for name, reached in self._pools.items()}

    def of(self, matched: Matched) -> Way:
        """Return the way of a request that the router found."""
        return self._ways[matched.upstream][id(matched.route)]

    def views_of(self, clients: Iterable[ClientConfig]) -> Mapping[str, Writer]:
        """Return the views that clients have of their own, by the client's name."""
        return {client.name: self._writers.named(client.view) for client in clients if client.view is not None}

    def describe(self) -> Mapping[str, Mapping[str, Any]]:
        """Return each upstream's address, mode and pool, for the operator."""
        return {name: {**self._shown[name], "pool": _pool(reached.pool)} for name, reached in self._pools.items()}

    def stats(self) -> Mapping[str, Stats]:
        """Return how each upstream's pool stands."""
        return {name: reached.pool.stats() for name, reached in self._pools.items()}

    def _of(
        self, gateway: GatewayFile, upstream: Upstream, environ: Mapping[str, str], secrets: Secrets | None
    ) -> dict[int, Way]:
        """Return an upstream's ways by the identity of their route (the configuration lives as long as they do)."""
        rules = counted(upstream, self._budgets.watched[upstream.settings.name].held)
        return {
            id(route): self._way(gateway, upstream, route, environ, secrets=secrets, rules=rules)
            for route in (None, *upstream.settings.routes)
        }

    def _view(self, name: str | None) -> Writer | None:
        return None if name is None else self._writers.named(name)

    def _way(
        self,
        gateway: GatewayFile,
        upstream: Upstream,
        route: RouteConfig | None,
        environ: Mapping[str, str],
        *,
        secrets: Secrets | None,
        rules: Mapping[str, Counted],
    ) -> Way:
        settings = upstream.settings
        name = settings.name
        plan = plan_of(gateway, upstream, route)
        return Way(
            upstream=name,
            route=None if route is None else route_name(route),
            plan=plan,
            policies=policies.of_way(settings, route) + self._budgets.policies(name),
            counted=rules,
            request=_request_rules(gateway, upstream, plan, environ),
            reply=_reply_rules(gateway, upstream, plan, secrets),
            query=_query(upstream, environ),
            parameters=frozenset() if plan.links is None else plan.links.parameters,
            secrets=secrets,
            unknown=self.unknown[name],
            view=self._view(settings.view if route is None or route.view is None else route.view),
            tunnel_idle_s=settings.timeouts.tunnel_idle_s,
            transport=self._pools[name].pool,
        )


class _Reached(Struct, frozen=True, eq=False):
    """A pool, and how its upstream was reached when it was made."""

    reach: Reach
    pool: Pool


def _reached(upstream: Upstream, loop: asyncio.AbstractEventLoop, before: Ways | None) -> _Reached:
    """Return the pool to an upstream: the one from `before` where it would be made of the same."""
    reach = reach_of(upstream)
    known = None if before is None else before._pools.get(upstream.settings.name)  # noqa: SLF001 - as `Ways` does
    return known if known is not None and known.reach == reach else _Reached(reach, pool_of(upstream, loop))


def _sightings(shown: frozenset[str], secrets: Secrets | None, upstream: Upstream, before: Ways | None) -> Sightings:
    """Return what was seen of an upstream's replies; from now on its `secrets` are kept out."""
    known = None if before is None else before.unknown.get(upstream.settings.name)
    if known is None:
        return Sightings(shown, secrets)
    known.keep_out(secrets)
    return known


def _described(settings: UpstreamFile) -> dict[str, Any]:
    """Return what the status page tells of an upstream's file: `route_modes` are those of routes that say otherwise."""
    modes = {route_name(route): mode_of(settings, route) for route in settings.routes}
    return {
        "base_url": str(settings.base_url),
        "mode": settings.mode,
        "route_modes": {route: mode for route, mode in modes.items() if mode != settings.mode},
    }


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
        drop=_withheld(gateway, upstream),
        accept=None if upstream.dialect.accept is None else upstream.dialect.accept.encode("ascii"),
        encodings=ACCEPTED if plan.translate or plan.unify else None,
    )


def _withheld(gateway: GatewayFile, upstream: Upstream) -> frozenset[bytes]:
    """Return the client's fields that stay here: its key for us, and, where we go upstream as ourselves, who it is.

    Cookies go both ways all the same where the configuration maps them.
    """
    settings = upstream.settings
    withheld = {gateway.client_header.lower().encode("ascii")} if gateway.clients else set()
    if settings.credentials is not None:
        withheld |= CREDENTIALS - {b"cookie"} if settings.rewrite.cookies else CREDENTIALS
    return frozenset(withheld)


def _reply_rules(gateway: GatewayFile, upstream: Upstream, plan: Plan, secrets: Secrets | None) -> ReplyRules:
    settings = upstream.settings
    return ReplyRules(
        via=gateway.via.encode("ascii"),
        own_credential=plan.owns_credential,
        secrets=secrets,
        keep_rate=not plan.owns_credential,
        addresses=plan.links,
        locations=settings.rewrite.location,
        cookies=settings.rewrite.cookies,
    )


def _secrets(upstream: Upstream, environ: Mapping[str, str]) -> Secrets | None:
    """Return what an upstream could echo of our credentials; a user's name alone is none."""
    if upstream.settings.credentials is None:
        return None
    values: list[str] = []
    for one in _injections(upstream):
        if one.basic is not None:
            values += (environ[one.basic.password_env], _basic(one.basic, environ))
        elif one.value_env is not None:
            values.append(environ[one.value_env])
    return Secrets.of(values)


def _injections(upstream: Upstream) -> tuple[Injection, ...]:
    credentials = upstream.settings.credentials
    return () if credentials is None else credentials.inject


def _injected(injection: Injection, environ: Mapping[str, str]) -> Header | None:
    """Return the header field of a credential, None for one that goes into the query."""
    if injection.basic is not None:
        return b"Authorization", b"Basic " + _basic(injection.basic, environ).encode("ascii")
    if injection.header is None or injection.value_env is None:
        return None
    return injection.header.encode("ascii"), (injection.prefix + environ[injection.value_env]).encode()


def _basic(basic: BasicInjection, environ: Mapping[str, str]) -> str:
    """Return user and password as HTTP Basic writes them (RFC 7617 section 2)."""
    return b64encode(f"{environ[basic.user_env]}:{environ[basic.password_env]}".encode()).decode("ascii")


def _query(upstream: Upstream, environ: Mapping[str, str]) -> bytes:
    """Return the credentials that go into the query, as they are appended to it."""
    pairs = [
        f"{injection.query}={quote(injection.prefix + environ[injection.value_env], safe='')}"
        for injection in _injections(upstream)
        if injection.query is not None and injection.value_env is not None
    ]
    return "&".join(pairs).encode("ascii")
