"""Methods that a list in a file may name.

A method that the server's parser does not know is refused before any upstream is looked for, so that to list it would
promise what never happens.
"""

from __future__ import annotations

from typing import Final

_REGISTERED: Final = """
    ACL BIND CHECKOUT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE OPTIONS PATCH POST PROPFIND
    PROPPATCH PUT QUERY REBIND REPORT SEARCH TRACE UNBIND UNLINK UNLOCK
"""
_OTHERS: Final = "M-SEARCH NOTIFY PURGE SOURCE SUBSCRIBE UNSUBSCRIBE"

CONFIGURABLE: Final = frozenset(_REGISTERED.split()) | frozenset(_OTHERS.split())
"""What llhttp knows of the IANA registry (RFC 9110 section 16.1.1) and beside it; no CONNECT, which has no path."""
