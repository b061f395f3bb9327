"""What is known of one request while it is under way, and the `Outcome` that is made of it at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gateway.model import Allowance, Origin, Outcome, Problem, Translation
from gateway.pipeline.preference import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.limits import Charge, Verdict
    from gateway.limits.budget.learned import Ticket
    from gateway.model import Success
    from gateway.pipeline.preference import Preference
    from gateway.pipeline.writers.writer import Writer

PATH_CHARACTERS: Final = 512
ID_CHARACTERS: Final = 128

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


class Would:
    """What would have become of a reply that passed only because its upstream is in shadow mode."""

    __slots__ = ("code", "dialect", "outcome", "status", "translation")

    def __init__(self, status: int, outcome: str, translation: Translation) -> None:
        """Begin with what is known of every reply."""
        self.status = status
        self.outcome = outcome
        self.translation = translation
        self.code: str | None = None
        self.dialect: str | None = None


def would_be(found: Problem | Success | None, received: int, dialect: str) -> Would:
    """Return what a client would have got of a reply with the status `received`, of which `found` is the meaning.

    Only names and numbers of our own: what the upstream said in its own words is not kept. `dialect` is the upstream's.
    """
    if found is None:
        return Would(received, _word_of_reply(received), Translation.PASSED)
    if isinstance(found, Problem):
        would = Would(found.status, word_of(found, received, found.status), Translation.PROBLEM)
        would.code = found.code.name
        would.dialect = dialect if found.upstream is None else found.upstream.dialect
        return would
    would = Would(found.status, _word_of_reply(found.status), Translation.UNIFIED)
    would.dialect = found.dialect
    return would


class Told:
    """A reply of which the head was told: its ticket, and whether the head imposed a pause already."""

    __slots__ = ("paused", "ticket")

    def __init__(self, ticket: Ticket, *, paused: bool) -> None:
        self.ticket = ticket
        self.paused = paused


class Call:
    """One request under way, from `began_s` on the monotonic clock. The proxy fills it in step by step.

    `preference` is what the client asks of problems, `view` what the configuration says instead. Observers see only the
    `Outcome`.
    """

    budget: Allowance | None = None
    client: str | None = None
    client_request_id: str | None = None
    dialect: str | None = None
    limit: str | None = None
    problem: Problem | None = None
    reason: str | None = None
    request_bytes: int = 0
    response_bytes: int = 0
    route: str | None = None
    told: Told | None = None
    upstream: str | None = None
    upstream_began_s: float | None = None
    upstream_ended_s: float | None = None
    upstream_status: int | None = None
    view: Writer | None = None
    word: str | None = None
    would: Would | None = None

    def __init__(self, request_id: str, method: str, path: str, peer: str | None, began_s: float) -> None:
        self.request_id = request_id
        self.method = method
        self.path = path
        self.peer = peer
        self.began_s = began_s
        self.status = CLIENT_CLOSED_REQUEST
        self.translation = Translation.NONE
        self.preference: Preference = DEFAULT
        self.charges: tuple[Charge, ...] = ()
        self.verdicts: tuple[Verdict, ...] = ()

    def outcome(self, ended_s: float, time_s: float) -> Outcome:
        """Return what happened, at the end of the request: `ended_s` on the monotonic clock, `time_s` in Unix time."""
        problem = self.problem
        if problem is None:
            code = source = origin = fault = stage = after = None
        else:
            code, source, after = problem.code.name, problem.source, problem.retry.after
            origin, fault, stage = source.origin, source.fault, source.stage
        began_s, would = self.upstream_began_s, self.would
        path, client_id = self.path, self.client_request_id
        outcome = Outcome(
            int(time_s * 1e3) / 1e3,
            self.request_id,
            client_id if client_id is None or len(client_id) <= ID_CHARACTERS else _cut(client_id, ID_CHARACTERS),
            self.method,
            path if len(path) <= PATH_CHARACTERS else _cut(path, PATH_CHARACTERS),
            self.status,
            self.upstream_status,
            self.word or word_of(problem, self.upstream_status, self.status),
            code,
            origin,
            fault,
            stage,
            self.reason,
            self.upstream,
            self.route,
            self.client,
            self.limit,
            self.peer,
            self.dialect,
            self.translation,
            after,
            int((ended_s - self.began_s) * 1e6) / 1e3,  # round() takes five times as long
            None if began_s is None else int(((self.upstream_ended_s or ended_s) - began_s) * 1e6) / 1e3,
            self.request_bytes,
            self.response_bytes,
        )
        return outcome if would is None or self.word is not None else _beside(outcome, would)


def _beside(outcome: Outcome, would: Would) -> Outcome:
    """Return an outcome with what would have been, too."""
    return replace(
        outcome,
        would_status=would.status,
        would_outcome=would.outcome,
        would_code=would.code,
        would_dialect=would.dialect,
        would_translation=would.translation,
    )


def _cut(text: str, characters: int) -> str:
    """Bound a text that somebody else chose."""
    return f"{text[:characters]}…"


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
