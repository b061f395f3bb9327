"""Prometheus metrics of limits: what each policy said to requests, and who waited for it.

Counting is one look in a dictionary and an addition for each policy of a request; the samples are made when somebody
scrapes. Label values are names of the configuration and the words below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from prometheus_client import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.edge.limiting.room import Waits
    from gateway.limits import Decision, Policy

_LABELS: Final = ("policy", "scope")

_DECISIONS: Final = (
    "Requests by what a limit said: admitted, refused, and in shadow mode would_admit and would_refuse. A request that "
    "one limit refuses was not charged by the others that would have admitted it; they say spared."
)
_WAITING: Final = "Requests that wait for a limit now."
_WAITS: Final = (
    "Waits that are over: served, gave_up (refused after all), left (the client went), and moved (to wait for another "
    "limit)."
)
_WAIT_SECONDS: Final = "How long requests waited, together; those that wait now aside."
_TURNED_AWAY: Final = "Requests that were refused at once, since there was no room to wait, or no hope."


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
        self._shadows: dict[str, _Tally] = {}  # apart: a policy may have been put into shadow mode meanwhile
        self._by_labels: dict[tuple[str, str, bool], _Tally] = {}
        registry.register(self)

    def decided(self, decision: Decision) -> None:
        """Count one decision."""
        admitted = decision.admitted
        for verdict in decision.verdicts:
            tally = self._tallies.get(verdict.policy.id) or self._new(self._tallies, verdict.policy)
            if not verdict.admitted:
                tally.refused += 1
            elif admitted:
                tally.admitted += 1
            else:
                tally.spared += 1
        for verdict in decision.shadowed:
            tally = self._shadows.get(verdict.policy.id) or self._new(self._shadows, verdict.policy)
            if verdict.admitted:
                tally.admitted += 1
            else:
                tally.refused += 1

    def _new(self, tallies: dict[str, _Tally], policy: Policy) -> _Tally:
        """Return a policy's tally. Two of one name and scope, of routes with one name, are counted together."""
        labels = (policy.name, policy.scope, policy.shadow)
        tally = self._by_labels.get(labels)
        if tally is None:
            tally = self._by_labels[labels] = _Tally(policy)
        tallies[policy.id] = tally
        return tally

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape."""
        family = CounterMetricFamily("accord_limit_decisions", _DECISIONS, labels=(*_LABELS, "verdict"))
        for tally in list(self._by_labels.values()):
            for word, count in tally.words().items():
                family.add_metric((tally.policy.name, tally.policy.scope, word), count)
        yield family


class WaitMetrics(Collector):
    """Tells who waited. `waits` are those of each policy that anybody had to wait for, by its id."""

    def __init__(self, registry: CollectorRegistry, waits: Callable[[], Mapping[str, Waits]]) -> None:
        """Register with `registry`."""
        self._waits = waits
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape."""
        waiting = GaugeMetricFamily("accord_limit_waiting", _WAITING, labels=_LABELS)
        ended = CounterMetricFamily("accord_limit_waits", _WAITS, labels=(*_LABELS, "end"))
        spent = CounterMetricFamily("accord_limit_wait_seconds", _WAIT_SECONDS, labels=_LABELS)
        away = CounterMetricFamily("accord_limit_turned_away", _TURNED_AWAY, labels=_LABELS)
        for labels, group in _grouped(self._waits().values()).items():
            waiting.add_metric(labels, sum(waits.now for waits in group))
            for end in ("served", "gave_up", "left", "moved"):
                ended.add_metric((*labels, end), sum(getattr(waits, end) for waits in group))
            spent.add_metric(labels, sum(waits.waited_us for waits in group) / US_IN_S)
            away.add_metric(labels, sum(waits.turned_away for waits in group))
        yield from (waiting, ended, spent, away)


def _grouped(every: Iterable[Waits]) -> dict[tuple[str, str], list[Waits]]:
    """Return what is told under the same labels."""
    groups: dict[tuple[str, str], list[Waits]] = {}
    for waits in every:
        groups.setdefault((waits.policy.name, waits.policy.scope), []).append(waits)
    return groups
