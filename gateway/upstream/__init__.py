"""The way to an upstream: one lean HTTP/1.1 exchange on `asyncio.Protocol` and llhttp, as strict as it is fast.

`port` is what the rest of the program sees; `Pool` is its implementation for one endpoint. Behind them: `request`
writes heads, `reply` reads replies (both without I/O), `exchange` joins one request with its reply, `connection` is
the socket's side of it, `deadline` its one timer, `dial` the way to a new connection, `tls` what is trusted,
`sessions` what is taken up again, `failures` the table that turns the world's exceptions into ours. `tunnel` is what a
connection becomes after a 101. `configured` leads here from the configuration.
"""

from __future__ import annotations

from gateway.upstream.configured import Reach, file_faults, pool_of, reach_of
from gateway.upstream.pool import Pool
from gateway.upstream.port import Exchange, ReplyHead, Stats, Transport, UpstreamRequest
from gateway.upstream.request import field_lines
from gateway.upstream.tls import client_context
from gateway.upstream.tunnel import Ending, Tunnel, TunnelEnd

__all__ = [
    "Ending",
    "Exchange",
    "Pool",
    "Reach",
    "ReplyHead",
    "Stats",
    "Transport",
    "Tunnel",
    "TunnelEnd",
    "UpstreamRequest",
    "client_context",
    "field_lines",
    "file_faults",
    "pool_of",
    "reach_of",
]
