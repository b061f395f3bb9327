"""Methods of HTTP (the IANA registry of RFC 9110 section 16.1.1): which are forwarded without being listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_REGISTERED: Final = """
    ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR
    MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PROPFIND PROPPATCH PUT QUERY REBIND REPORT SEARCH
    TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL
"""

FORWARDED: Final = frozenset(_REGISTERED.split()) - {"CONNECT", "TRACE"}
"""What is forwarded unless a list says otherwise: neither a tunnel, nor an echo of the request with its credentials."""


def listed(methods: Iterable[str]) -> frozenset[str]:
    """Return the methods that a list in the configuration allows; HEAD is GET without its content (section 9.3.2)."""
    named = frozenset(methods)
    return named | {"HEAD"} if "GET" in named else named
