"""Everything that settled what a client gets for one reply.

The answer itself is `gateway.pipeline.examples.answer`'s; what is told beside it explains that answer and decides
nothing. Total, as `normalise` is: whatever the bytes, it returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Raw, Struct

from gateway.dialects.auto import AutoDialect
from gateway.dialects.explain import Evidence, ReadError, Trace, examined, printable, trace
from gateway.model import Party, Problem, Success, Translation
from gateway.pipeline.examples import answer, streams
from gateway.pipeline.normalise import view_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.dialects.reader import Dialect
    from gateway.dialects.view import View
    from gateway.model import Reply
    from gateway.pipeline.plan import Plan

_ERROR_STATUSES: Final = range(400, 600)
_PASSES: Final = Raw(b"null")


class Received(Struct, frozen=True, kw_only=True):
    """The reply as it was seen. `kind` is null where nobody looked into it; `truncated`: it is not whole."""

    status: int
    content_type: str
    size_bytes: int
    kind: str | None
    truncated: bool


class Candidate(Struct, frozen=True, kw_only=True):
    """One sign by which `auto` knows replies of a dialect; `taken` is the one that told it."""

    dialect: str
    confidence: int
    knows: bool
    taken: bool
    evidence: tuple[Evidence, ...]


class Told(Struct, frozen=True, kw_only=True):
    """What the client gets, and why with this status. `document` is null where the reply passes untouched."""

    translation: Translation
    code: str | None
    status: int
    because: str
    document: Raw


class Explanation(Struct, frozen=True, kw_only=True):
    """How one reply was read, from the bytes to the document.

    `candidates` are there where the dialect is `auto`; `trace` where somebody looked for an error; `envelope` is the
    condition of the success envelope where one was looked for.
    """

    upstream: str
    dialect: str
    received: Received
    candidates: tuple[Candidate, ...]
    trace: Trace | None
    envelope: tuple[Evidence, ...]
    told: Told


def explain(reply: Reply, plan: Plan, now_s: float) -> Explanation:
    """Return how a reply to a GET is read by `plan`; `now_s` is Unix time."""
    seen = None if streams(reply, plan) else _full(reply, plan)
    result, document = answer(reply, plan, now_s)
    candidates: tuple[Candidate, ...] = ()
    found: Trace | None = None
    envelope: tuple[Evidence, ...] = ()
    if seen is not None:
        dialect, candidates = _chosen(plan.dialect, seen)
        if plan.translate:
            found = trace(dialect, lambda: _full(reply, plan) or seen, now_s)
        if found is None or found.error is None:
            envelope = _envelope(plan, seen)
    return Explanation(
        upstream=plan.upstream,
        dialect=found.dialect if found is not None else plan.dialect.name,
        received=Received(
            status=reply.status,
            content_type=printable((reply.header(b"content-type") or b"").decode("utf-8", "replace")),
            size_bytes=len(reply.body),
            kind=str(seen.kind) if seen is not None else None,
            truncated=seen is not None and seen.truncated,
        ),
        candidates=candidates,
        trace=found,
        envelope=envelope,
        told=Told(
            translation=_TRANSLATIONS[type(result)],
            code=result.code.name if isinstance(result, Problem) else None,
            status=reply.status if result is None else result.status,
            because=_because(reply, plan, seen, found, result),
            document=_PASSES if document is None else Raw(document),
        ),
    )


def _full(reply: Reply, plan: Plan) -> View | None:
    """Return a view whose body is read in full, if one can be had."""
    view = view_of(reply, plan)
    if view is not None and view.payload is not None:
        view.complete()
    return view


def _chosen(dialect: Dialect, view: View) -> tuple[Dialect, tuple[Candidate, ...]]:
    """Return the dialect that reads, and what `auto` found of each that it asked."""
    if not isinstance(dialect, AutoDialect):
        return dialect, ()
    taken = dialect.chosen(view)
    outer = view.tree
    view.tree = view.unwrapped()
    candidates = tuple(_candidates(dialect, view, taken))
    view.tree = outer
    return taken, candidates


def _candidates(auto: AutoDialect, view: View, taken: Dialect) -> Iterator[Candidate]:
    """Give every sign, the surest first; of those that hold, the first of the dialect that was taken told it."""
    settled = False
    for sign in sorted(auto.options.signs.all, key=lambda sign: (-sign.confidence, sign.order)):
        knows = sign.holds(view)
        tells = knows and not settled and sign.dialect is taken
        settled = settled or tells
        yield Candidate(
            dialect=sign.dialect.name,
            confidence=sign.confidence,
            knows=knows,
            taken=tells,
            evidence=examined(sign.when, view),
        )


def _envelope(plan: Plan, view: View) -> tuple[Evidence, ...]:
    success = next((spec.success for spec in plan.dialect.chain if spec.success is not None), None)
    if not plan.unify or success is None or success.envelope is None:
        return ()
    return examined(success.envelope, view)


def _because(reply: Reply, plan: Plan, seen: View | None, found: Trace | None, result: Problem | Success | None) -> str:
    if isinstance(result, Problem) and found is not None and found.error is not None:
        return _status_because(reply, found.error, result)
    if isinstance(result, Success):
        return "no rule takes it for an error, and its dialect unifies successes"
    if reply.status in _ERROR_STATUSES and not plan.translate:
        return "errors of this route pass"
    if seen is None:
        return "its head is enough: no rule and no envelope could be looked for in it"
    if found is not None and found.fired is not None:
        return "the rule says that this is no error"
    return "no rule takes it for an error, and successes of this dialect pass"


def _status_because(reply: Reply, read: ReadError, problem: Problem) -> str:
    if problem.code.name != read.code:
        return f"{read.code} is about the gateway's own credential here, which is no fault of the client's"
    if read.named:
        return "the code was named, and brings its own status"
    if read.status not in _ERROR_STATUSES:
        return "no status of an error was given; the code brings its own"
    if problem.code.fault is Party.GATEWAY:
        return "what is the gateway's fault has the status of its code"
    where = "in the body" if read.status != reply.status else "of the reply"
    return f"the status {where} told the code, and stays"


_TRANSLATIONS: Final[dict[type, Translation]] = {
    Problem: Translation.PROBLEM,
    Success: Translation.UNIFIED,
    type(None): Translation.PASSED,
}
