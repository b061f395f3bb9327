"""What goes to an upstream, and what of its reply goes back.

Nothing is held but the beginning of a request's body and a reply that has to be read. Everything else streams, and
whoever is slow slows the other down. Raises TransportFailure, BodyRefused and ClientGone; the caller answers for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.edge.answer import Lines, lines_of
from gateway.edge.call import would_be
from gateway.edge.tunnel import carry
from gateway.errors import TransportFailure, TransportReason
from gateway.headers import SWITCHING_PROTOCOLS, Refusal, handshake_fault, reply_to_client
from gateway.model import Problem, Reply, Translation
from gateway.pipeline.decide import Capture, Stream, decide
from gateway.pipeline.normalise import normalise
from gateway.pipeline.redact import redacted
from gateway.upstream import Tunnel, UpstreamRequest

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from gateway.edge.answer import Answer
    from gateway.edge.asked import Asked
    from gateway.edge.call import Call
    from gateway.edge.clock import Clock
    from gateway.edge.limiting.budgets import Budgets
    from gateway.edge.replies import Replies
    from gateway.edge.request_body import RequestBody
    from gateway.edge.ways import Way
    from gateway.model import Success
    from gateway.upstream import Exchange, ReplyHead

_RESET_CONTENT: Final = 205
_HEAD: Final = "HEAD"
# As plain texts, for they are keys on the way of each reply, and an Enum's hash is a call of Python.
_PROBLEM, _UNIFIED, _PASSED = Translation.PROBLEM.value, Translation.UNIFIED.value, Translation.PASSED.value


class Forwarder:
    """Writes requests that were admitted, and answers with the replies to them."""

    def __init__(self, replies: Replies, budgets: Budgets, clock: Clock) -> None:
        """Keep the parts."""
        self._replies = replies
        self._budgets = budgets
        self._clock = clock

    # ---- the request ---------------------------------------------------------------------------------------------

    async def collected(self, call: Call, asked: Asked, body: RequestBody) -> UpstreamRequest:
        """Wait for the beginning of a body, and return the request as it goes upstream."""
        return self._request(call, asked, body, await body.collect())

    def request(self, call: Call, asked: Asked, body: RequestBody | None) -> UpstreamRequest:
        """Return the request as it goes upstream; its body, if it has one, is complete."""
        return self._request(call, asked, body, None if body is None else body.at_hand())

    def _request(self, call: Call, asked: Asked, body: RequestBody | None, first: bytes | None) -> UpstreamRequest:
        now_s = call.upstream_began_s = self._clock.monotonic_s()
        if call.waits_since_s is not None:
            call.goes_on(now_s)
        whole = body is None or body.at_end
        return UpstreamRequest(
            method=call.method.encode("ascii"),
            target=asked.target,
            lines=asked.lines,
            body=first,
            rest=None if whole else body,
            length=None if whole else asked.length,
            upgrade=asked.upgrade is not None,
        )

    # ---- the reply -----------------------------------------------------------------------------------------------

    def reply(self, call: Call, asked: Asked, exchange: Exchange, answer: Answer) -> Coroutine[Any, Any, None] | None:
        """Answer with a reply whose head has come: as it comes, or read and written anew.

        Returns what is left to be waited for, or None when the answer is written.
        """
        way, head = asked.way, exchange.head
        call.upstream_status = head.status
        self._budgets.replied(call, way.plan, head)
        if head.status == SWITCHING_PROTOCOLS:
            return self._switch(call, asked, exchange, answer)
        method = call.method
        decision = decide(head.status, head.headers, way.plan, method) if method == _HEAD else _made(head, way).decision
        if way.plan.shadow:
            return self._shadowed(call, asked, exchange, answer, decision)
        if isinstance(decision, Capture):
            body = exchange.whole(decision.limit_bytes)
            if body is None:
                return self._captured(call, asked, exchange, answer, decision)
            if self._read(call, asked, exchange, answer, body):
                return None
            return self._stream(call, way, exchange, answer, body)
        if decision.bare:
            self._bare(call, way, exchange, answer)
            return None
        return self._through(call, way, exchange, answer)

    def _through(self, call: Call, way: Way, exchange: Exchange, answer: Answer) -> Coroutine[Any, Any, None] | None:
        """Let a reply through that nobody reads."""
        body = exchange.whole(_AT_ONCE_BYTES)
        if body is None or not _at_once(exchange.head, answer, body):
            return self._stream(call, way, exchange, answer, body or b"")
        self._pass(call, way, exchange, answer, body)
        return None

    async def _captured(self, call: Call, asked: Asked, exchange: Exchange, answer: Answer, decision: Capture) -> None:
        """Wait for as much of a reply as may be read; what is larger goes through as it comes, or is cut."""
        body, more = await exchange.capture(decision.limit_bytes)
        if (more and not decision.cut) or not self._read(call, asked, exchange, answer, body, cut=more):
            await self._stream(call, asked.way, exchange, answer, body)

    def _read(
        self, call: Call, asked: Asked, exchange: Exchange, answer: Answer, body: bytes, *, cut: bool = False
    ) -> bool:
        """Answer with what a reply says; return False when it passes as it is."""
        way, head = asked.way, exchange.head
        self._over(call)
        found = self._meant(asked, head, body, cut=cut)
        if found is None:
            return False
        if way.secrets is not None:
            found = redacted(found, way.secrets)
        if isinstance(found, Problem):
            self._budgets.read(call, way.plan, found)
            self._replies.problem(call, answer, found, way, _passed(head, way, _PROBLEM))
        else:
            self._replies.success(call, answer, found, way, _passed(head, way, _UNIFIED))
        return True

    def _shadowed(
        self, call: Call, asked: Asked, exchange: Exchange, answer: Answer, decision: Stream | Capture
    ) -> Coroutine[Any, Any, None] | None:
        """Let a reply through as it came; what would have become of it is worked out behind it, and only noted."""
        way, head = asked.way, exchange.head
        call.would = would_be(None, head.status, way.plan.dialect.name)
        if isinstance(decision, Stream) and decision.bare:
            self._bare(call, way, exchange, answer)
            return None
        if isinstance(decision, Capture):
            return self._watched(call, asked, exchange, answer, decision)
        return self._through(call, way, exchange, answer)

    def _watched(
        self, call: Call, asked: Asked, exchange: Exchange, answer: Answer, decision: Capture
    ) -> Coroutine[Any, Any, None] | None:
        """Let a reply through that would have been captured."""
        body = exchange.whole(_AT_ONCE_BYTES)
        copy = _Copy(decision, body or b"")
        if body is None or not _at_once(exchange.head, answer, body):
            return self._copied(call, asked, exchange, answer, copy)
        self._pass(call, asked.way, exchange, answer, body)
        self._note(call, asked, exchange.head, copy)
        return None

    async def _copied(self, call: Call, asked: Asked, exchange: Exchange, answer: Answer, copy: _Copy) -> None:
        """Let a reply through as it comes, and keep as much of it as may be read."""
        head = exchange.head
        passed = _passed(head, asked.way, _PASSED)
        answer.begin(head.status, self._replies.passing(call, head.status, passed), head.content_length)
        await answer.push(copy.first)
        while piece := await exchange.read():
            copy.add(piece)
            await answer.push(piece)
        self._over(call)
        answer.end()
        self._note(call, asked, head, copy)

    def _note(self, call: Call, asked: Asked, head: ReplyHead, copy: _Copy) -> None:
        """Note what a client would have got of a reply that went through to it."""
        body = copy.body()
        if body is not None:
            found = self._meant(asked, head, body, cut=copy.cut)
            call.would = would_be(found, head.status, asked.way.plan.dialect.name)

    def _meant(self, asked: Asked, head: ReplyHead, body: bytes, *, cut: bool) -> Problem | Success | None:
        """Return what a reply says, or None when it passes as it is."""
        way = asked.way
        reply = Reply(status=head.status, headers=head.headers, body=body, cut=cut)
        return normalise(reply, way.plan, self._clock.now_s(), in_body=asked.has_body, unknown=way.unknown)

    def _bare(self, call: Call, way: Way, exchange: Exchange, answer: Answer) -> None:
        """Let a reply's head through, without what would describe a body; what follows it is not read."""
        head = exchange.head
        self._over(call)
        length = 0 if head.status == _RESET_CONTENT else None
        answer.begin(head.status, self._replies.bare(call, head.status, _passed(head, way, _UNIFIED)), length)
        answer.end()

    def _pass(self, call: Call, way: Way, exchange: Exchange, answer: Answer, body: bytes) -> None:
        """Let a reply through that is here whole."""
        head = exchange.head
        self._over(call)
        answer.send(head.status, self._replies.passing(call, head.status, _passed(head, way, _PASSED)), body)

    async def _stream(self, call: Call, way: Way, exchange: Exchange, answer: Answer, captured: bytes) -> None:
        """Let a reply through as it comes; `captured` is the part of its body that was read already."""
        head = exchange.head
        passed = _passed(head, way, _PASSED)
        answer.begin(head.status, self._replies.passing(call, head.status, passed), head.content_length)
        await answer.push(captured)
        while piece := await exchange.read():
            await answer.push(piece)
        self._over(call)
        answer.end()

    async def _switch(self, call: Call, asked: Asked, exchange: Exchange, answer: Answer) -> None:
        """Open a tunnel, if the upstream's 101 is what was asked for."""
        fault = handshake_fault(exchange.headers, asked.upgrade or b"")
        if fault is not None:
            raise TransportFailure(TransportReason.HTTP_PROTOCOL_ERROR, fault)
        passed = _passed(exchange.head, asked.way, _PASSED)
        upstream = exchange.tunnel()
        client = answer.switch(self._replies.switching(call, passed))
        await carry(call, Tunnel(client, upstream, asked.way.tunnel_idle_s), answer)
        self._over(call)

    def _over(self, call: Call) -> None:
        """Note that nothing more is wanted of the upstream."""
        call.upstream_ended_s = self._clock.monotonic_s()


_AT_ONCE_BYTES: Final = 64 * 1024
"""A reply that is here whole and no longer than this leaves in one piece; a longer one would be copied for it."""


def _at_once(head: ReplyHead, answer: Answer, body: bytes) -> bool:
    """Tell whether a body that is here can leave with its head in one piece."""
    return head.content_length == len(body) and not answer.bodiless(head.status)


class _Copy:
    """The beginning of a body that goes through, as much as may be read; `cut` where there was more.

    `first` is what was at hand when it began.
    """

    __slots__ = ("_body", "_limit_bytes", "cut", "first", "of_more")

    def __init__(self, decision: Capture, first: bytes) -> None:
        self._limit_bytes = decision.limit_bytes
        self._body = bytearray()
        self.of_more = decision.cut
        self.cut = False
        self.first = first
        self.add(first)

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        if not self.cut:
            self._body += piece
            self.cut = len(self._body) > self._limit_bytes
            if self.cut:
                del self._body[self._limit_bytes if self.of_more else 0 :]

    def body(self) -> bytes | None:
        """Return what is to be read, None where a body of this length goes through unread."""
        return None if self.cut and not self.of_more else bytes(self._body)


class _Made:
    """What was worked out of one head for one way, so that a reply with the same head need not have it done again."""

    __slots__ = ("decision", "lines")

    def __init__(self, decision: Stream | Capture) -> None:
        self.decision = decision
        self.lines: dict[str, Lines] = {}


def _made(head: ReplyHead, way: Way) -> _Made:
    made: _Made | None = head.made.get(way)
    if made is None:
        made = head.made[way] = _Made(decide(head.status, head.headers, way.plan, "GET"))
    return made


def _passed(head: ReplyHead, way: Way, translation: str) -> Lines:
    """Return the fields of a reply that go on to the client. Raises TransportFailure for a head that is no HTTP."""
    known = _made(head, way).lines
    lines = known.get(translation)
    if lines is None:
        passed = reply_to_client(head.headers, way.reply, Translation(translation))
        if isinstance(passed, Refusal):
            raise TransportFailure(TransportReason.HTTP_PROTOCOL_ERROR, passed.reason)
        lines = known[translation] = lines_of(passed)
    return lines
