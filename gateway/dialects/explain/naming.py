"""What settled the code of the catalogue: the steps in their order, up to the one that did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from gateway.catalog import for_status
from gateway.dialects.conditions import compile_condition
from gateway.dialects.explain.evidence import examined
from gateway.dialects.explain.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gateway.dialects.reader import ErrorReading
    from gateway.dialects.spec import DialectSpec, Rule
    from gateway.dialects.view import View

    Chain = Sequence[DialectSpec]

_ERRORS_FROM: Final = 400
_BAD_GATEWAY: Final = 502


class NamingStep(Struct, frozen=True, kw_only=True):
    """One step on the way to a code: what was found there, and the code where this is the step that settled it."""

    step: str
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
    found = _looked_up("statuses", reading.status, chain, lambda spec: spec.statuses)
    yield found
    if found.code is None:
        failed = reading.status >= _ERRORS_FROM
        code = for_status(reading.status if failed else _BAD_GATEWAY)
        about = str(reading.status) if failed else f"an error under {reading.status}"
        yield NamingStep(step="table", said=f"the catalogue's own for {about}", code=code.name)


def _steps(rule: Rule, chain: Chain, reading: ErrorReading, view: View) -> Iterator[NamingStep]:
    said = "the rule itself says so" if rule.problem is not None else "the rule says none"
    yield NamingStep(step="problem", said=said, code=rule.problem)
    yield _classified(chain, view)
    yield _looked_up("codes", reading.upstream_code, chain, lambda spec: spec.codes)
    yield _looked_up("types", reading.upstream_type, chain, lambda spec: spec.types)


def _classified(chain: Chain, view: View) -> NamingStep:
    failed = []
    for spec in chain:
        for number, entry in enumerate(spec.classify, 1):
            evidence = examined(entry.when, view)
            place = f"{spec.name or 'unnamed'} {number}"
            if compile_condition(entry.when)(view):
                reasons = "; ".join(f"{one.key} is {one.found}" for one in evidence) or "always"
                return NamingStep(step="classify", said=f"{place}: {reasons}", code=entry.as_)
            first = next(one for one in evidence if not one.holds)
            failed.append(f"{place} ({entry.as_}): {first.key} wants {first.wanted}, found {first.found}")
    return NamingStep(step="classify", said="\n".join(failed) or "there is none")


def _looked_up(
    step: str, value: str | int | None, chain: Chain, table: Callable[[DialectSpec], Mapping[Any, str]]
) -> NamingStep:
    """Return the step that looks a value up in a table of each dialect, the nearest first."""
    if not value:
        return NamingStep(step=step, said="the reply gives none")
    for spec in chain:
        code = table(spec).get(value)
        if code is not None:
            return NamingStep(step=step, said=f"{spec.name or 'unnamed'} has {shown(value)}", code=code)
    return NamingStep(step=step, said=f"{shown(value)} is not listed")
