"""Plain texts and forms."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from gateway.dialects.bodies.body import OPAQUE, READ_LIMIT, Body
from gateway.dialects.spec import BodyKind

_FORM_FIELDS = 64
_PAIR = rb"[A-Za-z_][\w.\[\]-]{0,63}=[^\s&=<>]*"
_PAIRS = re.compile(_PAIR + rb"(?:&" + _PAIR + rb")+\s*")


def is_form(data: bytes) -> bool:
    """Say whether a text is nothing but two or more encoded pairs: older interfaces call their forms plain text."""
    return b"&" in data[:READ_LIMIT] and _PAIRS.fullmatch(data[:READ_LIMIT]) is not None


def read_form(data: bytes) -> Body:
    """Read encoded pairs; of names that repeat the last counts."""
    try:
        pairs = parse_qsl(data[:READ_LIMIT].decode("utf-8", "replace").strip(), max_num_fields=_FORM_FIELDS)
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
