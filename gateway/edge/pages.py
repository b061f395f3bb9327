"""What the gateway itself answers under `/-/`: its health, and the pages behind every problem's `type`.

Pure: a path and the client's preferences in, a page out. People get HTML, tools get JSON, by `Accept`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from gateway.catalog import CODES, pages
from gateway.catalog.labels import LANGUAGES
from gateway.headers.preferences import preferred_type
from gateway.model import Header
from gateway.pipeline.preference import language_of

if TYPE_CHECKING:
    from gateway.edge.lifecycle import Lifecycle
    from gateway.model import Headers

PREFIX: Final = b"/-/"

_JSON: Final = b"application/json"
_HTML: Final = b"text/html; charset=utf-8"
_PROBLEMS: Final = b"/-/problems/"
_PEOPLE: Final = (b"text/html",)
_OFFERED: Final = ((_JSON,), _PEOPLE)
"""A tool that takes anything gets JSON."""
SHOWN_METHODS: Final = ("GET", "HEAD")
_POLICY: Final = (b"Content-Security-Policy", pages.CONTENT_SECURITY_POLICY)
_VARY: Final = (b"Vary", b"Accept, Accept-Language")
_FRESH: Final = (b"Cache-Control", b"max-age=3600")
_NO_STORE: Final = (b"Cache-Control", b"no-store")


class Page(Struct, frozen=True, kw_only=True):
    """An answer of our own that is no failure."""

    status: int = 200
    headers: tuple[Header, ...]
    body: bytes


SERVER_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
SERVER_OPTIONS: Final = Page(status=204, headers=((b"Allow", SERVER_METHODS.encode("ascii")),), body=b"")
"""The answer to `OPTIONS *`, which asks about the server as a whole (RFC 9110 section 9.3.7)."""


def page(method: str, target: bytes, headers: Headers, lifecycle: Lifecycle) -> Page | str:
    """Return the page at `target`, or the name of the code that the request is refused with."""
    path, _, query = target.partition(b"?")
    if path == b"/-/health":
        found: Page | str = _plain({"status": "ok"})
    elif path == b"/-/ready":
        found = _plain({"status": "ready"}) if lifecycle.ready else "shutting_down"
    elif path == _PROBLEMS:
        found = _problems(None, headers, query)
    elif path == _PROBLEMS[:-1]:  # links in the pages are relative to the folder
        found = Page(status=308, headers=((b"Location", _PROBLEMS),), body=b"")
    elif path.startswith(_PROBLEMS) and (name := path[len(_PROBLEMS) :].decode("latin-1")) in CODES:
        found = _problems(name, headers, query)
    else:
        found = "route_not_found"
    return "method_not_allowed" if isinstance(found, Page) and method not in SHOWN_METHODS else found


def _plain(value: object) -> Page:
    return Page(headers=((b"Content-Type", _JSON), _NO_STORE), body=msgspec.json.encode(value))


def _problems(name: str | None, headers: Headers, query: bytes) -> Page:
    """Return the page of the code `name`, or the index of all codes; `lang=` in the query goes before the header."""
    if preferred_type(_values(headers, b"accept"), _OFFERED) == _OFFERED.index(_PEOPLE):
        asked = [tag for tag in LANGUAGES if f"lang={tag}".encode() in query.split(b"&")]
        language = asked[0] if asked else language_of(_values(headers, b"accept-language"))
        body = pages.index_html(language) if name is None else pages.page_html(CODES[name], language)
        return Page(headers=((b"Content-Type", _HTML), _VARY, _FRESH, _POLICY), body=body)
    body = pages.index_json() if name is None else pages.page_json(CODES[name])
    return Page(headers=((b"Content-Type", _JSON), _VARY, _FRESH), body=body)


def _values(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name.lower() == wanted]
