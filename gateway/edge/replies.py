"""What goes back to clients, written out: our own failures, problems and successes of upstreams, and what just passes.

The fields that every answer of ours bears are added here and nowhere else: `X-Request-Id`, `Via`, `RateLimit`,
`Proxy-Status`, `Cache-Control`, `Retry-After`, `Accord-Format`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.edge.answer import Answer, DateLine, Lines, lines_of
from gateway.headers import SWITCHING_PROTOCOLS
from gateway.headers.checks import HTTP_11
from gateway.headers.via import via_field
from gateway.limits import legacy_fields, rate_fields
from gateway.model import Translation
from gateway.pipeline.render import JSON_TYPE, proxy_status, retry_after, success_document

if TYPE_CHECKING:
    from gateway.config.models import GatewayFile
    from gateway.edge.asked import Refused
    from gateway.edge.call import Call
    from gateway.edge.clock import Clock
    from gateway.edge.connection import ClientConnection
    from gateway.edge.message import Message
    from gateway.edge.pages import Page
    from gateway.edge.ways import Way
    from gateway.errors import TransportReason
    from gateway.model import Problem, Success

_UNIFIED: Final = b"Content-Type: %b\r\nAccord-Format: unified\r\n" % JSON_TYPE
_PASSED: Final = b"Accord-Format: passed\r\n"
_VARY_BY_BOTH: Final = b"Vary: Accept, Accept-Language\r\n"
_VARY_BY_LANGUAGE: Final = b"Vary: Accept-Language\r\n"
"""For where the configuration chose the view."""

_NOTHING: Final = Lines(b"")


class Replies:
    """Writes answers, and notes in the `Call` what the client got. Everything here raises ClientGone."""

    def __init__(self, gateway: GatewayFile, clock: Clock) -> None:
        """Keep the deployment's name and its public address."""
        self._date = DateLine(clock)
        self._via = gateway.via
        self._own = lines_of((via_field(HTTP_11, gateway.via.encode("ascii")),))
        self._public_url = gateway.public_url
        self._clock = clock
        self._legacy = None if gateway.legacy_headers == "none" else gateway.legacy_headers

    def answer(self, connection: ClientConnection, message: Message | None) -> Answer:
        """Return the answer to a request, still to be written."""
        return Answer(connection, message, self._date)

    def page(self, call: Call, answer: Answer, page: Page) -> None:
        """Answer with a page of our own."""
        call.status = page.status
        answer.send(page.status, self._with(call, page.status, lines_of(page.headers), self._own.text), page.body)

    def refuse(self, call: Call, answer: Answer, refused: Refused) -> None:
        """Answer with a failure that the request met before any upstream."""
        allow = lines_of(((b"Allow", ", ".join(refused.allow).encode("ascii")),)) if refused.allow else _NOTHING
        self.failure(call, answer, refused.problem, allow)

    def failure(
        self,
        call: Call,
        answer: Answer,
        problem: Problem,
        lines: Lines = _NOTHING,
        reason: TransportReason | None = None,
    ) -> None:
        """Answer with a failure of our own, or of the transport."""
        call.reason = None if reason is None else reason.value
        self._problem(call, answer, problem, Lines(lines.text + self._own.text), reason)

    def problem(self, call: Call, answer: Answer, problem: Problem, way: Way, passed: Lines) -> None:
        """Answer with an upstream's failure; `passed` are those of its fields that go on."""
        call.translation = Translation.PROBLEM
        call.dialect = way.plan.dialect.name if problem.upstream is None else problem.upstream.dialect
        self._problem(call, answer, problem, passed, None)

    def success(self, call: Call, answer: Answer, success: Success, way: Way, passed: Lines) -> None:
        """Answer with an upstream's success, taken out of its envelope."""
        call.translation = Translation.UNIFIED
        call.dialect = success.dialect
        call.status = success.status
        body = success_document(success, call.request_id, way.upstream)
        answer.send(success.status, self._with(call, success.status, passed, _UNIFIED), body)

    def passing(self, call: Call, status: int, passed: Lines) -> Lines:
        """Return the head of a reply that goes through as it came."""
        call.translation = Translation.PASSED
        call.status = status
        return self._with(call, status, passed, _PASSED)

    def bare(self, call: Call, status: int, passed: Lines) -> Lines:
        """Return the head of a reply without content, of which no format can be told."""
        call.status = status
        return self._with(call, status, passed, b"")

    def switching(self, call: Call, passed: Lines) -> Lines:
        """Return the head of a 101, less what says that it is one; the bytes behind it pass as they come."""
        call.translation = Translation.PASSED
        return self.bare(call, SWITCHING_PROTOCOLS, passed)

    def _problem(
        self, call: Call, answer: Answer, problem: Problem, lines: Lines, reason: TransportReason | None
    ) -> None:
        call.problem = problem
        call.status = problem.status
        writer, language = call.view, call.preference.language
        vary = _VARY_BY_BOTH if writer is None else _VARY_BY_LANGUAGE
        writer = writer or call.preference.writer
        body = writer.write(problem, call.request_id, self._public_url, language)
        status = proxy_status(problem, self._via, reason, call.upstream_status)
        told = writer.language_of(problem, language)
        speech = b"" if told is None else b"Content-Language: %b\r\n" % told.encode("latin-1")
        more = b"%b%b%bProxy-Status: %b\r\n" % (writer.lines, vary, speech, status)
        after = retry_after(problem)
        if after is not None:
            more += b"Retry-After: %b\r\n" % after
        answer.send(problem.status, self._with(call, problem.status, lines, more), body)

    def _with(self, call: Call, status: int, lines: Lines, more: bytes) -> Lines:
        """Return `lines` and `more`, and the fields that stand on every answer."""
        rates = b""
        if call.verdicts or call.budget is not None:
            fields = rate_fields(call.verdicts, status=status, budget=call.budget, budget_name=call.upstream or "")
            if fields and self._legacy is not None and call.verdicts:  # without fields none of the older ones either
                fields += legacy_fields(call.verdicts, self._clock.now_s() if self._legacy == "epoch" else None)
            rates = lines_of(fields).text
        text = b"%b%bX-Request-Id: %b\r\n%b" % (lines.text, more, call.request_id.encode("ascii"), rates)
        return Lines(text, dated=lines.dated)
