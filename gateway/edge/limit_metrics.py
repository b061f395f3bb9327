"""Prometheus metrics of limits: what each policy said to requests.

Counting is one look in a dictionary and an addition for each policy of a request; the samples are made when somebody
scrapes. Label values are names of the configuration and the words below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.limits import Decision, Policy

_DECISIONS: Final = (
    "Requests by what a limit said: admitted, refused, and in shadow mode would_admit and would_refuse. A request that "
    "one limit refuses was not charged by the others that would have admitted it; they say spared."
)


class _Tally:
    """What one policy said, by word."""

    __slots__ = ("admitted", "policy", "refused", "spared")

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.admitted = 0
        self.refused = 0
        self.spared = 0

    def words(self) -> dict[str, int]:
        """Return the counts by the words of the label."""
        if self.policy.shadow:
            return {"would_admit": self.admitted, "would_refuse": self.refused}
        return {"admitted": self.admitted, "refused": self.refused, "spared": self.spared}


class LimitMetrics(Collector):
    """Counts what policies say."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register with `registry`."""
        self._tallies: dict[str, _Tally] = {}
        registry.register(self)

    def decided(self, decision: Decision) -> None:
        """Count one decision."""
        admitted = decision.admitted
        for verdict in decision.verdicts:
            tally = self._tallies.get(verdict.policy.id) or self._new(verdict.policy)
            if not verdict.admitted:
                tally.refused += 1
            elif admitted:
                tally.admitted += 1
            else:
                tally.spared += 1
        for verdict in decision.shadowed:
            tally = self._tallies.get(verdict.policy.id) or self._new(verdict.policy)
            if verdict.admitted:
                tally.admitted += 1
            else:
                tally.refused += 1

    def _new(self, policy: Policy) -> _Tally:
        tally = self._tallies[policy.id] = _Tally(policy)
        return tally

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape."""
        labels = ("policy", "scope", "verdict")
        family = CounterMetricFamily("accord_limit_decisions", _DECISIONS, labels=labels)
        for tally in list(self._tallies.values()):
            for word, count in tally.words().items():
                family.add_metric((tally.policy.name, tally.policy.scope, word), count)
        yield family
