"""TLS sessions that are taken up again: a second connection to a server costs neither side a signature.

asyncio and uvloop take a context and know nothing of sessions, but both ask it for each connection's TLS by `wrap_bio`.
There the last session goes in that a server of that name gave. A session is good only for the context that it came
from, so what was verified then is what would be verified now; the server says for how long, with TLS 1.3 for a week at
most (RFC 8446 section 4.6.1).

With TLS 1.3 a session comes at any time behind the handshake, so it is asked for when the next connection is made. It
may be used several times: what must not be replayed is early data (RFC 8446 section 8), which is never sent.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    Name = str | bytes | None


class ResumingContext(ssl.SSLContext):
    """A client's context that offers each server, by its name, the last session that it gave.

    For each name it holds a session and the newest connection's TLS; names are those of the configuration.
    """

    _sessions: MutableMapping[Name, ssl.SSLSession]
    _newest: MutableMapping[Name, ssl.SSLObject]

    def __init__(self, protocol: int) -> None:
        """Know no session yet. The protocol has been taken already, when the context was made."""
        del protocol
        super().__init__()
        self._sessions = {}
        self._newest = {}

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 - the signature is the standard library's
        server_hostname: Name = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Return the TLS of a new connection, which will offer the last session."""
        offered = session or self._last(server_hostname)
        return super().wrap_bio(incoming, outgoing, server_side, server_hostname, offered)

    def established(self, made: ssl.SSLObject) -> None:
        """Take note of a connection whose handshake is over: from now on its session is the one to offer."""
        self._last(made.server_hostname)
        self._newest[made.server_hostname] = made

    def let_go(self, name: str) -> None:
        """Keep the last session, and not its connection: OpenSSL's side of one holds on to its context for ever."""
        self._last(name)
        self._newest.pop(name, None)

    def forget(self, name: str) -> None:
        """Offer nothing next time: a connection failed, and it may have failed by what was offered."""
        self._sessions.pop(name, None)
        self._newest.pop(name, None)

    def _last(self, name: Name) -> ssl.SSLSession | None:
        """Return the newest session that can be offered; with TLS 1.3 one has no id before its ticket has come."""
        newest = self._newest.get(name)
        session = None if newest is None else newest.session
        if session is not None and session.id:
            self._sessions[name] = session
        return self._sessions.get(name)
