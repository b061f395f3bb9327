"""What is known of one request while it is under way, and the `Outcome` that is made of it at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gateway.edge.words import CLIENT_CLOSED_REQUEST, word_of, word_of_reply
from gateway.model import Allowance, Outcome, Problem, Translation
from gateway.pipeline.preference import DEFAULT

if TYPE_CHECKING:
    from gateway.limits import Charge, Verdict
    from gateway.limits.budget.learned import Ticket
    from gateway.model import Success
    from gateway.pipeline.preference import Preference
    from gateway.pipeline.writers.writer import Writer

PATH_CHARACTERS: Final = 512
ID_CHARACTERS: Final = 128


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
        return Would(received, word_of_reply(received), Translation.PASSED)
    if isinstance(found, Problem):
        would = Would(found.status, word_of(found, received, found.status), Translation.PROBLEM)
        would.code = found.code.name
        would.dialect = dialect if found.upstream is None else found.upstream.dialect
        return would
    would = Would(found.status, word_of_reply(found.status), Translation.UNIFIED)
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
    waited_s: float = 0.0
    waits_since_s: float | None = None
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

    def waits(self, now_s: float) -> None:
        """Note that it waits from now on, for its limits or for its body: that is no work of ours."""
        self.waits_since_s = now_s

    def goes_on(self, now_s: float) -> None:
        """Note that it waits no longer, if it did."""
        if self.waits_since_s is not None:
            self.waited_s += now_s - self.waits_since_s
            self.waits_since_s = None

    def forget_answer(self) -> None:
        """Forget what the client was about to be told: it left before."""
        self.status = CLIENT_CLOSED_REQUEST
        self.translation = Translation.NONE
        self.problem = self.dialect = None

    def outcome(self, ended_s: float, time_s: float) -> Outcome:
        """Return what happened, at the end of the request: `ended_s` on the monotonic clock, `time_s` in Unix time."""
        problem = self.problem
        if problem is None:
            code = source = origin = fault = stage = after = None
        else:
            code, source, after = problem.code.name, problem.source, problem.retry.after
            origin, fault, stage = source.origin, source.fault, source.stage
        if self.waits_since_s is not None:
            self.goes_on(ended_s)
        duration_s, began_s, would = ended_s - self.began_s, self.upstream_began_s, self.would
        upstream_s = 0.0 if began_s is None else (self.upstream_ended_s or ended_s) - began_s
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
            int(duration_s * 1e6) / 1e3,  # round() takes five times as long
            None if began_s is None else int(upstream_s * 1e6) / 1e3,
            int(max(0.0, duration_s - upstream_s - self.waited_s) * 1e6) / 1e3,
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
