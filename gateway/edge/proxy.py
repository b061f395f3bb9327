"""The way of one request, in the order in which things happen.

It decides nothing itself. Routing, limits, header rules, what a reply means and how that is written are values from the
core; this module asks for them one after the other and moves bytes. Whatever happens, one `Outcome` goes to the
observers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.edge.asked import Asked, Pending, Refused
from gateway.edge.lifecycle import State
from gateway.edge.pages import Page
from gateway.edge.request_body import BodyRefused, RequestBody
from gateway.edge.turn import Turn
from gateway.errors import ClientGone, TransportFailure
from gateway.model import Stage
from gateway.pipeline.normalise import own_problem, transport_problem

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from aiohttp.streams import StreamReader
    from structlog.typing import FilteringBoundLogger

    from gateway.config.models import GatewayFile
    from gateway.edge.answer import Answer
    from gateway.edge.call import Call
    from gateway.edge.clock import Clock
    from gateway.edge.connection import ClientConnection
    from gateway.edge.forward import Forwarder
    from gateway.edge.intake import Intake
    from gateway.edge.lifecycle import Lifecycle
    from gateway.edge.message import Message
    from gateway.edge.observers import Observer
    from gateway.edge.replies import Replies
    from gateway.errors import TransportReason
    from gateway.model import Problem
    from gateway.upstream import Exchange, UpstreamRequest

_SUSPECT: Final = frozenset(("malformed_request", "head_too_large"))
"""Codes of heads that another server may have read differently: what follows on their connection is not trusted."""


class Proxy:
    """Answers requests. Every way out of it gives one answer, or a cut connection, and one Outcome."""

    def __init__(
        self,
        gateway: GatewayFile,
        *,
        intake: Intake,
        forwarder: Forwarder,
        replies: Replies,
        lifecycle: Lifecycle,
        clock: Clock,
        observers: tuple[Observer, ...],
        log: FilteringBoundLogger,
    ) -> None:
        """Keep what every request needs on its way."""
        self.gateway = gateway
        self.intake = intake
        self.forwarder = forwarder
        self.replies = replies
        self.lifecycle = lifecycle
        self.clock = clock
        self.observers = observers
        self.log = log

    def serve(self, connection: ClientConnection, message: Message, payload: StreamReader) -> Turn:
        """Answer one request."""
        call = self.intake.begin(message, connection)
        turn = ProxyTurn(self, call, connection, self.replies.answer(connection, message))
        turn.begin(message, payload)
        return turn

    def refuse(self, connection: ClientConnection, code: str) -> Turn:
        """Answer what could not be parsed."""
        call = self.intake.begin_unparsed(connection)
        turn = ProxyTurn(self, call, connection, self.replies.answer(connection, None))
        turn.refuse(own_problem(code, Stage.REQUEST))
        return turn


class ProxyTurn(Turn):
    """One request that is answered or forwarded."""

    __slots__ = ("_body", "_call", "_exchange", "_pending", "_proxy")

    def __init__(self, proxy: Proxy, call: Call, connection: ClientConnection, answer: Answer) -> None:
        """Begin; requests are counted from here on."""
        super().__init__(connection, answer)
        self._proxy = proxy
        self._call = call
        self._body: RequestBody | None = None
        self._exchange: Exchange | None = None
        self._pending: Pending | None = None
        proxy.lifecycle.enter()

    # ---- the request ---------------------------------------------------------------------------------------------

    def begin(self, message: Message, payload: StreamReader) -> None:
        """Take the request or refuse it."""
        try:
            waiting = self._admit(message, payload)
        except Exception as error:  # noqa: BLE001 - as in a task
            self.failed(error)
            waiting = False
        if not waiting:
            self.end()

    def refuse(self, problem: Problem) -> None:
        """Answer what was no request."""
        self.answer.leave_unread()
        self._fail(problem)
        self.end()

    def _admit(self, message: Message, payload: StreamReader) -> bool:
        """Answer a request here, or send it on; return whether there is something to wait for."""
        asked = self._proxy.intake.admit(self._call, message, self.connection)
        if isinstance(asked, Pending):
            self._pending = asked
            self._call.waits(self._proxy.clock.monotonic_s())
            asked.deciding.add_done_callback(lambda _: self._decided(asked, payload))
            return True
        return self._go(asked, payload)

    def _decided(self, pending: Pending, payload: StreamReader) -> None:
        """Go on with a request whose limits have been asked; one that was broken off meanwhile is over."""
        self._pending = None
        if pending.deciding.cancelled():
            return
        if self.over:  # the client left in the moment in which the decision came
            self._proxy.intake.unwanted(pending)
            return
        self._call.goes_on(self._proxy.clock.monotonic_s())
        try:
            waiting = self._go(self._proxy.intake.decided(self._call, pending), payload)
        except Exception as error:  # noqa: BLE001 - as in a task
            self.failed(error)
            waiting = False
        if not waiting:
            self.end()

    def _go(self, asked: Asked | Refused | Page, payload: StreamReader) -> bool:
        """Answer, or send on; return whether there is something to wait for."""
        proxy, call, answer = self._proxy, self._call, self.answer
        if isinstance(asked, Asked):
            self._forward(asked, payload)
            return True
        if not payload.is_eof() or (isinstance(asked, Refused) and asked.problem.code.name in _SUSPECT):
            answer.leave_unread()
        if isinstance(asked, Page):
            proxy.replies.page(call, answer, asked)
        else:
            proxy.replies.refuse(call, answer, asked)
        return False

    def _forward(self, asked: Asked, payload: StreamReader) -> None:
        """Send a request that is here whole on a connection that is at rest; else wait for what is missing."""
        body = self._body = self._take_body(asked, payload) if asked.has_body else None
        if body is not None and not body.complete:
            self._call.waits(self._proxy.clock.monotonic_s())
            self.wait_for(self._collect(asked, body))
            return
        request = self._proxy.forwarder.request(self._call, asked, body)
        self._exchange = asked.way.transport.begin(request, lambda exchange: self._answered(asked, request, exchange))
        if self._exchange is None:
            self.wait_for(self._send(asked, request))

    def _take_body(self, asked: Asked, payload: StreamReader) -> RequestBody:
        gateway = self._proxy.gateway
        return RequestBody(
            payload,
            self.connection,
            limit_bytes=gateway.bounds.body_bytes,
            timeouts=gateway.client_timeouts,
            clock=self._proxy.clock,
            asked_to_continue=asked.expects_continue,
        )

    async def _collect(self, asked: Asked, body: RequestBody) -> None:
        """Collect the body's beginning first, so that a client that sends slowly holds no connection."""
        await self._send(asked, await self._proxy.forwarder.collected(self._call, asked, body))

    async def _send(self, asked: Asked, request: UpstreamRequest) -> None:
        exchange = self._exchange = await asked.way.transport.send(request)
        await self._reply(asked, exchange)

    async def _repeat(self, asked: Asked, request: UpstreamRequest, exchange: Exchange) -> None:
        exchange = self._exchange = await asked.way.transport.repeat(request, exchange)
        await self._reply(asked, exchange)

    # ---- the reply -----------------------------------------------------------------------------------------------

    def _answered(self, asked: Asked, request: UpstreamRequest, exchange: Exchange) -> None:
        """Take the head of the reply, or the failure; what else has to be waited for is left to a task."""
        try:
            rest = self._take(asked, request, exchange)
        except Exception as error:  # noqa: BLE001 - as in a task
            self.failed(error)
            rest = None
        if rest is None:
            self.end()
        else:
            self.wait_for(rest)

    def _take(self, asked: Asked, request: UpstreamRequest, exchange: Exchange) -> Coroutine[Any, Any, None] | None:
        if exchange.failure is None:
            return self._proxy.forwarder.reply(self._call, asked, exchange, self.answer)
        if exchange.repeatable:
            return self._repeat(asked, request, exchange)
        raise exchange.failure

    async def _reply(self, asked: Asked, exchange: Exchange) -> None:
        if self._body is not None and not self._body.complete:
            self.answer.leave_unread()
        rest = self._proxy.forwarder.reply(self._call, asked, exchange, self.answer)
        if rest is not None:
            await rest

    # ---- the end -------------------------------------------------------------------------------------------------

    def failed(self, error: Exception) -> None:
        """Answer for what went wrong on either side of the exchange."""
        call, answer, body = self._call, self.answer, self._body
        match error:
            case ClientGone():
                self._gone()
            case BodyRefused():
                answer.leave_unread()
                if call.upstream_began_s is None:
                    self._proxy.intake.give_back(call)
                self._fail(own_problem(error.code, Stage.REQUEST, upstream=call.upstream))
            case TransportFailure():
                self._proxy.log.warning(
                    "transport", request_id=call.request_id, reason=error.reason.value, detail=error.detail
                )
                if body is not None and not body.complete:
                    answer.leave_unread()
                problem = transport_problem(error.reason, call.upstream or "")
                if problem.source.stage is Stage.CONNECT:  # no connection, so nothing went upstream
                    self._proxy.intake.give_back(call)
                self._fail(problem, error.reason)
            case _:
                self._proxy.log.error("unexpected", request_id=call.request_id, exc_info=error)
                self._fail(own_problem("internal", Stage.RESPONSE, upstream=call.upstream))

    def broken_off(self) -> None:
        """Tell a client whose request outlasted the gateway; a request is cancelled when its client has left, too."""
        if self._pending is not None:
            self._pending.deciding.cancel()
        if self._proxy.lifecycle.state is State.ENDING:
            self._fail(own_problem("shutting_down", Stage.RESPONSE, upstream=self._call.upstream))
        else:
            self._gone()

    def settle(self) -> None:
        """Give the connection to the upstream back, and tell the observers what happened."""
        call, proxy = self._call, self._proxy
        now_s = proxy.clock.monotonic_s()
        if self._exchange is not None:
            self._exchange.close()
        if self._body is not None:
            call.request_bytes = self._body.received_bytes
        if call.charges:
            proxy.intake.over(call)
        proxy.lifecycle.leave()
        call.response_bytes = self.answer.sent_bytes
        outcome = call.outcome(now_s, proxy.clock.now_s())
        for observer in proxy.observers:
            observer.observe(outcome)

    def _fail(self, problem: Problem, reason: TransportReason | None = None) -> None:
        """Tell the client of a failure; where a head was sent already, the answer is cut instead."""
        call, answer = self._call, self.answer
        if answer.head_sent:
            call.word, call.problem, call.reason = "cut", problem, reason
            answer.cut()
            return
        try:
            self._proxy.replies.failure(call, answer, problem, reason=reason)
        except ClientGone:
            self._gone()

    def _gone(self) -> None:
        """Note that the client left before its answer was complete; one of which nothing was sent is no answer."""
        call = self._call
        call.word = "cancelled"
        if not self.answer.head_sent:
            call.forget_answer()
        if call.charges and call.upstream_began_s is None:
            self._proxy.intake.left(call)
        self.answer.cut()
