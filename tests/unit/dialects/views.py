"""Views of replies, made of what a test is about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gateway.dialects.view import View
from gateway.model import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping


def view_of(body: object = None, *, status: int = 400, headers: Mapping[str, str] | None = None) -> View:
    """Return the view of a reply. A body is JSON unless it is bytes; None is no body."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    fields = tuple((name.encode(), value.encode()) for name, value in (headers or {}).items())
    return View(Reply(status=status, headers=fields, body=data))
