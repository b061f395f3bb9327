"""How a client stands with its limits: the status page's answer about one request that could come.

It looks and charges nothing. The configuration says which limits such a request would meet; where the query does not
say enough to know under which key one counts it, that is told in place of a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.config import policies
from gateway.edge.limiting.budgets import counted
from gateway.edge.subject import BadQuery, subject_of
from gateway.limits import Decision
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gateway.config.load import Configuration
    from gateway.edge.admission import Admission
    from gateway.edge.clock import Clock
    from gateway.edge.limiting.budgets import Budgets
    from gateway.edge.subject import Subject
    from gateway.limits import Policy, Verdict
    from gateway.pipeline.counted import Counted

_PROCESS: Final = "process"


class Standing:
    """Answers about one request. `config` says which limits there are.

    `where` says in one word where policies are counted now that are not `local`.
    """

    def __init__(
        self, config: Configuration, admission: Admission, where: Callable[[], str], budgets: Budgets, clock: Clock
    ) -> None:
        """Keep where to ask."""
        self._budgets = budgets
        self._clock = clock
        self._counted = {
            name: rule
            for one in config.upstreams
            for name, rule in counted(one, budgets.watched[one.settings.name].held).items()
        }
        self._config = config
        self._admission = admission
        self._where = where

    async def page(self, query: str) -> tuple[int, object]:
        """Return the status and the value for JSON."""
        try:
            subject = subject_of(query, self._config, self._admission.strangers)
        except BadQuery as bad:
            return bad.status, {"error": bad.sentence}
        met = {policy: self._needs(subject, policy) for policy in self._met(subject)}
        known = [policy for policy, needs in met.items() if not needs]
        method = subject.facts.method
        answers = await self._look(subject, [(policy, policy.cost_of(method)) for policy in known])
        now = await self._look(subject, [(policy, 0) for policy in known])
        return 200, {
            "request": _request(subject),
            "limits": [self._told(policy, method, answers, now) for policy in known],
            "not_looked_up": [{**_named(policy), "needs": needs} for policy, needs in met.items() if needs],
            "learned": self._learned(subject),
        }

    def _needs(self, subject: Subject, policy: Policy) -> tuple[str, ...]:
        """Return what the query would have to say besides."""
        rule = self._counted.get(policy.id)
        by_path = rule is not None and rule.by_path and not subject.facts.path
        return (*subject.needs(policy), "path") if by_path else subject.needs(policy)

    def _learned(self, subject: Subject) -> dict[str, Any] | None:
        """Return what the upstream's replies told of its budget, as this process knows it; None where none is kept."""
        held = None if subject.upstream is None else self._budgets.watched[subject.upstream.name].held
        if held is None or not held.learns:
            return None
        learned, now_us = held.learned, int(self._clock.monotonic_s() * US_IN_S)
        remaining, limit = learned.least(now_us) or (None, None)
        return {
            "remaining": remaining,
            "limit": limit,
            "reset_s": learned.reset_us(now_us) / US_IN_S,
            "paused_s": max(0, learned.paused_until_us() - now_us) / US_IN_S,
            "in_flight": learned.in_flight,
            "replicas": held.replicas,
        }

    def _met(self, subject: Subject) -> policies.Policies:
        """Return the policies that such a request would meet."""
        gateway, client, upstream = self._config.gateway, subject.client, subject.upstream
        met = policies.of_gateway(gateway) if client is None else policies.of_client(gateway, client)
        if upstream is None:
            return met
        every = met + policies.of_way(upstream, subject.route)
        return tuple([policy for policy in every if _is_met(self._counted.get(policy.id), subject)])

    async def _look(self, subject: Subject, asked: Iterable[tuple[Policy, int]]) -> Mapping[tuple[str, str], Verdict]:
        """Return what is said, by scope and name: a store that is away may put a policy's share in its place."""
        found = self._admission.peek(asked, subject.facts, subject.principal)
        decision = found if isinstance(found, Decision) else await found
        verdicts = (*decision.verdicts, *decision.shadowed)
        return {(verdict.policy.scope, verdict.policy.name): verdict for verdict in verdicts}

    def _told(
        self,
        policy: Policy,
        method: str,
        answers: Mapping[tuple[str, str], Verdict],
        now: Mapping[tuple[str, str], Verdict],
    ) -> dict[str, Any]:
        place = (policy.scope, policy.name)
        answer, left = answers.get(place), now.get(place)
        return {
            **_named(policy),
            **_written(policy),
            "cost": policy.cost_of(method),
            "admitted": None if answer is None else answer.admitted,
            "remaining": None if left is None else left.remaining,
            "retry_after_s": None if answer is None else answer.retry_after_us / US_IN_S,
            "reset_s": None if left is None else left.reset_us / US_IN_S,
            "looked_up": None if answer is None else _PROCESS if policy.local else self._where(),
        }


def _is_met(rule: Counted | None, subject: Subject) -> bool:
    """Tell whether a policy is for such a request, or may be."""
    if rule is None:
        return True
    return rule(subject.facts) if subject.facts.path else rule.may_be(subject.facts)


def _named(policy: Policy) -> dict[str, Any]:
    return {"name": policy.name, "scope": policy.scope, "key": policy.key}


def _written(policy: Policy) -> dict[str, Any]:
    """Return what a limit says, without what does not apply to its kind."""
    numbers = {
        "limit": policy.requests,
        "per_s": policy.per_us / US_IN_S if policy.per_us and policy.period is None else None,
        "period": policy.period,
        "burst": policy.burst if policy.burst != policy.requests else None,
    }
    return {
        "algorithm": policy.algorithm,
        "mode": "shadow" if policy.shadow else "enforce",
        **{name: value for name, value in numbers.items() if value is not None},
    }


def _request(subject: Subject) -> dict[str, Any]:
    """Return what is known of the request; values of its fields are not repeated."""
    facts = subject.facts
    return {
        "client": facts.client,
        "ip": facts.ip or None,
        "upstream": facts.upstream,
        "route": facts.route,
        "method": facts.method,
        "path": facts.path.decode("ascii") or None,
        "fields": [name.decode("ascii") for name, _ in facts.headers],
    }
