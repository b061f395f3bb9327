"""What two configurations say differently, key by key; what may be secret is told to differ and not shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from gateway.config.models import DialectChoice
from gateway.dialects.explain import printable, shown
from gateway.pipeline.routes import route_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

    from gateway.config.models import GatewayFile, RouteConfig, UpstreamFile

_HIDDEN: Final = frozenset({"credentials", "request", "tls", "socket", "clients", "access_log"})
"""Keys whose values are not shown: credentials, fixed header fields, names of files."""
_NOT_COMPARED: Final = frozenset({"version", "name", "examples", "routes"})


class SettingChange(Struct, frozen=True, kw_only=True):
    """One key that differs. `upstream` is None for the gateway's own; `old` and `new` are null where nothing is shown.

    `kind` is `added`, `removed` or `changed`; `key` is empty where the whole upstream was.
    """

    upstream: str | None
    kind: str
    key: str
    old: str | None = None
    new: str | None = None


def gateway_changes(old: GatewayFile, new: GatewayFile) -> Iterator[SettingChange]:
    """Give the keys of the gateway's file that differ."""
    yield from _keys(None, "", old, new)


def upstream_changes(old: Mapping[str, UpstreamFile], new: Mapping[str, UpstreamFile]) -> Iterator[SettingChange]:
    """Give the upstreams and routes that come, go, or change; dialects are compared by what they do."""
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield SettingChange(upstream=name, kind="removed", key="")
        elif name not in old:
            yield SettingChange(upstream=name, kind="added", key="")
        else:
            yield from _keys(name, "", old[name], new[name])
            yield from _routes(name, old[name].routes, new[name].routes)


def _routes(upstream: str, old: tuple[RouteConfig, ...], new: tuple[RouteConfig, ...]) -> Iterator[SettingChange]:
    before, after = ({_pattern(route): route for route in routes} for routes in (old, new))
    for pattern in [*before, *(one for one in after if one not in before)]:
        if pattern not in after:
            yield _route(upstream, "removed", before[pattern])
        elif pattern not in before:
            yield _route(upstream, "added", after[pattern])
        else:
            yield from _keys(upstream, f"routes[{route_name(after[pattern])}].", before[pattern], after[pattern])


def _pattern(route: RouteConfig) -> tuple[str, frozenset[str]]:
    return route.match.path, frozenset(route.match.methods)


def _route(upstream: str, kind: str, route: RouteConfig) -> SettingChange:
    return SettingChange(upstream=upstream, kind=kind, key=printable(f"routes[{route_name(route)}]"))


def _keys(upstream: str | None, at: str, old: BaseModel, new: BaseModel) -> Iterator[SettingChange]:
    """Give the keys of two mappings that differ, as a file spells them."""
    for name, field in type(old).model_fields.items():
        if name in _NOT_COMPARED or _compared(getattr(old, name)) == _compared(getattr(new, name)):
            continue
        key = field.alias or name
        hidden = name in _HIDDEN
        yield SettingChange(
            upstream=upstream,
            kind="changed",
            key=printable(at + key),
            old=None if hidden else _said(old, name, key),
            new=None if hidden else _said(new, name, key),
        )


def _compared(value: object) -> object:
    """Return what of a value is compared: of a dialect of one's own only that it is one, for it is tried by replies."""
    return value.preset if isinstance(value, DialectChoice) else value


def _said(model: BaseModel, name: str, key: str) -> str:
    written: dict[str, Any] = model.model_dump(mode="json", by_alias=True, include={name}, exclude_defaults=True)
    if key not in written:
        return "(default)"
    value = written[key]
    return "(rules of its own)" if name == "dialect" and isinstance(value, dict) else shown(value)
