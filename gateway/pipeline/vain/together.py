"""What limits do to each other: one that never refuses since another is always tighter, and clients that have none."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gateway.config.faults import fault_at
from gateway.config.granted import granted
from gateway.limits.tighter import is_tighter
from gateway.pipeline.vain.placed import Placed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gateway.config.load import Configuration, Upstream
    from gateway.errors import Fault
    from gateway.pipeline.vain.placed import Limit


def vain_together(limits: Sequence[Limit], configuration: Configuration) -> Iterator[Fault]:
    """Find what limits have no effect beside each other."""
    yield from _never_refusing(limits, configuration)
    yield from _above_budgets(limits, configuration)
    yield from _only_in_shadow(limits, configuration)
    if limits:
        yield from _trusts_everybody(configuration)


def _never_refusing(limits: Sequence[Limit], configuration: Configuration) -> Iterator[Fault]:
    """Find limits beside which another one is always the tighter; of two that are equal, the later."""
    near = _by_upstream(enumerate(limits))
    for place, limit in enumerate(limits):
        for other_place, other in near[None] if limit.upstream is None else near[None] + near[limit.upstream.name]:
            if place == other_place or not _is_always_first(other, limit, configuration):
                continue
            if place < other_place and _is_always_first(limit, other, configuration):
                continue
            message = f"it never refuses a request: {_called(other)} is always reached first"
            yield limit.warn("name", message, "leave it out, or change the numbers of one of them")
            break


def _above_budgets(limits: Sequence[Limit], configuration: Configuration) -> Iterator[Fault]:
    """Find limits beside which the upstream's declared budget is always the tighter.

    A limit of no upstream is met with all of them, and only where there is but one is its budget sure to be met, too.
    """
    upstreams = configuration.upstreams
    for upstream in upstreams:
        budgets = _budgets(upstream)
        for limit in limits:
            if limit.upstream is not upstream.settings and (limit.upstream is not None or len(upstreams) > 1):
                continue
            for budget in budgets:
                if _counts_as_surely(budget, limit, configuration) and is_tighter(budget.policy, limit.policy):
                    message = (
                        f"it never refuses a request: the upstream's budget {_called(budget)} is always spent first"
                    )
                    yield limit.warn("name", message, "let less through than the upstream grants, or leave it out")
                    break


def _budgets(upstream: Upstream) -> list[Placed]:
    """Return the declared budgets of an upstream that count, and refuse, every request."""
    return [
        Placed(policy=one.declared.whole(), document=upstream.document, at=("budget",), upstream=upstream.settings)
        for one in granted(upstream.settings)
        if not one.paths and not one.declared.shadow
    ]


def _by_upstream(limits: Iterable[tuple[int, Limit]]) -> Mapping[str | None, list[tuple[int, Limit]]]:
    """Return limits by the upstream that they are of: only these, and those of none, are met together."""
    found: dict[str | None, list[tuple[int, Limit]]] = defaultdict(list)
    for place, limit in limits:
        found[None if limit.upstream is None else limit.upstream.name].append((place, limit))
    return found


def _is_always_first(other: Placed, limit: Placed, configuration: Configuration) -> bool:
    """Tell whether whatever `limit` would refuse, `other` surely refuses.

    It must be met by all requests that meet `limit`, count them under keys that are as coarse or coarser, be enforced
    and tighter, and count wherever `limit` does.
    """
    return (
        _meets_all(other, limit, configuration)
        and set(other.policy.key) <= _determined(limit)
        and not other.policy.shadow
        and _counts_as_surely(other, limit, configuration)
        and is_tighter(other.policy, limit.policy)
    )


def _meets_all(other: Placed, limit: Placed, configuration: Configuration) -> bool:
    """Tell whether every request that meets `limit` meets `other`."""
    if other.by_client and not limit.by_client and any(client.limits for client in configuration.gateway.clients):
        return False
    if other.client is not None:
        return other.client == limit.client
    if other.upstream is None:
        return True
    return other.upstream is limit.upstream and other.route in (None, limit.route)


def _determined(limit: Placed) -> set[str]:
    """Return the parts of a key that are known for all requests counted together by a limit."""
    parts = set(limit.policy.key)
    if limit.client is not None:
        parts.add("client")
    if limit.route is not None:
        parts.add("route")
    if limit.upstream is not None or "route" in parts:
        parts.add("upstream")
    return parts


def _counts_as_surely(other: Placed, limit: Placed, configuration: Configuration) -> bool:
    """Tell whether `other` is exact wherever `limit` is asked: in all processes together, and without the store."""
    if configuration.gateway.store.memory is not None or (other.policy.local and limit.policy.local):
        return True
    if other.policy.local or limit.policy.local:
        return False
    return other.policy.on_store_error is limit.policy.on_store_error


def _called(placed: Placed) -> str:
    (line, _), _ = placed.document.place(placed.at)
    return f'"{placed.policy.name}" ({placed.document.file}:{line})'


def _only_in_shadow(limits: Sequence[Limit], configuration: Configuration) -> Iterator[Fault]:
    """Find clients that lose limits for ones that refuse nobody."""
    general = [limit.config.name for limit in limits if limit.by_client and not limit.policy.shadow]
    for index, client in enumerate(configuration.gateway.clients):
        if general and client.limits and all(limit.mode == "shadow" for limit in client.limits):
            message = (
                f"all of this client's own limits are in shadow mode, and stand in place of {', '.join(general)}: "
                "nothing of these refuses it"
            )
            hint = "enforce one of them; until then write the general limit down here too"
            yield fault_at(configuration.document, ("clients", index, "limits"), message, hint)


def _trusts_everybody(configuration: Configuration) -> Iterator[Fault]:
    """Find proxies that are everybody: the address that counts is then the one that the client wrote itself."""
    for index, network in enumerate(configuration.gateway.trusted_proxies):
        if network.prefixlen == 0:
            message = "every address is a trusted proxy: limits count by the address that the client itself writes"
            hint = "name the networks of your own proxies"
            yield fault_at(configuration.document, ("trusted_proxies", index), message, hint)
