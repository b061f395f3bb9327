"""Methods of HTTP (the IANA registry of RFC 9110 section 16.1.1): which are forwarded without being listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_TAKEN: Final = """
    ACL BIND CHECKOUT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE OPTIONS PATCH POST PROPFIND
    PROPPATCH PUT QUERY REBIND REPORT SEARCH TRACE UNBIND UNLINK UNLOCK
"""
"""The registered methods that the server's parser knows (llhttp in aiohttp 3.14); others it refuses as malformed."""

FORWARDED: Final = frozenset(_TAKEN.split()) - {"TRACE"}
"""What is forwarded unless a list says otherwise: no tunnel, and no echo of the request with its credentials."""


def listed(methods: Iterable[str]) -> frozenset[str]:
    """Return the methods that a list in the configuration allows; HEAD is GET without its content (section 9.3.2)."""
    named = frozenset(methods)
    return named | {"HEAD"} if "GET" in named else named
