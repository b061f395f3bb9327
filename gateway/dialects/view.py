"""One reply as the rules of a dialect see it: status, fields by name, and the body's tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.dialects import bodies
from gateway.dialects.spec import BodyKind

if TYPE_CHECKING:
    from gateway.dialects.members import Members
    from gateway.model import Headers, Reply

_LONGEST_VALUE = 8_192


def fields_of(headers: Headers) -> dict[str, str]:
    """Return the first value of each field by its name in lower case; what is not UTF-8 in it is replaced."""
    fields: dict[str, str] = {}
    for name, value in headers:
        key = name.decode("latin-1").lower()
        if key not in fields:
            fields[key] = value[:_LONGEST_VALUE].decode("utf-8", "replace")
    return fields


class View:
    """What conditions test and picks read. `status` is HTTP's, or the body's own once a dialect said that it counts."""

    __slots__ = ("content_type", "fields", "kind", "spliceable", "status", "tree")

    status: int
    fields: dict[str, str]
    content_type: str
    kind: BodyKind
    tree: Any
    spliceable: bytes | None

    def __init__(self, reply: Reply, members: Members | None = None) -> None:
        """Read the reply's fields (the first of a name counts) and its body."""
        self.fields = fields = fields_of(reply.headers)
        content_type = fields.get("content-type", "").lower()
        body = bodies.parse(reply.body, content_type, members)
        self.status = reply.status
        self.content_type = content_type.partition(";")[0].strip()
        self.kind, self.tree, self.spliceable = body.kind, body.tree, body.spliceable

    @classmethod
    def of_tree(cls, tree: Any) -> View:
        """Return a view of one object inside a body: paths work on it, header fields are not there."""
        view = cls.__new__(cls)
        view.status, view.fields, view.content_type = 0, {}, ""
        view.kind, view.tree, view.spliceable = BodyKind.JSON, tree, None
        return view

    def unwrapped(self) -> Any:
        """Return the one object in a list of one, else the tree itself."""
        tree = self.tree
        return tree[0] if type(tree) is list and len(tree) == 1 and type(tree[0]) is dict else tree
