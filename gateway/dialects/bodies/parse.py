"""What a body is, decided by its first bytes; its content type counts where they do not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.dialects.bodies import jsontext, pages, plaintext, xmltree
from gateway.dialects.bodies.body import EMPTY, SPACE, Body
from gateway.dialects.bodies.charsets import decoded, is_utf8
from gateway.dialects.bodies.wrapped import PREFIXES, called

if TYPE_CHECKING:
    from gateway.dialects.members import Members

_JSON_BRACKETS = frozenset({b"{", b"["})


def parse(data: bytes, content_type: str, members: Members | None = None) -> Body:
    """Read a body. Total: any bytes give a `Body`, within bounds of time and memory.

    Args:
        data: its bytes.
        content_type: the field's value in lower case, or empty.
        members: the members that matter, where the tree may be shallow.
    """
    if not data:
        return EMPTY
    if data[:1] in _JSON_BRACKETS and is_utf8(content_type) and (body := jsontext.read(data, members)) is not None:
        return body
    media_type, _, parameters = content_type.partition(";")
    data = decoded(data, parameters)
    start = data[:64].lstrip(SPACE)
    if not start:
        data = data.strip(SPACE)
        start = data[:64]
        if not start:
            return EMPTY
    claims_json = "json" in media_type
    if start[:1] in b'{["' or claims_json or start.startswith(PREFIXES):
        return _json(data, start, members, claimed=claims_json)
    if start[:1] == b"<":
        return _markup(data, media_type)
    if media_type.strip() == "application/x-www-form-urlencoded" or plaintext.is_form(data):
        return plaintext.read_form(data)
    return _text(data, claims_json=False)


def _json(data: bytes, start: bytes, members: Members | None, *, claimed: bool) -> Body:
    body = jsontext.read(data, members)
    if body is not None:
        return body
    if start[:1] == b"<":
        return _markup(data, "json" if claimed else "")
    return _text(data, claims_json=claimed)


def _text(data: bytes, *, claims_json: bool) -> Body:
    """Read a text, unless there is JSON in it: the argument of a call, or behind what a script printed before it."""
    argument = called(data)
    body = jsontext.read(argument, None) if argument is not None else jsontext.within(data, anywhere=claims_json)
    return body or plaintext.read_text(data)


def _markup(data: bytes, media_type: str) -> Body:
    """Read a page, or a document: by what its first element is, for a document may quote a page.

    Behind a piece of a page there can be JSON: scripts print their warnings so.
    """
    root = xmltree.root_of(data).lower()
    name = root[1:].replace(b">", b" ").replace(b"/", b" ").split(maxsplit=1)[:1]
    if root.startswith(_DOCTYPE) or name == [b"html"]:
        return pages.read(data)
    if _ELEMENTS.issuperset(name) and "xml" not in media_type:
        return jsontext.within(data, anywhere="json" in media_type) or pages.read(data)
    return xmltree.read(data.lstrip(SPACE))


_DOCTYPE = b"<!doctype html"
_ELEMENTS = frozenset(
    b"a article b big blockquote body br center div em font footer form h1 h2 h3 h4 head header hr i img link main "
    b"meta noscript ol p pre script section small span strong style table title u ul".split()
)
"""With these a page, or a piece of one, begins."""
