"""Prometheus metrics of limits: what each policy said to requests, and who waited for it.

Counting is one look in a dictionary and an addition for each policy of a request; the samples are made when somebody
scrapes. Label values are names of the configuration and the words below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client.registry import Collector

from gateway.config.policies import upstream_of
from gateway.edge.series import Family, Told
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from prometheus_client import Metric
    from prometheus_client.registry import CollectorRegistry

    from gateway.edge.limiting.room import Waits
    from gateway.edge.series import Labels
    from gateway.limits import Decision, Policy, Verdict

_LABELS: Final = ("policy", "scope")
_ENDS: Final = ("served", "gave_up", "left", "moved")

DECISIONS: Final = Family(
    "accord_limit_decisions",
    "counter",
    "Requests by what a limit said: admitted, refused, and in shadow mode would_admit and would_refuse. A request that "
    "one limit refuses was not charged by the others that would have admitted it; they say spared.",
    (*_LABELS, "verdict"),
)
WAITING: Final = Family("accord_limit_waiting", "gauge", "Requests that wait for a limit now.", _LABELS)
WAITS: Final = Family(
    "accord_limit_waits",
    "counter",
    "Waits that are over: served, gave_up (refused after all), left (the client went), and moved (to wait for another "
    "limit).",
    (*_LABELS, "end"),
)
WAIT_SECONDS: Final = Family(
    "accord_limit_wait_seconds",
    "counter",
    "How long requests waited, together; those that wait now aside.",
    _LABELS,
)
TURNED_AWAY: Final = Family(
    "accord_limit_turned_away",
    "counter",
    "Requests that were refused at once, since there was no room to wait, or no hope.",
    _LABELS,
)


class _Tally:
    """What one policy said, by word. Where it is that of a declared budget, `declared` is told each time."""

    __slots__ = ("admitted", "declared", "policy", "refused", "spared")

    def __init__(self, policy: Policy, declared: Callable[[Verdict], None]) -> None:
        self.policy = policy
        self.declared = declared if policy.budget and not policy.learned else None
        self.admitted = 0
        self.refused = 0
        self.spared = 0

    def words(self) -> dict[str, int]:
        """Return the counts by the words of the label."""
        if self.policy.shadow:
            return {"would_admit": self.admitted, "would_refuse": self.refused}
        return {"admitted": self.admitted, "refused": self.refused, "spared": self.spared}


class LimitMetrics(Collector):
    """Counts what policies say. `declared` is told of each verdict on a declared budget that is kept to."""

    def __init__(
        self, registry: CollectorRegistry, declared: Callable[[Verdict], None] = lambda _verdict: None
    ) -> None:
        """Register with `registry`."""
        self._declared = declared
        self._tallies: dict[str, _Tally] = {}
        self._shadows: dict[str, _Tally] = {}  # apart: a policy may have been put into shadow mode meanwhile
        self._by_labels: dict[tuple[str, str, bool], _Tally] = {}
        self._decisions = Told(DECISIONS, self._said)
        registry.register(self)

    def serve(self, upstreams: Collection[str]) -> None:
        """Forget what limits said that belong to none of these upstreams, nor to all; those of others count on."""
        kept = frozenset((None, *upstreams))
        self._by_labels = {labels: one for labels, one in self._by_labels.items() if upstream_of(labels[1]) in kept}
        self._tallies.clear()
        self._shadows.clear()

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
            if tally.declared is not None:
                tally.declared(verdict)
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
            tally = self._by_labels[labels] = _Tally(policy, self._declared)
        tallies[policy.id] = tally
        return tally

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape."""
        yield self._decisions.metric()

    def _said(self) -> Iterator[tuple[Labels, float]]:
        for tally in list(self._by_labels.values()):
            for word, count in tally.words().items():
                yield (tally.policy.name, tally.policy.scope, word), count


class WaitMetrics(Collector):
    """Tells who waited. `waits` are those of each policy that anybody had to wait for, by its id.

    Those of upstreams that are not among `served` are not told.
    """

    def __init__(
        self, registry: CollectorRegistry, waits: Callable[[], Mapping[str, Waits]], served: Callable[[], Iterable[str]]
    ) -> None:
        """Register with `registry`."""
        self._waits = waits
        self._served = served
        self._families = (
            self._told(WAITING, lambda group: sum(waits.now for waits in group)),
            Told(WAITS, self._ended),
            self._told(WAIT_SECONDS, lambda group: sum(waits.waited_us for waits in group) / US_IN_S),
            self._told(TURNED_AWAY, lambda group: sum(waits.turned_away for waits in group)),
        )
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape."""
        for family in self._families:
            yield family.metric()

    def _told(self, family: Family, number: Callable[[list[Waits]], float]) -> Told:
        return Told(family, lambda: ((labels, number(group)) for labels, group in self._groups()))

    def _ended(self) -> Iterator[tuple[Labels, float]]:
        for labels, group in self._groups():
            for end in _ENDS:
                yield (*labels, end), sum(getattr(waits, end) for waits in group)

    def _groups(self) -> Iterable[tuple[Labels, list[Waits]]]:
        return _grouped(self._waits().values(), frozenset((None, *self._served()))).items()


def _grouped(every: Iterable[Waits], served: Collection[str | None]) -> dict[Labels, list[Waits]]:
    """Return what is told under the same labels."""
    groups: dict[Labels, list[Waits]] = {}
    for waits in (one for one in every if upstream_of(one.policy.scope) in served):
        groups.setdefault((waits.policy.name, waits.policy.scope), []).append(waits)
    return groups
