"""What is known of one request while it is under way, and the `Outcome` that is made of it at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.model import Origin, Outcome, Translation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.limits import Charge, Verdict
    from gateway.model import Allowance, Problem

CLIENT_CLOSED_REQUEST: Final = 499
"""The status that stands in logs and metrics for a request whose client left before an answer; it is never sent."""

_BY_CODE: Final[Mapping[str, str]] = {
    "route_not_found": "no_route",
    "method_not_allowed": "no_route",
    "rate_limited": "rate_limited",
    "upstream_timeout": "timeout",
    "upstream_budget_exhausted": "transport",
    "upstream_saturated": "transport",
    "upstream_unavailable": "transport",
}
"""The word for a failure that no upstream's reply lies behind, where its status does not say it."""

_SERVER_ERROR: Final = 500
_CLIENT_ERROR: Final = 400


class Call:
    """One request under way. The proxy fills it in step by step; observers only see the `Outcome`."""

    __slots__ = (
        "began_s",
        "budget",
        "charges",
        "client",
        "client_request_id",
        "dialect",
        "method",
        "path",
        "peer",
        "problem",
        "reason",
        "request_bytes",
        "request_id",
        "response_bytes",
        "route",
        "status",
        "translation",
        "upstream",
        "upstream_began_s",
        "upstream_ended_s",
        "upstream_status",
        "verdicts",
        "word",
    )

    def __init__(self, request_id: str, method: str, path: str, peer: str | None, began_s: float) -> None:
        """Begin a request that arrived at `began_s` (the monotonic clock)."""
        self.request_id = request_id
        self.method = method
        self.path = path
        self.peer = peer
        self.began_s = began_s
        self.budget: Allowance | None = None
        self.charges: tuple[Charge, ...] = ()
        self.client: str | None = None
        self.client_request_id: str | None = None
        self.dialect: str | None = None
        self.problem: Problem | None = None
        self.reason: str | None = None
        self.request_bytes = 0
        self.response_bytes = 0
        self.route: str | None = None
        self.status = CLIENT_CLOSED_REQUEST
        self.translation = Translation.NONE
        self.upstream: str | None = None
        self.upstream_began_s: float | None = None
        self.upstream_ended_s: float | None = None
        self.upstream_status: int | None = None
        self.verdicts: tuple[Verdict, ...] = ()
        self.word: str | None = None

    def outcome(self, now_s: float) -> Outcome:
        """Return what happened, at the end of the request."""
        problem = self.problem
        began_s, ended_s = self.upstream_began_s, self.upstream_ended_s
        return Outcome(
            request_id=self.request_id,
            client_request_id=self.client_request_id,
            method=self.method,
            path=self.path,
            upstream=self.upstream,
            route=self.route,
            client=self.client,
            peer=self.peer,
            status=self.status,
            upstream_status=self.upstream_status,
            outcome=self.word or word_of(problem, self.upstream_status, self.status),
            code=None if problem is None else problem.code,
            source=None if problem is None else problem.source,
            dialect=self.dialect,
            translation=self.translation,
            reason=self.reason,
            retry_after=None if problem is None else problem.retry.after,
            duration_s=now_s - self.began_s,
            upstream_s=None if began_s is None else (ended_s or now_s) - began_s,
            request_bytes=self.request_bytes,
            response_bytes=self.response_bytes,
        )


def word_of(problem: Problem | None, upstream_status: int | None, status: int) -> str:
    """Return the one word for a request that got an answer."""
    if problem is None:
        return _word_of_reply(status)
    if problem.source.origin is Origin.UPSTREAM and upstream_status is not None:
        return "upstream_masked" if upstream_status < _CLIENT_ERROR else _word_of_reply(upstream_status)
    if word := _BY_CODE.get(problem.code.name):
        return word
    if problem.source.origin is Origin.TRANSPORT:
        return "transport"
    return "gateway_error" if problem.status >= _SERVER_ERROR else "client_error"


def _word_of_reply(status: int) -> str:
    """Return the word for a reply of an upstream that went through as it was."""
    if status < _CLIENT_ERROR:
        return "ok"
    return "upstream_4xx" if status < _SERVER_ERROR else "upstream_5xx"
