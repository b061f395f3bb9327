"""What a limit says in vain by itself: keys that cannot tell requests apart, settings that nothing looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.headers.places import PLACES, Place
from gateway.limits import Algorithm
from gateway.limits.policy import HEADER_PART
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.config.load import Configuration
    from gateway.errors import Fault
    from gateway.pipeline.vain.placed import Limit

_LEFT_BY_PROXIES: Final = frozenset({b"forwarded", b"x-forwarded-for"})
_LEAVE_OUT: Final = "leave it out"


def vain_alone(limit: Limit, configuration: Configuration) -> Iterator[Fault]:
    """Find what a limit says in vain."""
    for check in _CHECKS:
        yield from check(limit, configuration)


# ---- keys ----------------------------------------------------------------------------------------------------------


def _constant_parts(limit: Limit, configuration: Configuration) -> Iterator[Fault]:
    """Find parts of a key that are the same for every request which meets the limit.

    `client` on a client's own, `upstream` on an upstream's and `route` on a route's say in one word that all are
    counted together, and are let be.
    """
    key = limit.config.key
    for index, part in enumerate(key):
        reason = _same_for_all(limit, part, configuration)
        if reason and len(key) > 1:
            yield limit.warn(("key", index), f"{part} adds nothing to the key: {reason}", _LEAVE_OUT)
        elif reason and part not in _plainly_together(limit):
            yield limit.warn("key", f"{part} tells no requests apart: {reason}", _INSTEAD[part])


def _same_for_all(limit: Limit, part: str, configuration: Configuration) -> str:
    """Say why a part of the key is the same for all requests of a limit; empty where it is not."""
    upstream = limit.upstream
    if part == "method" and len(limit.methods) == 1:
        return f"all that meet this limit are {min(limit.methods)}"
    if part == "client" and limit.client is not None:
        return "all that meet this limit are this client's"
    if part == "upstream" and upstream is not None:
        return f"all that meet this limit are this {'upstream' if limit.route is None else 'route'}'s"
    if part == "route":
        if limit.route is not None:
            return "all that meet this limit are this route's"
        if upstream is not None:
            return "" if upstream.routes else "this upstream has no routes"
        return "" if any(one.settings.routes for one in configuration.upstreams) else "no upstream has routes"
    return ""


def _plainly_together(limit: Limit) -> tuple[str, ...]:
    """Return the parts by which a limit says, all alone, that its requests are counted together."""
    if limit.route is not None:
        return ("route",)
    return ("upstream",) if limit.upstream is not None else ("client",)


_INSTEAD: Final = {
    "method": "count by upstream or route to count all together, or by client or ip to tell clients apart",
    "upstream": "write route, or move the limit up to the upstream's own",
    "route": "write upstream, or name routes",
}


def _header_parts(limit: Limit, configuration: Configuration) -> Iterator[Fault]:
    """Find fields that no request has, and those that others say better."""
    gateway = configuration.gateway
    ours = gateway.client_header.lower().replace("_", "-").encode("ascii") if gateway.clients else None
    for index, part in enumerate(limit.config.key):
        if not part.startswith(HEADER_PART):
            continue
        name, place = PLACES[part.removeprefix(HEADER_PART).encode("ascii")]
        at = ("key", *((index,) if len(limit.config.key) > 1 else ()))
        if place is Place.SHADOW:
            message = f"no request has {part}: one that does is refused, so all are counted by their address"
            yield limit.warn(at, message, f"write header:{name.decode('ascii')}")
        elif name == ours:
            message = f"{part} is where clients send their keys: whoever makes one up begins a new count"
            yield limit.warn(at, message, "write client, which counts known clients by name")
        elif name in _LEFT_BY_PROXIES:
            message = f"clients write {part} themselves, and whoever writes something else begins a new count"
            yield limit.warn(at, message, "write ip, and name the proxies in front in trusted_proxies")


# ---- costs and waiting ---------------------------------------------------------------------------------------------


def _costs(limit: Limit, _configuration: Configuration) -> Iterator[Fault]:
    """Find costs of methods that no request has, and limits that count nothing."""
    cost = limit.config.cost
    if isinstance(cost, int):
        return
    for method in sorted(cost.keys() - limit.methods):
        yield limit.warn(("cost", method), f"no request that meets this limit can be {method}", _LEAVE_OUT)
    if all(limit.policy.cost_of(method) == 0 for method in limit.methods):
        yield limit.warn("cost", "every request that meets this limit costs 0: it counts nothing", "let some cost 1")


def _short_waits(limit: Limit, _configuration: Configuration) -> Iterator[Fault]:
    """Find waits that are shorter than the time between two requests."""
    policy = limit.policy
    between_us = _between_us(limit)
    if policy.max_wait_us and policy.max_wait_us < between_us:
        longest, between = _span(policy.max_wait_us), _span(between_us)
        message = (
            f"a request waits {longest} at most, and one comes back every {between}: "
            f"only those get in that come in the last {longest} of it"
        )
        yield limit.warn("max_wait", message, f"let them wait {between} or longer, or refuse them")


def _between_us(limit: Limit) -> int:
    """Return how long it takes until there is enough again for the cheapest request that costs anything."""
    policy = limit.policy
    if policy.algorithm is Algorithm.CALENDAR:
        return policy.per_us
    if policy.algorithm is not Algorithm.GCRA:
        return 0
    return policy.interval_us * min((cost for method in limit.methods if (cost := policy.cost_of(method))), default=0)


def _span(us: int) -> str:
    """Write a time in seconds."""
    return f"{us / US_IN_S:.15g}s"


# ---- the store -----------------------------------------------------------------------------------------------------


def _store_settings(limit: Limit, configuration: Configuration) -> Iterator[Fault]:
    """Find what is said of a store that cannot be away, or that is not asked."""
    config, store = limit.config, configuration.gateway.store
    said = config.model_fields_set
    if "on_store_error" in said and config.local:
        yield limit.warn("on_store_error", "on_store_error does nothing: a local limit asks no store", _LEAVE_OUT)
    elif store.redis is None:
        for key in ("on_store_error", "lease"):
            if key in said:
                message = f"{key} does nothing: it is for a store on the network, and this one is in memory"
                yield limit.warn(key, message, f"{_LEAVE_OUT}, or keep the counts in redis")


def _leases(limit: Limit, configuration: Configuration) -> Iterator[Fault]:
    """Find leases that are never taken, and those that take all."""
    policy = limit.policy
    if not policy.lease or configuration.gateway.store.redis is None:
        return
    if policy.algorithm is Algorithm.SLIDING_LOG:
        message = "lease does nothing: a sliding log counts each request from when it came"
        yield limit.warn("lease", message, f"{_LEAVE_OUT}, or count by gcra")
    elif policy.lease >= policy.burst:
        message = f"a lease of {policy.lease} takes all {policy.burst} that there are: one replica gets everything"
        yield limit.warn("lease", message, "take a small part of the burst")


_CHECKS: Final[tuple[Callable[[Limit, Configuration], Iterator[Fault]], ...]] = (
    _constant_parts,
    _header_parts,
    _costs,
    _short_waits,
    _store_settings,
    _leases,
)
