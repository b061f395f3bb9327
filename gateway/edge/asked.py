"""What a request's head comes to: asked of an upstream, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import Future

    from gateway.edge.ways import Way
    from gateway.headers import RequestHead
    from gateway.limits import Decision, Facts
    from gateway.model import Problem


class Asked:
    """A request that will be taken: where it goes, and its body as declared (`length` in bytes, None when chunked).

    `lines` are its fields as they go upstream, each with its line break. `upgrade` is the key of a WebSocket handshake,
    None for any other request. `has_body`: the request came with a body, be it empty.
    """

    __slots__ = ("expects_continue", "has_body", "length", "lines", "target", "upgrade", "way")

    def __init__(self, way: Way, target: bytes, lines: bytes, head: RequestHead, upgrade: bytes | None) -> None:
        self.way = way
        self.target = target
        self.lines = lines
        self.length = head.length
        self.has_body = head.chunked or head.length is not None
        self.expects_continue = head.expects_continue
        self.upgrade = upgrade


class Pending:
    """A request that is taken if the limits let it: `deciding` yields their decision, and `asked` is what is asked.

    Who cancels `deciding` has left.
    """

    __slots__ = ("asked", "deciding", "facts")

    def __init__(self, asked: Asked, facts: Facts, deciding: Future[Decision]) -> None:
        self.asked = asked
        self.facts = facts
        self.deciding = deciding


class Refused:
    """A request that is answered here. `allow` are the methods that its target knows, where that is the reason."""

    __slots__ = ("allow", "problem")

    def __init__(self, problem: Problem, allow: tuple[str, ...] = ()) -> None:
        self.problem = problem
        self.allow = allow
