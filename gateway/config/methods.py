"""The methods that the server's parser knows, and so the methods that a list in a file may name.

A method that the server's parser does not know is refused before any upstream is looked for, so that to list it would
promise what never happens.
"""

from __future__ import annotations

from typing import Final

REGISTERED: Final = frozenset(
    [
        "ACL",
        "BIND",
        "CHECKOUT",
        "COPY",
        "DELETE",
        "GET",
        "HEAD",
        "LINK",
        "LOCK",
        "MERGE",
        "MKACTIVITY",
        "MKCALENDAR",
        "MKCOL",
        "MOVE",
        "OPTIONS",
        "PATCH",
        "POST",
        "PROPFIND",
        "PROPPATCH",
        "PUT",
        "QUERY",
        "REBIND",
        "REPORT",
        "SEARCH",
        "TRACE",
        "UNBIND",
        "UNLINK",
        "UNLOCK",
    ]
)
"""What llhttp (in aiohttp 3.14) knows of the IANA registry (RFC 9110 section 16.1.1); no CONNECT, which has no path."""

CONFIGURABLE: Final = REGISTERED | {"M-SEARCH", "NOTIFY", "PURGE", "SOURCE", "SUBSCRIBE", "UNSUBSCRIBE"}
"""What it knows beside that, too."""
