"""One reply as the rules of a dialect see it: status, the fields that somebody reads, and the body's tree."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gateway.dialects import bodies
from gateway.dialects.bodies import JSON, SHALLOW_MEMBER
from gateway.dialects.header import LONGEST_VALUE, text_of
from gateway.dialects.paths import find, plain_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.dialects.header import Fields
    from gateway.dialects.members import Members
    from gateway.dialects.outline import Outline
    from gateway.dialects.paths import Step
    from gateway.dialects.spec import BodyKind

    Reader = Callable[["View"], Any]

_CONTENT_TYPE = b"content-type"
_PATHS_REMEMBERED = 8_192


@lru_cache(maxsize=64)
def _content_type(value: bytes) -> tuple[str, str, bool]:
    """Return a `Content-Type` in lower case, the media type alone, and whether it leaves JSON in UTF-8."""
    text = value[:LONGEST_VALUE].decode("utf-8", "replace").lower()
    return text, text.partition(";")[0].strip(), bodies.is_utf8(text)


class View:
    """What conditions test and picks read. `status` is HTTP's, or the body's own once a dialect said that it counts."""

    __slots__ = (
        "_body",
        "_content_type",
        "content_type",
        "fields",
        "kind",
        "payload",
        "spliceable",
        "status",
        "tree",
        "truncated",
    )

    status: int
    fields: Fields
    content_type: str
    kind: BodyKind
    tree: Any
    spliceable: bytes | None
    truncated: bool
    """Whether the body ended before it was complete, so that the tree is only its beginning."""
    payload: bytes | None
    """What an outline left out of the tree, as the bytes in which it stands."""

    def __init__(
        self,
        status: int,
        fields: Fields,
        body: bytes,
        *,
        members: Members | None = None,
        outline: Outline | None = None,
    ) -> None:
        """Read a body, whose codings are undone, in full or as far as `outline` and `members` say.

        `fields` hold names in lower case; of a body beyond `SHALLOW_MEMBER` only `members` are read.
        """
        self.status = status
        self.fields = fields
        self._body = body
        self.payload = None
        self.truncated = False
        self._content_type, self.content_type, plain = _content_type(fields.get(_CONTENT_TYPE, b""))
        if plain and outline is not None and len(body) <= SHALLOW_MEMBER and (found := outline.read(body)) is not None:
            self.tree, self.payload = found
        else:
            self.tree = bodies.plain_tree(body) if plain else None
        if self.tree is not None:
            self.kind, self.spliceable = JSON, body
        else:
            self._read(members)

    def _read(self, members: Members | None) -> None:
        body = bodies.parse(self._body, self._content_type, members)
        self.kind, self.tree, self.spliceable = body.kind, body.tree, body.spliceable
        self.truncated = body.truncated

    def complete(self) -> None:
        """Read in full what was only outlined."""
        self.payload = None
        self._read(None)

    def text(self, name: bytes) -> str | None:
        """Return the value of the field `name` (in lower case) as text, or None where it is not there."""
        return text_of(self.fields, name)

    def unwrapped(self) -> Any:
        """Return the one object in a list of one, else the tree itself."""
        tree = self.tree
        return tree[0] if type(tree) is list and len(tree) == 1 and type(tree[0]) is dict else tree


@lru_cache(maxsize=_PATHS_REMEMBERED)
def in_body(path: str) -> Reader:
    """Compile a path to a function from a view to what is there in its body, or None.

    Raises:
        PathError: `path` is not JMESPath.
    """
    steps = plain_steps(path) or ()
    keys = [step for step in steps if isinstance(step, str)]
    if keys and len(keys) == len(steps):
        return _key(keys[0]) if len(keys) == 1 else _two_keys(*keys) if len(keys) == 2 else _keys(keys)
    at = find(path)
    return lambda view: at(view.tree)


def _key(key: str) -> Reader:
    def read(view: View) -> Any:
        tree = view.tree
        return tree.get(key) if type(tree) is dict else None

    return read


def _two_keys(first: str, second: str) -> Reader:
    def read(view: View) -> Any:
        tree = view.tree
        inner = tree.get(first) if type(tree) is dict else None
        return inner.get(second) if type(inner) is dict else None

    return read


def _keys(keys: Sequence[Step]) -> Reader:
    def read(view: View) -> Any:
        tree = view.tree
        for key in keys:
            if type(tree) is not dict:
                return None
            tree = tree.get(key)
        return tree

    return read
