"""Which dialect reads some replies best: a preset, `generic`, or one that was drafted for them.

How well a dialect reads is measured without knowing what is right: by the sentences of an error that it tells, by
whether it finds a message, a code, named fields, and by whether it takes errors for errors and successes for none.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from gateway.config import presets
from gateway.dialects.conditions import compile_condition
from gateway.dialects.header import FieldNames, fields_in
from gateway.dialects.reader import Dialect
from gateway.dialects.spec import DialectSpec
from gateway.dialects.text import clean
from gateway.dialects.view import View
from gateway.model import Problem
from gateway.pipeline.examples import EXAMPLE_NOW_S, plan_for
from gateway.pipeline.normalise import normalise
from gateway.pipeline.suggest import words
from gateway.pipeline.suggest.seen import READ_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dialects.conditions import Predicate
    from gateway.model import Success
    from gateway.pipeline.suggest.seen import Seen

OWN_NAME: Final = "own"
_WRONG: Final = -10.0
_MESSAGE, _CODE, _FIELDS, _TOLD = 3.0, 1.5, 2.0, 4.0
_CLOSE: Final = 0.25
_LIKELY: Final = 50  # what is less sure counts only for an upstream that is known to speak the dialect
_LENIENCE: Final = (
    1.0  # points an error by which a preset may be behind: it was written with the API's documents at hand
)


class Reading(NamedTuple):
    """What a dialect makes of one reply."""

    result: Problem | Success | None
    score: float

    @property
    def dialect(self) -> str | None:
        """The dialect whose rule read the error, or None where there is none."""
        return self.result.upstream.dialect if isinstance(self.result, Problem) and self.result.upstream else None


def compiled(spec: dict[str, Any]) -> Dialect:
    """Compile what stands under `dialect:`.

    Raises:
        pydantic.ValidationError: it is not a dialect.
    """
    return _compiled(msgspec.json.encode(spec))


@lru_cache(maxsize=4)
def _compiled(spec: bytes) -> Dialect:
    """Compile once what is asked for again and again: all that a dialect extends is compiled with it, for 0.1 s."""
    own = DialectSpec.model_validate(msgspec.json.decode(spec)).model_copy(update={"name": OWN_NAME})
    return Dialect(presets.chain(own))


def read(dialect: Dialect, seen: Seen, *, failed: bool) -> Reading:
    """Read one reply, and weigh how well."""
    result = normalise(seen.reply, plan_for(dialect, OWN_NAME), EXAMPLE_NOW_S)
    if isinstance(result, Problem) != failed:
        return Reading(result, _WRONG)
    return Reading(result, _score(result, seen) if isinstance(result, Problem) else 0.0)


def _score(problem: Problem, seen: Seen) -> float:
    said = problem.upstream
    told = {problem.detail, said.message if said else None}
    told |= {one.detail for one in problem.errors} | {one.field for one in problem.errors}
    texts = {
        clean(leaf.value) for leaf in seen.leaves if words.is_sentence(leaf.value) and not words.is_aside(leaf.name)
    }
    covered = len(texts & told) / len(texts) if texts else 1.0
    named = any(one.field for one in problem.errors) - any(_is_marked(one.field) for one in problem.errors)
    coded = said is not None and said.code is not None and " " not in said.code
    return _TOLD * covered + _MESSAGE * (problem.detail is not None) + _CODE * coded + _FIELDS * named


def _is_marked(field: str | None) -> bool:
    """Say whether a name has a part that is a mark of the tree in which it stood, and no part of the name."""
    return field is not None and any(part.startswith("_") for part in field.split(".")[1:])


def total(dialect: Dialect, all_seen: Sequence[Seen], failed: Sequence[bool]) -> float:
    """Return the sum of a dialect's scores."""
    return sum(read(dialect, seen, failed=wrong).score for seen, wrong in zip(all_seen, failed, strict=True))


def needs_rules(all_seen: Sequence[Seen], failed: Sequence[bool], own: float) -> bool:
    """Say whether `generic`, which needs no rules, reads clearly less than a drafted dialect with the score `own`."""
    generic = total(presets.preset(presets.LAST_RESORT), all_seen, failed)
    return own > generic + _CLOSE * sum(failed)


def fitting_preset(all_seen: Sequence[Seen], failed: Sequence[bool], own: float) -> str | None:
    """Return the preset that knows these errors by their structure and reads all of them, or None.

    `own` is the score of a drafted dialect, behind which the preset must not be by much.
    """
    errors = [seen for seen, wrong in zip(all_seen, failed, strict=True) if wrong and seen.tree is not None]
    known = Counter(name for seen in errors if (name := _known(seen)) is not None)
    for name, count in known.most_common():
        if 2 * count < len(errors):
            break
        dialect = presets.preset(name)
        by = {read(dialect, seen, failed=True).dialect for seen in errors}
        score = total(dialect, all_seen, failed)
        if not by & {None, presets.LAST_RESORT} and score >= own - _LENIENCE * len(errors):
            return name
    return None


def _known(seen: Seen) -> str | None:
    """Return the preset that knows a reply most surely, without compiling more of any than how it knows."""
    names, signs = _signs()
    view = View(seen.status, names.of(seen.reply.headers), seen.reply.body[:READ_BYTES])
    view.tree = seen.tree
    return next((name for name, holds in signs if holds(view)), None)


@lru_cache(maxsize=1)
def _signs() -> tuple[FieldNames, tuple[tuple[str, Predicate], ...]]:
    """Return the fields that are looked at, and by what each preset is known, the surest first."""
    found = [(one, name) for name in presets.detected() for one in presets.spec(name).detect]
    found = [pair for pair in found if pair[0].confidence >= _LIKELY]
    found.sort(key=lambda pair: -pair[0].confidence)
    wanted = [field for one, _ in found for field in fields_in(one)]
    return FieldNames(["Content-Type", *wanted]), tuple((name, compile_condition(one.when)) for one, name in found)
