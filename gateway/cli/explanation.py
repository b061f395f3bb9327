"""An explanation as a person reads it, from the request to the document."""

from __future__ import annotations

from itertools import groupby
from textwrap import indent
from typing import TYPE_CHECKING, Final

import msgspec
from rich.text import Text

from gateway.cli.output import rows
from gateway.dialects.explain import escaped
from gateway.model import Translation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from gateway.dialects.explain import Evidence, NamingStep, PlaceTrial, RuleTrial, Trace
    from gateway.pipeline.candidates import RouteCandidate, UpstreamCandidate, Way
    from gateway.pipeline.explain import Candidate, Explanation, Received, Told

_YES: Final = ("✓", "green")
_NO: Final = ("✗", "red")
_DIM: Final = "dim"
_NEAREST: Final = 5
"""Dialects that do not know the reply, of which as many are shown as come nearest."""


def show(console: Console, request: Way | None, reply: Explanation | None) -> None:
    """Write an explanation."""
    if request is not None:
        _way(console, request)
    if reply is None:
        return
    _received(console, reply.received)
    if reply.candidates:
        _candidates(console, reply)
    if reply.trace is not None:
        _trace(console, reply.trace)
    if reply.envelope:
        _head(
            console, "Envelope", "is that of a success" if all(one.holds for one in reply.envelope) else "is not there"
        )
        _evidence(console, reply.envelope)
    _told(console, reply.told)


def _head(console: Console, title: str, said: str) -> None:
    console.print(Text.assemble((f"{title:<10}", "bold"), said), soft_wrap=True)


def _mark(*, holds: bool) -> Text:
    return Text(*(_YES if holds else _NO))


# -- the request -----------------------------------------------------------------------------------------------------


def _way(console: Console, way: Way) -> None:
    where = f"to {way.upstream}, as {way.target}" if way.refused is None else way.refused
    host = f" (host {way.host})" if way.host else ""
    _head(console, "Request", f"{way.method} {way.path}{host}: {where}")
    candidates = sorted(way.candidates, key=lambda one: not one.taken)
    rows(console, (row for candidate in candidates for row in _way_rows(candidate)))
    console.print()


def _way_rows(candidate: UpstreamCandidate) -> Iterable[tuple[Text | str, ...]]:
    yield _candidate_row(candidate.upstream, candidate)
    for route in candidate.routes:
        yield _candidate_row(f"  {route.route}", route)


def _candidate_row(name: str, candidate: UpstreamCandidate | RouteCandidate) -> tuple[Text | str, ...]:
    return _mark(holds=candidate.taken), name, Text(candidate.reason, "" if candidate.taken else _DIM)


# -- the reply -------------------------------------------------------------------------------------------------------


def _received(console: Console, received: Received) -> None:
    said = [f"HTTP {received.status}", received.content_type, f"{received.size_bytes} bytes"]
    said += [f"read as {received.kind}"] if received.kind is not None else ["not looked into"]
    said += ["not whole"] if received.truncated else []
    _head(console, "Reply", ", ".join(filter(None, said)))


def _candidates(console: Console, reply: Explanation) -> None:
    taken = [one for one in reply.candidates if one.taken]
    said = f"known with {taken[0].confidence} of 100" if taken else "the last resort; none knows it"
    _head(console, "Dialect", f"auto takes {reply.dialect}, {said}")
    unknown = sorted((one for one in reply.candidates if not one.knows), key=_distance)
    shown = [*taken, *(one for one in reply.candidates if one.knows and not one.taken), *unknown[:_NEAREST]]
    rows(console, (row for one in shown for row in _detection_rows(one)))
    if len(unknown) > _NEAREST:
        more = len(unknown) - _NEAREST
        console.print(Text(f"  and {more} more that do not know it (--json has all)", _DIM))


def _distance(candidate: Candidate) -> float:
    """Return which share of a detection's keys does not hold."""
    return sum(not one.holds for one in candidate.evidence) / max(1, len(candidate.evidence))


def _detection_rows(candidate: Candidate) -> Iterable[tuple[Text | str, ...]]:
    told = candidate.evidence if candidate.knows else [one for one in candidate.evidence if not one.holds][:1]
    for number, one in enumerate(told):
        first = number == 0
        name = f"{candidate.dialect} {candidate.confidence}" if first else ""
        yield _mark(holds=candidate.knows) if first else "", name, _sentence(one)


def _sentence(one: Evidence) -> Text:
    if one.holds:
        said = f": {one.found}" if one.key in {"any", "none"} else f" is {one.found}"
        return Text.assemble((one.key, "cyan"), said if one.found != "nothing" else " is not there")
    return Text.assemble((one.key, "cyan"), " wants ", (one.wanted, "yellow"), f", found {one.found}", style=_DIM)


def _evidence(console: Console, evidence: Iterable[Evidence]) -> None:
    rows(console, ((_mark(holds=one.holds), _sentence(one)) for one in evidence))


def _trace(console: Console, trace: Trace) -> None:
    fired = trace.fired
    said = f"{_rule_name(fired)} of {fired.dialect} takes it" if fired is not None else "none takes it"
    _head(console, "Rule", said)
    rows(console, (row for rule in trace.rules for row in _rule_rows(rule)))
    if trace.untried:
        console.print(Text(f"  {trace.untried} rules behind it were not tried", _DIM))
    if trace.places:
        _head(console, "Values", "where each was looked for")
        rows(console, _place_rows(trace.places))
    if trace.error is not None:
        _head(console, "Code", f"{trace.error.code}: {'named' if trace.error.named else 'derived from the status'}")
        rows(console, (row for step in trace.naming for row in _naming_rows(step)))


def _rule_name(rule: RuleTrial) -> str:
    return f"rule {rule.number}" + (f' "{rule.name}"' if rule.name else "")


def _rule_rows(rule: RuleTrial) -> Iterable[tuple[Text | str, ...]]:
    evidence = rule.evidence or (None,)
    for number, one in enumerate(evidence):
        first = number == 0
        name = f"{rule.dialect} {rule.number}" + (f": {rule.name}" if rule.name else "")
        yield (
            _mark(holds=rule.fired) if first else "",
            Text(name if first else "", "" if rule.fired else _DIM),
            _sentence(one) if one is not None else "always",
        )


def _place_rows(places: Iterable[PlaceTrial]) -> Iterable[tuple[Text | str, ...]]:
    for member, group in groupby(places, key=lambda place: place.member):
        for number, place in enumerate(group):
            yield (
                _mark(holds=True) if place.counts else "",
                Text(member if number == 0 else "", "bold" if place.counts else ""),
                Text(place.place, "cyan" if place.counts else _DIM),
                _place_said(place),
            )


def _place_said(place: PlaceTrial) -> Text:
    if place.gave is not None:
        gave = f" → {place.gave}" if place.found is not None and place.found != place.gave else ""
        return Text((place.found or place.gave) + gave, "" if place.counts else _DIM)
    return Text(f"{place.found}: not usable" if place.found is not None else "nothing", _DIM)


def _naming_rows(step: NamingStep) -> Iterable[tuple[Text | str, ...]]:
    for number, line in enumerate(step.said.split("\n")):
        first = number == 0
        mark = _mark(holds=True) if first and step.code is not None else ""
        said = f"{step.code}: {line}" if step.code is not None else line
        name = f"{step.dialect} {step.step}" if step.dialect is not None else step.step
        yield mark, name if first else "", Text(said, "" if step.code is not None else _DIM)


# -- the answer ------------------------------------------------------------------------------------------------------


def _told(console: Console, told: Told) -> None:
    _head(console, "Status", f"{told.status}: {told.because}")
    if told.translation is Translation.PASSED:
        _head(console, "Answer", "the reply passes untouched")
        return
    _head(console, "Answer", str(told.translation))
    document = escaped(msgspec.json.format(told.document, indent=2).decode())
    console.print(Text(indent(document, "  ")), soft_wrap=True)
