"""The handler: the way of one request, in the order in which things happen.

It decides nothing itself. Routing, limits, header rules, what a reply means and how that is written are values from the
core; this module asks for them one after the other and moves bytes. Whatever happens, one `Outcome` goes to the
observers.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from gateway.edge.intake import Asked, Refused
from gateway.edge.lifecycle import State
from gateway.edge.pages import Page
from gateway.edge.request_body import BodyRefused, RequestBody
from gateway.errors import ClientGone, TransportFailure
from gateway.model import Stage
from gateway.pipeline.normalise import own_problem, transport_problem

if TYPE_CHECKING:
    from aiohttp import web
    from structlog.typing import FilteringBoundLogger

    from gateway.config.models import GatewayFile
    from gateway.edge.answer import Answer
    from gateway.edge.call import Call
    from gateway.edge.clock import Clock
    from gateway.edge.connection import ClientConnection
    from gateway.edge.forward import Forwarder
    from gateway.edge.intake import Intake
    from gateway.edge.lifecycle import Lifecycle
    from gateway.edge.observers import Observer
    from gateway.edge.replies import Replies
    from gateway.errors import TransportReason
    from gateway.model import Problem

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
        """Keep the parts."""
        self._gateway = gateway
        self._intake = intake
        self._forwarder = forwarder
        self._replies = replies
        self._lifecycle = lifecycle
        self._clock = clock
        self._observers = observers
        self._log = log

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        connection = cast("ClientConnection", request.protocol)
        call = self._intake.begin(request, connection)
        answer = self._replies.answer(connection, request)
        self._lifecycle.enter()
        try:
            await self._answer(call, request, connection, answer)
        except ClientGone:
            self._gone(call, answer)
        except asyncio.CancelledError:
            self._broken_off(call, answer)
            raise
        except Exception:  # noqa: BLE001 - the outermost: the client gets an answer, and no trace of what was wrong
            self._log.exception("unexpected", request_id=call.request_id)
            self._fail(call, answer, own_problem("internal", Stage.RESPONSE, upstream=call.upstream))
        finally:
            self._settle(call, answer)
        return answer

    async def refuse(self, connection: ClientConnection, request: web.BaseRequest, code: str) -> web.StreamResponse:
        """Answer what could not be parsed; `request` is aiohttp's stand-in for it."""
        call = self._intake.begin_unparsed(connection)
        answer = self._replies.answer(connection, request)
        answer.leave_unread()
        self._lifecycle.enter()
        self._fail(call, answer, own_problem(code, Stage.REQUEST))
        self._settle(call, answer)
        return answer

    async def _answer(self, call: Call, request: web.BaseRequest, connection: ClientConnection, answer: Answer) -> None:
        """Take the request or refuse it."""
        asked = self._intake.admit(call, request, connection)
        if isinstance(asked, Asked):
            await self._take(call, asked, self._body(asked, request, connection), answer)
            return
        if not request.content.is_eof() or (isinstance(asked, Refused) and asked.problem.code.name in _SUSPECT):
            answer.leave_unread()
        if isinstance(asked, Page):
            self._replies.page(call, answer, asked)
        else:
            self._replies.refuse(call, answer, asked)

    def _body(self, asked: Asked, request: web.BaseRequest, connection: ClientConnection) -> RequestBody:
        return RequestBody(
            request.content,
            connection,
            limit_bytes=self._gateway.bounds.body_bytes,
            timeouts=self._gateway.client_timeouts,
            clock=self._clock,
            asked_to_continue=asked.expects_continue,
        )

    async def _take(self, call: Call, asked: Asked, body: RequestBody, answer: Answer) -> None:
        """Carry out the exchange; what goes wrong on either side of it becomes a problem."""
        try:
            await self._forwarder.forward(call, asked, body, answer)
        except BodyRefused as refusal:
            answer.leave_unread()
            if call.upstream_began_s is None:
                self._intake.give_back(call)
            self._fail(call, answer, own_problem(refusal.code, Stage.REQUEST, upstream=call.upstream))
        except TransportFailure as failure:
            self._log.warning(
                "transport", request_id=call.request_id, reason=failure.reason.value, detail=failure.detail
            )
            if not body.complete:
                answer.leave_unread()
            problem = transport_problem(failure.reason, asked.way.upstream)
            if problem.source.stage is Stage.CONNECT:  # no connection, so nothing went upstream
                self._intake.give_back(call)
            self._fail(call, answer, problem, failure.reason)
        finally:
            call.request_bytes = body.received_bytes

    def _fail(self, call: Call, answer: Answer, problem: Problem, reason: TransportReason | None = None) -> None:
        """Tell the client of a failure; where a head was sent already, the answer is cut instead."""
        if answer.head_sent:
            call.word, call.problem, call.reason = "cut", problem, reason
            answer.cut()
            return
        try:
            self._replies.failure(call, answer, problem, reason=reason)
        except ClientGone:
            self._gone(call, answer)

    def _broken_off(self, call: Call, answer: Answer) -> None:
        """Tell a client whose request outlasted the gateway; a request is cancelled when its client has left, too."""
        if self._lifecycle.state is State.ENDING:
            self._fail(call, answer, own_problem("shutting_down", Stage.RESPONSE, upstream=call.upstream))
        else:
            self._gone(call, answer)

    def _gone(self, call: Call, answer: Answer) -> None:
        """Note that the client left before its answer was complete."""
        call.word = "cancelled"
        answer.cut()

    def _settle(self, call: Call, answer: Answer) -> None:
        """Tell the observers what happened."""
        self._lifecycle.leave()
        call.response_bytes = answer.sent_bytes
        outcome = call.outcome(self._clock.monotonic_s(), self._clock.now_s())
        for observer in self._observers:
            observer.observe(outcome)
