"""Several processes' pages for operators as those of one gateway. Pure: JSON values in, one out.

What a member of a page means when there are several of it stands in the tables at the bottom, by its name. One that is
not there is shown once where all agree, and as the list of what they say where they do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.edge.status import CLIENTS_SHOWN, FAILURES_KEPT
from gateway.pipeline.radar import STATUSES_KEPT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Values = Sequence[Any]
    Rules = Mapping[str, Callable[[Values], object]]


def status(pages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what `/status` tells of all processes together; nothing is known when none answered."""
    return _members(pages, _STATUS)


def unknown_shapes(pages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the unknown shapes of all processes: those of one fingerprint are one."""
    merged = _named([page["upstreams"] for page in pages], "name", _SIGHTINGS)
    return {"upstreams": sorted(merged, key=lambda one: -one["seen"])}


def _members(values: Values, rules: Rules) -> dict[str, Any]:
    """Merge objects, member by member, each by its rule."""
    names = list(dict.fromkeys(name for value in values for name in value))
    return {name: rules.get(name, _alike)([value[name] for value in values if name in value]) for name in names}


def _named(lists: Values, name: str, rules: Rules) -> list[dict[str, Any]]:
    """Merge lists of objects: those whose members called `name` are equal become one."""
    found: dict[Any, list[dict[str, Any]]] = {}
    for one in (one for values in lists for one in values):
        found.setdefault(one[name], []).append(one)
    return [_members(ones, rules) for ones in found.values()]


def _alike(values: Values) -> object:
    """Return what all say, or the list of what they say."""
    different = [value for index, value in enumerate(values) if value not in values[:index]]
    return different[0] if len(different) == 1 else different


def _sums(values: Values) -> dict[str, int]:
    """Add numbers up, name by name."""
    result: dict[str, int] = {}
    for value in values:
        for name, number in value.items():
            result[name] = result.get(name, 0) + number
    return result


def _newest(values: Values) -> list[dict[str, Any]]:
    failures = [failure for value in values for failure in value]
    return sorted(failures, key=lambda failure: -failure["time"])[:FAILURES_KEPT]


def _refused(values: Values) -> list[dict[str, Any]]:
    counts = _sums([{one["client"]: one["refused"] for one in value} for value in values])
    ranked = sorted(counts.items(), key=lambda pair: -pair[1])[:CLIENTS_SHOWN]
    return [{"client": client, "refused": count} for client, count in ranked]


def _shapes(values: Values) -> list[dict[str, Any]]:
    merged = _named(values, "fingerprint", _SHAPE)
    return sorted(merged, key=lambda shape: (-shape["count"], -shape["last_seen"]))


def _statuses(values: Values) -> list[int]:
    return list(dict.fromkeys(status for value in values for status in value))[:STATUSES_KEPT]


def _first(values: Values) -> object:
    return values[0]


def _first_known(values: Values) -> object:
    return next((value for value in values if value is not None), None)


_UPSTREAM: Final[Rules] = {"pool": _sums, "outcomes": _sums, "last_failures": _newest}
_STATUS: Final[Rules] = {
    "uptime_s": max,
    "in_flight": sum,
    "upstreams": lambda values: _named(values, "name", _UPSTREAM),
    "refused_clients": _refused,
}
_SHAPE: Final[Rules] = {
    "count": sum,
    "first_seen": min,
    "last_seen": max,
    "statuses": _statuses,
    "sample": _first,  # of the same shape, and of other lengths
    "suggested_rule": _first_known,
}
_SIGHTINGS: Final[Rules] = {"seen": sum, "shapes": _shapes}
