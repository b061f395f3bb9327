"""What a body turned out to be."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from gateway.dialects.spec import BodyKind

READ_LIMIT = 65_536
"""Bytes of XML, text and form bodies that are looked at: a security limit on time."""
SHALLOW_MEMBER = 65_536
"""Bytes above which a member is left out of a shallow tree."""
SPACE = b" \t\r\n"
JSON = BodyKind.JSON


class Body(Struct, frozen=True):
    """A body's kind, its tree (None where there is none), and its bytes as JSON that may be spliced (or None).

    `truncated`: it ends before it is complete, or more of it than is looked at was there; the tree is its beginning.
    """

    kind: BodyKind
    tree: Any = None
    spliceable: bytes | None = None
    truncated: bool = False


EMPTY = Body(kind=BodyKind.EMPTY)
OPAQUE = Body(kind=BodyKind.OPAQUE)
