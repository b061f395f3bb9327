"""How a client stands with its limits: the status page's answer about one request that could come.

It looks and charges nothing. The configuration says which limits such a request would meet; where the query does not
say enough to know under which key one counts it, that is told in place of a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.config import policies
from gateway.edge.subject import BadQuery, subject_of
from gateway.limits import Decision
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gateway.config.load import Configuration
    from gateway.edge.admission import Admission
    from gateway.edge.subject import Subject
    from gateway.limits import Policy, Verdict

_PROCESS: Final = "process"


class Standing:
    """Answers about one request. `config` says which limits there are.

    `where` says in one word where policies are counted now that are not `local`.
    """

    def __init__(self, config: Configuration, admission: Admission, where: Callable[[], str]) -> None:
        """Keep where to ask."""
        self._config = config
        self._admission = admission
        self._where = where

    async def page(self, query: str) -> tuple[int, object]:
        """Return the status and the value for JSON."""
        try:
            subject = subject_of(query, self._config, self._admission.strangers)
        except BadQuery as bad:
            return bad.status, {"error": bad.sentence}
        met = self._met(subject)
        known = [policy for policy in met if not subject.needs(policy)]
        method = subject.facts.method
        answers = await self._look(subject, [(policy, policy.cost_of(method)) for policy in known])
        now = await self._look(subject, [(policy, 0) for policy in known])
        return 200, {
            "request": _request(subject),
            "limits": [self._told(policy, method, answers, now) for policy in known],
            "not_looked_up": [{**_named(policy), "needs": needs} for policy in met if (needs := subject.needs(policy))],
        }

    def _met(self, subject: Subject) -> policies.Policies:
        """Return the policies that such a request would meet."""
        gateway, client, upstream = self._config.gateway, subject.client, subject.upstream
        met = policies.of_gateway(gateway) if client is None else policies.of_client(gateway, client)
        return met if upstream is None else met + policies.of_way(upstream, subject.route)

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
        "fields": [name.decode("ascii") for name, _ in facts.headers],
    }
