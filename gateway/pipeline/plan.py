"""What is to be done with the replies of one route of one upstream, settled once at load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from gateway.dialects.reader import Dialect

if TYPE_CHECKING:
    from gateway.config.load import Upstream
    from gateway.config.models import GatewayFile, RouteConfig


class Links(Struct, frozen=True, kw_only=True):
    """Addresses under the upstream's base, mapped to ours; others stay as they are."""

    upstream: str
    public: str

    def rewrite(self, url: str | None) -> str | None:
        """Return the address under which the client reaches `url`."""
        if url is None or not url.startswith(self.upstream):
            return url
        rest = url[len(self.upstream) :]
        return self.public + rest if not rest or rest[0] in "/?#" else url


class Plan(Struct, frozen=True, kw_only=True):
    """How the replies of one route are read, and how much of them may be held in memory (bytes)."""

    upstream: str
    dialect: Dialect
    unify: bool
    translate: bool
    owns_credential: bool
    expose_upstream: bool
    success_bytes: int
    error_bytes: int
    links: Links


def plan_of(gateway: GatewayFile, upstream: Upstream, route: RouteConfig | None) -> Plan:
    """Return the plan of a route, or of the upstream's requests that no route is for."""
    settings = upstream.settings
    success = upstream.dialect.success
    unify = success is not None and success.unify
    if route is not None and route.success is not None:
        unify = route.success == "unify" and success is not None
    prefix = settings.match.prefix.rstrip("/") if settings.match.strip else ""
    return Plan(
        upstream=settings.name,
        dialect=upstream.dialect,
        unify=unify,
        translate=route is None or route.errors == "translate",
        owns_credential=settings.credentials is not None,
        expose_upstream=settings.expose_upstream,
        success_bytes=settings.capture.success_bytes,
        error_bytes=settings.capture.error_bytes,
        links=Links(upstream=str(settings.base_url), public=(gateway.public_url or "") + prefix),
    )
