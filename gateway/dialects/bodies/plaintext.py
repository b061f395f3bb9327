"""Plain texts and forms."""

from __future__ import annotations

from urllib.parse import parse_qsl

from gateway.dialects.bodies.body import OPAQUE, READ_LIMIT, Body
from gateway.dialects.spec import BodyKind

_FORM_FIELDS = 64


def read_form(data: bytes) -> Body:
    """Read what `application/x-www-form-urlencoded` says that it is; of names that repeat the last counts."""
    try:
        pairs = parse_qsl(data[:READ_LIMIT].decode("utf-8", "replace"), max_num_fields=_FORM_FIELDS)
    except ValueError:
        return OPAQUE
    return Body(kind=BodyKind.FORM, tree=dict(pairs))


def read_text(data: bytes) -> Body:
    """Read a text, or find that it is none."""
    if b"\0" in data[:READ_LIMIT]:
        return OPAQUE
    text = data[:READ_LIMIT].decode("utf-8", "replace").strip()
    if text.count("\N{REPLACEMENT CHARACTER}") > len(text) // 8:  # not text in any charset that we know of
        return OPAQUE
    return Body(kind=BodyKind.TEXT, tree=text)
