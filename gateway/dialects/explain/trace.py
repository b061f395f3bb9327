"""Which rule took a reply, and why the rules before it did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from gateway.dialects.conditions import compile_condition
from gateway.dialects.explain.evidence import Evidence, examined
from gateway.dialects.explain.naming import NamingStep, derived, named
from gateway.dialects.explain.places import PlaceTrial, Reader, header_time, places, times
from gateway.dialects.explain.shown import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.dialects.reader import Dialect, ErrorReading
    from gateway.dialects.spec import DialectSpec, Rule
    from gateway.dialects.view import View


class RuleTrial(Struct, frozen=True, kw_only=True):
    """One rule that was tried. `number` counts from 1 in its dialect; `evidence` is why it fired, or why it did not."""

    dialect: str
    number: int
    name: str | None
    fired: bool
    evidence: tuple[Evidence, ...]


class ReadError(Struct, frozen=True, kw_only=True):
    """What the reader made of an error: the status that counts, the code, and whether something named it."""

    dialect: str
    rule: str | None
    status: int
    code: str
    named: bool


class Trace(Struct, frozen=True, kw_only=True):
    """How a dialect read one reply.

    `error` is the reader's own result, None for what is no error; `untried` counts the rules behind the one that
    fired. Nothing was looked for (`places`, `naming`) in what is no error.
    """

    dialect: str
    error: ReadError | None
    rules: tuple[RuleTrial, ...]
    untried: int
    places: tuple[PlaceTrial, ...] = ()
    naming: tuple[NamingStep, ...] = ()

    @property
    def fired(self) -> RuleTrial | None:
        """The rule that took the reply, if one did."""
        return self.rules[-1] if self.rules and self.rules[-1].fired else None


def trace(dialect: Dialect, views: Callable[[], View], now_s: float) -> Trace:
    """Return how `dialect`, which is not `auto`, reads a reply.

    Args:
        dialect: the one that reads.
        views: gives a new view of the reply each time, its body read in full.
        now_s: Unix time.
    """
    chain = dialect.chain
    view = views()
    if any(spec.unwrap for spec in chain):
        view.tree = view.unwrapped()
    trials, fired = _tried(chain, view)
    reading = dialect.read_error(views(), now_s)
    found: tuple[PlaceTrial, ...] = ()
    steps: tuple[NamingStep, ...] = ()
    if reading is not None:
        view.status = reading.status
        at, rule = fired if fired is not None else (len(chain) - 1, None)
        reader = Reader(views, chain[: at + 1], chain, now_s)
        found = tuple(times(rule, chain[at], reading, reader, header_time(dialect.rates, view, now_s)))
        steps = tuple(derived(chain, reading))
        if rule is not None:
            found = (*places(rule, chain[at], reading, reader), *found)
            steps = tuple(named(rule, chain[: at + 1], reading, view))
    return Trace(
        dialect=dialect.name,
        error=_read_error(reading) if reading is not None else None,
        rules=tuple(trials),
        untried=sum(len(spec.errors) for spec in chain) - len(trials),
        places=found,
        naming=steps,
    )


def _read_error(reading: ErrorReading) -> ReadError:
    return ReadError(
        dialect=reading.dialect,
        rule=reading.rule,
        status=reading.status,
        code=reading.code.name,
        named=reading.named,
    )


def _tried(chain: Sequence[DialectSpec], view: View) -> tuple[list[RuleTrial], tuple[int, Rule] | None]:
    """Try the rules in their order, up to the one that fires: its dialect's place in the chain, and itself."""
    trials: list[RuleTrial] = []
    for at, spec in enumerate(chain):
        for number, rule in enumerate(spec.errors, 1):
            fired = compile_condition(rule.when)(view)
            trials.append(_trial(spec, number, rule, examined(rule.when, view), fired=fired))
            if fired:
                return trials, (at, rule)
    return trials, None


def _trial(spec: DialectSpec, number: int, rule: Rule, evidence: tuple[Evidence, ...], *, fired: bool) -> RuleTrial:
    return RuleTrial(
        dialect=spec.name or "unnamed",
        number=number,
        name=printable(rule.name) if rule.name is not None else None,
        fired=fired,
        evidence=evidence if fired else tuple(one for one in evidence if not one.holds)[:1],
    )
