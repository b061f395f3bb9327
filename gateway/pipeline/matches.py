"""What routing finds: a way, or why there is none."""

from __future__ import annotations

from msgspec import Struct

from gateway.config.models import RouteConfig


class Matched(Struct, frozen=True):
    """A request has a way: the upstream's place in the configuration, its route if one is for it, the target to send.

    `target` is whole: the path of the upstream's base URL, what stood behind the prefix, and the query, byte for byte.
    """

    upstream: int
    route: RouteConfig | None
    target: bytes


class NotFound(Struct, frozen=True):
    """No upstream has this path on this host."""


class MethodNotAllowed(Struct, frozen=True):
    """The path is an upstream's, but not with this method. `allow` is sorted, for the field of that name."""

    allow: tuple[str, ...]


class Rejected(Struct, frozen=True):
    """The path could be read as another one's; `reason` is safe to show."""

    reason: str


Match = Matched | NotFound | MethodNotAllowed | Rejected
