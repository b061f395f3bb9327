"""Bytes to tree: what a body is, whatever its content type claims.

`charsets` (to UTF-8) -> `parse` (what is it?) -> `jsontext`, `xmltree`, `pages`, `plaintext` (a tree).
"""

from __future__ import annotations

from gateway.dialects.bodies.body import JSON, READ_LIMIT, SHALLOW_MEMBER, Body
from gateway.dialects.bodies.charsets import is_utf8
from gateway.dialects.bodies.jsontext import plain_tree
from gateway.dialects.bodies.parse import parse

__all__ = ["JSON", "READ_LIMIT", "SHALLOW_MEMBER", "Body", "is_utf8", "parse", "plain_tree"]
