"""One exchange with an upstream on behalf of a client: the request goes out, and the reply comes back as it must.

Nothing is held but the beginning of a request's body and a reply that has to be read. Everything else streams, and
whoever is slow slows the other down. Raises TransportFailure, BodyRefused and ClientGone; the caller answers for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from gateway.edge.tunnel import carry
from gateway.errors import TransportFailure, TransportReason
from gateway.headers import SWITCHING_PROTOCOLS, Refusal, handshake_fault, reply_to_client
from gateway.model import Problem, Reply, Success, Translation
from gateway.pipeline.decide import Capture, Stream, decide
from gateway.pipeline.normalise import normalise
from gateway.pipeline.redact import redacted
from gateway.upstream import Tunnel, UpstreamRequest

if TYPE_CHECKING:
    from gateway.edge.answer import Answer
    from gateway.edge.call import Call
    from gateway.edge.clock import Clock
    from gateway.edge.intake import Asked
    from gateway.edge.replies import Replies
    from gateway.edge.request_body import RequestBody
    from gateway.edge.ways import Way
    from gateway.model import Headers
    from gateway.upstream import Exchange

_RESET_CONTENT: Final = 205


class Forwarder:
    """Forwards requests that were admitted."""

    def __init__(self, replies: Replies, clock: Clock) -> None:
        """Keep the parts."""
        self._replies = replies
        self._clock = clock

    async def forward(self, call: Call, asked: Asked, body: RequestBody, answer: Answer) -> None:
        """Send the request upstream and answer with what comes back.

        The beginning of the body is collected first, so that a client that sends slowly holds no connection.
        """
        first = await body.collect()
        call.upstream_began_s = self._clock.monotonic_s()
        exchange = await asked.way.transport.send(_request(call.method, asked, body, first))
        call.upstream_status = exchange.status
        try:
            plan = asked.way.plan
            if plan.owns_credential:  # else the upstream's own rate fields pass, and a second set would confuse
                call.budget = plan.dialect.rates.allowance(exchange.headers, self._clock.now_s())
            if not body.complete:
                answer.leave_unread()
            if exchange.status == SWITCHING_PROTOCOLS:
                await self._switch(call, asked, exchange, body, answer)
            else:
                await self._reply(call, asked, exchange, answer)
        finally:
            exchange.close()
            call.upstream_ended_s = self._clock.monotonic_s()

    async def _switch(self, call: Call, asked: Asked, exchange: Exchange, body: RequestBody, answer: Answer) -> None:
        """Open a tunnel, if the upstream's 101 is what was asked for."""
        fault = handshake_fault(exchange.headers, asked.upgrade or b"")
        if fault is not None:
            raise TransportFailure(TransportReason.HTTP_PROTOCOL_ERROR, fault)
        passed = _passed(exchange.headers, asked.way, Translation.PASSED)
        upstream = exchange.tunnel()
        client = answer.switch(self._replies.switching(call, passed))
        await carry(call, Tunnel(client, upstream, asked.way.tunnel_idle_s), body, answer)

    async def _reply(self, call: Call, asked: Asked, exchange: Exchange, answer: Answer) -> None:
        """Answer with a reply: as it comes, or read and written anew."""
        way = asked.way
        decision = decide(exchange.status, exchange.headers, way.plan, call.method)
        match decision:
            case Stream(bare=True):
                self._bare(call, way, exchange, answer)
            case Stream():
                await self._stream(call, way, exchange, answer)
            case Capture(limit_bytes=limit_bytes, cut=cut):
                body, more = await exchange.capture(limit_bytes)
                if more and not cut:
                    await self._stream(call, way, exchange, answer, body)
                    return
                reply = Reply(status=exchange.status, headers=exchange.headers, body=body, cut=more)
                found = normalise(reply, way.plan, self._clock.now_s(), in_body=asked.has_body)
                if found is None:
                    await self._stream(call, way, exchange, answer, body)
                else:
                    self._rewrite(call, way, exchange.headers, answer, found)
            case _:
                assert_never(decision)

    def _rewrite(self, call: Call, way: Way, headers: Headers, answer: Answer, found: Problem | Success) -> None:
        """Answer with what was read in a reply, less any credential of ours that it quotes."""
        if way.secrets is not None:
            found = redacted(found, way.secrets)
        if isinstance(found, Problem):
            self._replies.problem(call, answer, found, way, _passed(headers, way, Translation.PROBLEM))
        else:
            self._replies.success(call, answer, found, way, _passed(headers, way, Translation.UNIFIED))

    def _bare(self, call: Call, way: Way, exchange: Exchange, answer: Answer) -> None:
        """Let a reply's head through, without what would describe a body; what follows it is not read."""
        passed = _passed(exchange.headers, way, Translation.UNIFIED)
        length = 0 if exchange.status == _RESET_CONTENT else None
        answer.begin(exchange.status, self._replies.bare(call, exchange.status, passed), length)
        answer.end()

    async def _stream(self, call: Call, way: Way, exchange: Exchange, answer: Answer, captured: bytes = b"") -> None:
        """Let a reply through as it comes; `captured` is the part of its body that was read already."""
        passed = _passed(exchange.headers, way, Translation.PASSED)
        answer.begin(exchange.status, self._replies.passing(call, exchange.status, passed), exchange.content_length)
        await answer.push(captured)
        while piece := await exchange.read():
            await answer.push(piece)
        answer.end()


def _request(method: str, asked: Asked, body: RequestBody, first: bytes) -> UpstreamRequest:
    """Return the request as it goes upstream; `first` is the beginning of its body."""
    whole = body.at_end
    return UpstreamRequest(
        method=method.encode("ascii"),
        target=asked.target,
        headers=asked.headers,
        body=first if asked.has_body else None,
        rest=None if whole else body,
        length=None if whole else asked.length,
        upgrade=asked.upgrade is not None,
    )


def _passed(headers: Headers, way: Way, translation: Translation) -> Headers:
    """Return the fields of a reply that go on to the client. Raises TransportFailure for a head that is no HTTP."""
    passed = reply_to_client(headers, way.reply, translation)
    if isinstance(passed, Refusal):
        raise TransportFailure(TransportReason.HTTP_PROTOCOL_ERROR, passed.reason)
    return passed
