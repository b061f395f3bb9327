"""Views of replies, made of what a test is about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gateway.dialects.header import FieldNames
from gateway.dialects.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping


def view_of(body: object = None, *, status: int = 400, headers: Mapping[str, str] | None = None) -> View:
    """Return the view of a reply. A body is JSON unless it is bytes; None is no body."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    fields = tuple((name.encode(), value.encode()) for name, value in (headers or {}).items())
    return View(status, FieldNames(headers or ()).of(fields), data)
