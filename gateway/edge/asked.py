"""What a request's head comes to: asked of an upstream, or refused."""

from __future__ import annotations

from msgspec import Struct

from gateway.edge.ways import Way
from gateway.model import Problem


class Asked(Struct, frozen=True):
    """A request that will be taken: where it goes, and its body as declared (`length` in bytes, None when chunked).

    `lines` are its fields as they go upstream, each with its line break. `upgrade` is the key of a WebSocket handshake,
    None for any other request.
    """

    way: Way
    target: bytes
    lines: bytes
    length: int | None
    chunked: bool
    expects_continue: bool
    upgrade: bytes | None

    @property
    def has_body(self) -> bool:
        """Tell whether the request came with a body, be it empty."""
        return self.chunked or self.length is not None


class Refused(Struct, frozen=True, kw_only=True):
    """A request that is answered here. `allow` are the methods that its target knows, where that is the reason."""

    problem: Problem
    allow: tuple[str, ...] = ()
