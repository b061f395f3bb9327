"""The budgets of all upstreams: made from the configuration, and told what replies say.

Where the credential is ours, what is learned is kept to. Where clients bring their own it is watched: what upstreams
refuse is counted, and nothing is held back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.config.granted import granted, terms
from gateway.edge.call import Told
from gateway.limits.budget.declared import DECLARED
from gateway.limits.budget.held import Held
from gateway.limits.budget.said import Said
from gateway.limits.budget.values import Scope
from gateway.pipeline.counted import Counted
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.config.load import Configuration, Upstream
    from gateway.edge.call import Call
    from gateway.edge.clock import Clock
    from gateway.limits import Policy, Verdict
    from gateway.limits.budget.learned import Ticket
    from gateway.model import Problem
    from gateway.pipeline.plan import Plan
    from gateway.upstream import ReplyHead

_TOO_MANY: Final = frozenset(("rate_limited", "upstream_budget_exhausted"))
"""What a reply means that was refused as one too many; the second where the credential is ours."""


class Tally:
    """What was counted of one upstream, however often it was configured anew."""

    __slots__ = ("absurd", "refusals")

    def __init__(self) -> None:
        self.refusals = 0
        self.absurd = 0


class Watched:
    """What replies of one upstream said: how often it refused, and how much of what it said was nonsense.

    `said` is what the policies of its declared budgets said last, by their names.
    """

    __slots__ = ("held", "said", "tally")

    def __init__(self, held: Held | None, tally: Tally | None = None) -> None:
        self.held = held
        self.tally = tally or Tally()
        self.said: dict[str, Said] = {}

    def least(self, now_us: int) -> tuple[int, int, int] | None:
        """Return what is left, of how much, and for how long it is not all, of the strictest budget.

        What is learned is the upstream's own word, and comes before what is declared. None while nothing is known.
        """
        learned = None if self.held is None else self.held.learned
        least = None if learned is None else learned.least(now_us)
        if learned is not None and least is not None:
            return *least, learned.reset_us(now_us)
        declared = [(said.left(now_us), said.limit, said.full_us(now_us)) for said in self.said.values()]
        return min(declared, key=lambda one: one[0] / one[1], default=None)


class Budgets:
    """Tells the budgets what replies say. `chance` gives a number from 0 to 1, which keeps replicas apart."""

    def __init__(
        self, config: Configuration, clock: Clock, chance: Callable[[], float], before: Budgets | None = None
    ) -> None:
        """Make a budget for each upstream whose credential is ours; what is known from `before` is known on."""
        self._clock = clock
        self._chance = chance
        self._upstreams = {one.settings.name: one for one in config.upstreams}
        known = {} if before is None else before._known()  # noqa: SLF001 - another of the same kind
        self._watched = {name: _watched(one, *known.get(name, _UNKNOWN)) for name, one in self._upstreams.items()}
        self._shown = {one.settings.name: not granted(one.settings) for one in config.upstreams}

    def _known(self) -> Mapping[str, tuple[Upstream, Watched]]:
        return {name: (one, self._watched[name]) for name, one in self._upstreams.items()}

    @property
    def held(self) -> tuple[Held, ...]:
        """Return the budgets that are kept to."""
        return tuple([one.held for one in self._watched.values() if one.held is not None])

    @property
    def watched(self) -> Mapping[str, Watched]:
        """Return what is known of all upstreams, by their names."""
        return self._watched

    def policies(self, upstream: str) -> tuple[Policy, ...]:
        """Return the policies that an upstream's learned budget stands behind."""
        held = self._watched[upstream].held
        return () if held is None else held.policies

    def share(self, replicas: int) -> None:
        """Take this process's part of each budget, of so many that spend it alike."""
        for held in self.held:
            held.replicas = max(1, replicas)

    def decided(self, verdict: Verdict) -> None:
        """Take what the policy of a declared budget said."""
        watched = self._watched.get(verdict.policy.scope.removeprefix(DECLARED))
        if watched is not None:
            watched.said[verdict.policy.name] = Said(verdict, self._now_us())

    # ---- what replies say ----------------------------------------------------------------------------------------

    def replied(self, call: Call, plan: Plan, head: ReplyHead) -> None:
        """Take the head of a reply."""
        reader, watched = plan.dialect.budgets, self._watched[plan.upstream]
        now_s = self._clock.now_s()
        pause = reader.pause(head.status, head.headers, now_s)
        if pause is not None:
            watched.tally.refusals += 1
        if not plan.owns_credential:  # the upstream's own fields pass, and a second set would confuse
            return
        if self._shown[plan.upstream]:
            call.budget = reader.rates.allowance(head.headers, now_s)
        charge = next((one for one in call.charges if one.policy.learned), None)
        if watched.held is None or charge is None:
            return
        grants, absurd = reader.grants(head.headers, now_s)
        watched.tally.absurd += absurd
        ticket = watched.held.replied(
            charge, grants, self._now_us(), bucket=reader.bucket(head.headers), refused=pause is not None
        )
        if ticket is None:
            return
        call.told = Told(ticket, paused=pause is not None)
        if pause is not None:
            scope, after_s = pause
            self._pause(watched.held, ticket, scope, after_s)

    def read(self, call: Call, plan: Plan, problem: Problem) -> None:
        """Take what a reply's body says, where it says that it was too much."""
        told, held = call.told, self._watched[plan.upstream].held
        if told is None or held is None or problem.code.name not in _TOO_MANY:
            return
        if told.paused:
            if problem.retry.after is not None:
                held.learned.longer(told.ticket, round(problem.retry.after * US_IN_S), self._now_us())
            return
        self._watched[plan.upstream].tally.refusals += 1
        self._pause(held, told.ticket, Scope.BUCKET, problem.retry.after)

    def _pause(self, held: Held, ticket: Ticket, scope: Scope, after_s: float | None) -> None:
        after_us = None if after_s is None else round(after_s * US_IN_S)
        held.limited(ticket, scope, after_us, self._now_us(), self._chance())

    def _now_us(self) -> int:
        return int(self._clock.monotonic_s() * US_IN_S)


_UNKNOWN: Final = (None, None)


def _watched(upstream: Upstream, before: Upstream | None, known: Watched | None) -> Watched:
    """Return what is known of an upstream: all that was known `before`, as far as it is the same."""
    if known is None or before is None:
        return Watched(_held(upstream))
    if upstream is before:
        return known
    watched = Watched(_held(upstream), known.tally)
    ids = {policy.id for budget in granted(upstream.settings) for policy in budget.declared.policies()}
    watched.said = {name: said for name, said in known.said.items() if said.verdict.policy.id in ids}
    if watched.held is not None and known.held is not None and _account(upstream) == _account(before):
        watched.held.follow(known.held)
    return watched


def _account(upstream: Upstream) -> tuple[object, ...]:
    """Return what says whose budget it is: where the upstream is, and as whom we go there."""
    settings = upstream.settings
    return settings.base_url, settings.socket, settings.credentials, settings.request.headers


def counted(upstream: Upstream, held: Held | None) -> Mapping[str, Counted]:
    """Return which requests each policy of an upstream's budgets is for, by the policy's id; others are for all."""
    found: dict[str, Counted] = {}
    for budget in granted(upstream.settings):
        *opened, whole = budget.declared.policies()
        for policy in opened:
            found[policy.id] = Counted(budget.paths, budget.clients, budget.routes, chosen=False)
        if budget.paths:
            found[whole.id] = Counted(budget.paths)
    if held is not None:
        said = terms(upstream.settings)
        found[held.everybody.id] = Counted((), said.clients, said.routes, chosen=False)
        found[held.chosen.id] = Counted((), said.clients, said.routes, chosen=True)
    return found


def _held(upstream: Upstream) -> Held | None:
    """Return the budget that is learned of an upstream, or shared by its clients.

    None where clients bring their own credentials, and nothing counts them together.
    """
    said, reader = terms(upstream.settings), upstream.dialect.budgets
    learns = said.learns and said.paces
    if not learns and not (said.fair and any(not one.declared.shadow for one in granted(upstream.settings))):
        return None
    return Held(
        upstream.settings.name,
        reader.kinds,
        by_path=reader.by_path,
        reserve=said.reserve,
        fair=said.fair,
        learns=learns,
        max_wait_us=said.max_wait_us,
        queue=said.queue,
    )
