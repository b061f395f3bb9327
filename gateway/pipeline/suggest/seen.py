"""One captured reply as inference sees it: its tree, its members, and whether it is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.dialects.header import FieldNames
from gateway.dialects.spec import BodyKind
from gateway.dialects.view import View
from gateway.pipeline.codings import undo
from gateway.pipeline.suggest.leaves import Leaf, walk

if TYPE_CHECKING:
    from gateway.model import Reply

READ_BYTES: Final = 262_144
"""Bytes of a body that are looked at: a security limit on time."""
_CODING: Final = b"content-encoding"
_HEAD: Final = ("Content-Type", "Content-Encoding")
_TREES: Final = frozenset((BodyKind.JSON,))
_TEXTS: Final = frozenset((BodyKind.HTML, BodyKind.TEXT, BodyKind.EMPTY, BodyKind.OPAQUE))


class Seen(NamedTuple):
    """A reply that was looked into. `tree` is None for a page, a text, or nothing."""

    reply: Reply
    kind: BodyKind
    tree: Any
    leaves: tuple[Leaf, ...]
    wrapped: bool

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.reply.status


def look(reply: Reply) -> Seen:
    """Read a reply's body; a list of one object is taken for the object, as dialects do."""
    fields = FieldNames(_HEAD).of(reply.headers)
    body = undo(reply.body, fields[_CODING], READ_BYTES) if _CODING in fields else reply.body
    view = View(reply.status, fields, (body or b"")[:READ_BYTES])
    tree = view.unwrapped() if view.kind in _TREES else view.tree if view.kind not in _TEXTS else None
    return Seen(
        reply,
        view.kind,
        tree,
        walk(tree) if tree is not None else (),
        wrapped=tree is not None and tree is not view.tree,
    )
