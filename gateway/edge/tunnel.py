"""A WebSocket on its way through: what a tunnel's end means for its request.

A tunnel is one request: it counts as under way while it lives, and one Outcome is made of it. Which bytes go where is
not decided here but in `gateway.upstream.tunnel`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.errors import ClientGone, TransportFailure, TransportReason

if TYPE_CHECKING:
    from gateway.edge.answer import Answer
    from gateway.edge.call import Call
    from gateway.upstream import Tunnel

IDLE: Final = "idle"
"""The outcome of a tunnel that was closed because nothing moved in it: nobody failed."""


async def carry(call: Call, tunnel: Tunnel, answer: Answer) -> None:
    """Let bytes through until both sides are closed, and count the client's and the upstream's.

    Raises ClientGone or TransportFailure when the client or the upstream broke its connection off.
    """
    try:
        ending = await tunnel.run()
    finally:
        call.request_bytes += tunnel.client.received_bytes
        answer.sent_bytes += tunnel.upstream.received_bytes
    if ending.end is None:
        call.word = IDLE
    elif ending.error is not None:
        if ending.end is tunnel.client:
            raise ClientGone
        raise TransportFailure(TransportReason.HTTP_RESPONSE_INCOMPLETE, f"within a tunnel: {ending.error}")
