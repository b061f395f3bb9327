"""Captured replies in, a dialect out: what `accord infer` writes and the radar suggests.

Invariants: structure decides, never phrases; the same replies give the same dialect; whatever the replies hold, some
dialect comes out, in time and memory that are bounded by the constants of the modules beside this one. What comes out
is plain values in the dialect language, and is compiled and tried on the replies before it is returned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.config import presets
from gateway.model import Problem
from gateway.pipeline.suggest.choice import OWN_NAME, compiled, fitting_preset, needs_rules, read, total
from gateway.pipeline.suggest.codes import Table
from gateway.pipeline.suggest.own import draft
from gateway.pipeline.suggest.seen import look
from gateway.pipeline.suggest.suggestion import ReplyReading, Suggestion
from gateway.pipeline.suggest.telling import failures
from gateway.pipeline.suggest.writing import dialect_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dialects.reader import Dialect
    from gateway.model import Reply
    from gateway.pipeline.suggest.own import Draft
    from gateway.pipeline.suggest.seen import Seen

MOST_REPLIES: Final = 200
"""Replies that are looked at: a security limit on time."""

__all__ = ["MOST_REPLIES", "OWN_NAME", "ReplyReading", "Suggestion", "dialect_yaml", "suggest"]


def suggest(
    replies: Sequence[Reply],
    *,
    failed: Sequence[bool | None] = (),
    use_presets: bool = True,
    always_own: bool = False,
) -> Suggestion:
    """Return a dialect that reads these replies.

    Args:
        replies: what was captured; at most `MOST_REPLIES` are looked at.
        failed: what a person says of each reply: an error, none, or nothing (None); may be left out.
        use_presets: whether a preset that knows the replies may be named instead of rules of one's own.
        always_own: whether to write rules even where `generic` reads as much without any.
    """
    all_seen = [look(reply) for reply in replies[:MOST_REPLIES]]
    hints = [*failed, *[None] * len(all_seen)][: len(all_seen)]
    wrong = failures(all_seen, hints)
    drafted = _draft(all_seen, wrong)
    own = total(compiled(drafted.spec), all_seen, wrong)
    name = fitting_preset(all_seen, wrong, own) if use_presets else None
    if name is not None:
        return _of_preset(name, drafted, all_seen, wrong)
    spec = drafted.spec
    if not always_own and not needs_rules(all_seen, wrong, own):
        spec = {key: value for key, value in spec.items() if key in ("codes", "rate_headers", "success")}
    return _suggestion(spec or presets.LAST_RESORT, drafted, all_seen, wrong)


def _draft(all_seen: Sequence[Seen], failed: Sequence[bool]) -> Draft:
    errors = [seen for seen, wrong in zip(all_seen, failed, strict=True) if wrong]
    successes = [seen for seen, wrong in zip(all_seen, failed, strict=True) if not wrong]
    return draft(errors, successes)


def _of_preset(name: str, drafted: Draft, all_seen: Sequence[Seen], failed: Sequence[bool]) -> Suggestion:
    """Name a preset, with the codes to which it gives no meaning and whose words leave no doubt."""
    dialect = presets.preset(name)
    unnamed: dict[str, str] = {}
    for seen, wrong in zip(all_seen, failed, strict=True):
        result = read(dialect, seen, failed=wrong).result
        if isinstance(result, Problem) and result.upstream is not None:
            code = result.upstream.code or ""
            meant = drafted.codes.sure.get(code)
            if meant is not None and result.status == seen.status and result.code.name != meant:
                unnamed[code] = meant
    spec: str | dict[str, Any] = {"extends": name, "codes": unnamed} if unnamed else name
    return _suggestion(spec, drafted._replace(codes=Table({}, {}, {}), unsure=[]), all_seen, failed)


def _suggestion(
    spec: str | dict[str, Any], drafted: Draft, all_seen: Sequence[Seen], failed: Sequence[bool]
) -> Suggestion:
    dialect = presets.preset(spec) if isinstance(spec, str) else compiled(spec)
    readings = tuple(_reading(dialect, seen, failed=wrong) for seen, wrong in zip(all_seen, failed, strict=True))
    unsure = [*drafted.unsure, *_doubts(readings, failed)]
    return Suggestion(
        dialect=spec,
        readings=readings,
        open_codes=drafted.codes.open,
        told_codes=drafted.codes.told,
        unsure=tuple(unsure),
    )


def _reading(dialect: Dialect, seen: Seen, *, failed: bool) -> ReplyReading:
    result = read(dialect, seen, failed=failed).result
    problem = result if isinstance(result, Problem) else None
    said = problem.upstream if problem is not None else None
    return ReplyReading(
        status=seen.status,
        is_error=problem is not None,
        dialect=said.dialect if said is not None else None,
        code=problem.code.name if problem is not None else None,
        upstream_code=said.code if said is not None else None,
        detail=problem.detail if problem is not None else None,
        fields=len(problem.errors) if problem is not None else 0,
    )


def _doubts(readings: Sequence[ReplyReading], failed: Sequence[bool]) -> list[str]:
    found = []
    for number, (reading, wrong) in enumerate(zip(readings, failed, strict=True), 1):
        if reading.is_error != wrong:
            found.append(
                f"reply {number} (status {reading.status}) is {'no error' if wrong else 'an error'} to this dialect"
            )
        elif wrong and reading.detail is None:
            found.append(f"reply {number} (status {reading.status}) gives no message")
    return found
