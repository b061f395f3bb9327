"""HTML to a tree: the parts of a page that say something. Read by a real parser, from a bounded beginning."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from gateway.dialects.bodies.body import Body
from gateway.dialects.spec import BodyKind

_LIMIT = 16_384  # bytes: what is nested deeply costs the square of its length
_TAGS = ("title", "h1", "h2", "h3", "pre", "p")


def read(data: bytes) -> Body:
    """Read a page, which is in UTF-8: its first title, headings and so on; as `text` what stands bare in its body."""
    page = LexborHTMLParser(data[:_LIMIT].decode("utf-8", "replace"))
    tree = {}
    for tag in _TAGS:
        node = page.css_first(tag)
        if node is not None and (text := " ".join(node.text(separator=" ", strip=True).split())):
            tree[tag] = text
    body = page.body
    if body is not None and (text := " ".join(body.text(deep=False, separator=" ").split())):
        tree["text"] = text
    return Body(kind=BodyKind.HTML, tree=tree)
