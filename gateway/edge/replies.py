"""What goes back to clients, written out: our own failures, problems and successes of upstreams, and what just passes.

The fields that every answer of ours bears are added here and nowhere else: `X-Request-Id`, `Via`, `RateLimit`,
`Proxy-Status`, `Cache-Control`, `Retry-After`, `Accord-Format`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.edge.answer import Answer, DateLine
from gateway.headers import SWITCHING_PROTOCOLS
from gateway.headers.checks import HTTP_11
from gateway.headers.via import via_field
from gateway.limits import rate_fields
from gateway.model import Translation
from gateway.pipeline.render import (
    JSON_TYPE,
    PROBLEM_TYPE,
    problem_document,
    proxy_status,
    retry_after,
    success_document,
)

if TYPE_CHECKING:
    from aiohttp import web

    from gateway.config.models import GatewayFile
    from gateway.edge.call import Call
    from gateway.edge.clock import Clock
    from gateway.edge.connection import ClientConnection
    from gateway.edge.intake import Refused
    from gateway.edge.pages import Page
    from gateway.edge.ways import Way
    from gateway.errors import TransportReason
    from gateway.model import Headers, Problem, Success

_NO_STORE: Final = (b"Cache-Control", b"no-store")
_PROBLEM: Final = (b"Content-Type", PROBLEM_TYPE)
_JSON: Final = (b"Content-Type", JSON_TYPE)
_UNIFIED: Final = (b"Accord-Format", b"unified")
_PASSED: Final = (b"Accord-Format", b"passed")


class Replies:
    """Writes answers, and notes in the `Call` what the client got. Everything here raises ClientGone."""

    def __init__(self, gateway: GatewayFile, clock: Clock) -> None:
        """Keep the deployment's name and its public address."""
        self._date = DateLine(clock)
        self._via = gateway.via
        self._via_field = via_field(HTTP_11, gateway.via.encode("ascii"))
        self._public_url = gateway.public_url

    def answer(self, connection: ClientConnection, request: web.BaseRequest) -> Answer:
        """Return the answer to a request, still to be written."""
        return Answer(connection, request, self._date)

    def page(self, call: Call, answer: Answer, page: Page) -> None:
        """Answer with a page of our own."""
        call.status = page.status
        answer.send(page.status, (*page.headers, *self._ours(call, page.status), self._via_field), page.body)

    def refuse(self, call: Call, answer: Answer, refused: Refused) -> None:
        """Answer with a failure that the request met before any upstream."""
        allow: Headers = ((b"Allow", ", ".join(refused.allow).encode("ascii")),) if refused.allow else ()
        self.failure(call, answer, refused.problem, allow)

    def failure(
        self,
        call: Call,
        answer: Answer,
        problem: Problem,
        headers: Headers = (),
        reason: TransportReason | None = None,
    ) -> None:
        """Answer with a failure of our own, or of the transport."""
        call.reason = None if reason is None else reason.value
        self._problem(call, answer, problem, (*headers, self._via_field), reason)

    def problem(self, call: Call, answer: Answer, problem: Problem, way: Way, passed: Headers) -> None:
        """Answer with an upstream's failure; `passed` are those of its fields that go on."""
        call.translation = Translation.PROBLEM
        call.dialect = way.plan.dialect.name if problem.upstream is None else problem.upstream.dialect
        self._problem(call, answer, problem, passed, None)

    def success(self, call: Call, answer: Answer, success: Success, way: Way, passed: Headers) -> None:
        """Answer with an upstream's success, taken out of its envelope."""
        call.translation = Translation.UNIFIED
        call.dialect = success.dialect
        call.status = success.status
        body = success_document(success, call.request_id, way.upstream)
        answer.send(success.status, (*passed, _JSON, _UNIFIED, *self._ours(call, success.status)), body)

    def passing(self, call: Call, status: int, passed: Headers) -> Headers:
        """Return the head of a reply that goes through as it came."""
        call.translation = Translation.PASSED
        call.status = status
        return (*passed, _PASSED, *self._ours(call, status))

    def bare(self, call: Call, status: int, passed: Headers) -> Headers:
        """Return the head of a reply without content, of which no format can be told."""
        call.status = status
        return (*passed, *self._ours(call, status))

    def switching(self, call: Call, passed: Headers) -> Headers:
        """Return the head of a 101, less what says that it is one; the bytes behind it pass as they come."""
        call.translation = Translation.PASSED
        return self.bare(call, SWITCHING_PROTOCOLS, passed)

    def _problem(
        self, call: Call, answer: Answer, problem: Problem, headers: Headers, reason: TransportReason | None
    ) -> None:
        call.problem = problem
        call.status = problem.status
        body = problem_document(problem, call.request_id, self._public_url)
        fields = [
            *headers,
            _PROBLEM,
            _NO_STORE,
            (b"Proxy-Status", proxy_status(problem, self._via, reason, call.upstream_status)),
        ]
        after = retry_after(problem)
        if after is not None:
            fields.append((b"Retry-After", after))
        answer.send(problem.status, (*fields, *self._ours(call, problem.status)), body)

    def _ours(self, call: Call, status: int) -> Headers:
        """Return the fields that stand on every answer."""
        request_id = (b"X-Request-Id", call.request_id.encode("ascii"))
        if not call.verdicts and call.budget is None:
            return (request_id,)
        name = call.upstream or ""
        return (request_id, *rate_fields(call.verdicts, status=status, budget=call.budget, budget_name=name))
