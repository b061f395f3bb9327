"""What settled the code of the catalogue: the steps in their order, up to the one that did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from gateway.dialects.explain.evidence import Evidence, examined
from gateway.dialects.explain.shown import shown
from gateway.dialects.naming import CLIENT_ERRORS, Said, Tables, derived_from
from gateway.dialects.spec import Classification, DialectSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gateway.dialects.reader import ErrorReading
    from gateway.dialects.spec import Rule
    from gateway.dialects.view import View

    Chain = Sequence[DialectSpec]


class NamingStep(Struct, frozen=True, kw_only=True):
    """One step on the way to a code: what was found there, and the code where this is the step that settled it.

    `dialect` is the one whose table was looked into, where it was one's.
    """

    step: str
    dialect: str | None = None
    said: str
    code: str | None = None


def named(rule: Rule, chain: Chain, reading: ErrorReading, view: View) -> Iterator[NamingStep]:
    """Give the steps for an error that `rule` read, with the tables of `chain`; the view has the status that counts."""
    for step in _steps(rule, chain, reading, view):
        yield step
        if step.code is not None:
            return
    yield from derived(chain, reading)


def derived(chain: Chain, reading: ErrorReading) -> Iterator[NamingStep]:
    """Give the steps in which the status alone tells the code."""
    for spec in chain:
        if spec.statuses:
            step = _looked_up("statuses", reading.status, spec, lambda spec: spec.statuses)
            yield step
            if step.code is not None:
                return
    about = str(reading.status) if reading.status >= CLIENT_ERRORS else f"an error under {reading.status}"
    yield NamingStep(step="table", said=f"the catalogue's own for {about}", code=derived_from(reading.status).name)


def _steps(rule: Rule, chain: Chain, reading: ErrorReading, view: View) -> Iterator[NamingStep]:
    """Give the steps that name a code: the rule's own, then those of each dialect, the nearest first."""
    said = "the rule itself says so" if rule.problem is not None else "the rule says none"
    yield NamingStep(step="problem", said=said, code=rule.problem)
    fields = any(error.field is not None for error in reading.errors)
    words = Said(reading.upstream_code, reading.upstream_type, reading.said, fields)
    for spec in chain:
        if spec.classify:
            yield _classified(spec, view, words)
        if spec.codes:
            yield _looked_up("codes", words.code, spec, lambda spec: spec.codes)
        if spec.types:
            yield _looked_up("types", words.type, spec, lambda spec: spec.types)


def _classified(spec: DialectSpec, view: View, said: Said) -> NamingStep:
    name = spec.name or "unnamed"
    failed = []
    for number, entry in enumerate(spec.classify, 1):
        evidence = (*examined(entry.when, view), *_words_examined(entry, view, said))
        if _holds(entry, view, said):
            reasons = "; ".join(f"{one.key} is {one.found}" for one in evidence) or "always"
            return NamingStep(step="classify", dialect=name, said=f"({number}) {reasons}", code=entry.as_)
        first = next(one for one in evidence if not one.holds)
        failed.append(f"({number}) {entry.as_}: {first.key} wants {first.wanted}, found {first.found}")
    return NamingStep(step="classify", dialect=name, said="\n".join(failed))


def _holds(entry: Classification, view: View, said: Said) -> bool:
    """Ask the reader's own naming whether an entry names a code."""
    alone = DialectSpec().model_copy(update={"classify": (entry,)})
    return Tables(alone).named(view, said) is not None


def _words_examined(entry: Classification, view: View, said: Said) -> Iterator[Evidence]:
    """Give the keys that test what was read, and not the reply: each by itself, as an entry that has it alone."""
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        if name in _NO_WORDS or value is None or value == ():
            continue
        single = Classification.model_validate({"as": entry.as_}).model_copy(update={name: value})
        find = _FOUND.get(name)
        found = find(said) if find is not None else None
        yield Evidence(
            key=name,
            wanted=shown(list(value) if isinstance(value, tuple) else value),
            found="nothing" if found is None else shown(found),
            holds=_holds(single, view, said),
        )


_NO_WORDS: Final = frozenset({"when", "as_"})
_FOUND: Final[dict[str, Callable[[Said], Any]]] = {
    "code": lambda said: said.code if said.code is not None else said.type,
    "says": lambda said: said.words,
    "fields": lambda said: said.fields,
}
"""What each key that tests words is compared with."""


def _looked_up(
    step: str, value: str | int | None, spec: DialectSpec, table: Callable[[DialectSpec], Mapping[Any, str]]
) -> NamingStep:
    """Return the step that looks a value up in one dialect's table."""
    name = spec.name or "unnamed"
    if not value:
        return NamingStep(step=step, dialect=name, said="the reply gives none")
    code = table(spec).get(value)
    listed = "is listed" if code is not None else "is not listed"
    return NamingStep(step=step, dialect=name, said=f"{shown(value)} {listed}", code=code)
