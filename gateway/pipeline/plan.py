"""What is to be done with the replies of one route of one upstream, settled once at load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from gateway.config.presets import LAST_RESORT
from gateway.dialects.reader import Dialect
from gateway.headers import AddressMap

if TYPE_CHECKING:
    from gateway.config.limits import Mode
    from gateway.config.load import Upstream
    from gateway.config.models import GatewayFile, RouteConfig, UpstreamFile


class Plan(Struct, frozen=True, kw_only=True):
    """How the replies of one route are read, and how much of them may be held in memory (bytes).

    `links` says where clients find the upstream's addresses; None leaves them as they are. `shadow`: what is read is
    told to operators alone, and replies pass as they came. `last_resort` is the dialect whose readings are guesses;
    None where the upstream is said to speak it.
    """

    upstream: str
    dialect: Dialect
    unify: bool
    translate: bool
    owns_credential: bool
    expose_upstream: bool
    success_bytes: int
    error_bytes: int
    links: AddressMap | None
    shadow: bool = False
    last_resort: str | None = LAST_RESORT


def plan_of(gateway: GatewayFile, upstream: Upstream, route: RouteConfig | None) -> Plan:
    """Return the plan of a route, or of the upstream's requests that no route is for."""
    settings = upstream.settings
    success = upstream.dialect.success
    unify = success is not None and success.unify
    if route is not None and route.success is not None:
        unify = route.success == "unify" and success is not None
    return Plan(
        upstream=settings.name,
        dialect=upstream.dialect,
        unify=unify,
        translate=route is None or route.errors == "translate",
        owns_credential=settings.credentials is not None,
        expose_upstream=settings.expose_upstream,
        success_bytes=settings.capture.success_bytes,
        error_bytes=settings.capture.error_bytes,
        links=_addresses(gateway, settings),
        shadow=mode_of(settings, route) == "shadow",
        last_resort=None if settings.dialect.preset == LAST_RESORT else LAST_RESORT,
    )


def mode_of(settings: UpstreamFile, route: RouteConfig | None) -> Mode:
    """Return the mode of a route, or of the upstream's requests that no route is for."""
    return settings.mode if route is None or route.mode is None else route.mode


def _addresses(gateway: GatewayFile, settings: UpstreamFile) -> AddressMap:
    """Return where clients find what lies under an upstream's base URL: below the prefix, also where it is kept."""
    base, match = settings.base_url, settings.match
    prefix = match.prefix.rstrip("/")
    injections = () if settings.credentials is None else settings.credentials.inject
    return AddressMap(
        authority=base.authority.lower().encode("ascii"),
        path=(base.path.rstrip("/") + ("" if match.strip else prefix)).encode(),
        public=((gateway.public_url or "").rstrip("/") + prefix).encode(),
        parameters=frozenset(one.query.encode("ascii") for one in injections if one.query is not None),
    )
