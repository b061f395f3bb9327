"""What `/status` on the admin port tells, kept by an observer of `Outcome`.

For the operator who was paged: who failed, since when, and which client hits its limits. Memory is bounded whatever
clients send: so many failures remembered an upstream, so many refused clients counted by name.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import Outcome

FAILURES_KEPT: Final = 10
CLIENTS_COUNTED: Final = 1_000
CLIENTS_SHOWN: Final = 20

OTHERS: Final = "others"
"""Refused clients that came after `CLIENTS_COUNTED` different ones."""

_FAILED: Final = frozenset(("upstream_5xx", "upstream_masked", "upstream_budget", "transport", "timeout", "cut"))


class _Record:
    """What happened to one upstream's requests."""

    __slots__ = ("failures", "outcomes")

    def __init__(self) -> None:
        self.outcomes: dict[str, int] = {}
        self.failures: deque[dict[str, Any]] = deque(maxlen=FAILURES_KEPT)


class StatusBoard:
    """Remembers the last failures of each upstream, and who was refused most."""

    def __init__(self, upstreams: Iterable[str]) -> None:
        """Know the upstreams by name from the start, so that a quiet one is shown too."""
        self._records: dict[str | None, _Record] = {}
        self.follow(upstreams)
        self._refused: dict[str, int] = {}

    def follow(self, upstreams: Iterable[str]) -> None:
        """Know these upstreams from now on; what happened to those that were known before is remembered."""
        self._records = {name: self._records.get(name) or _Record() for name in upstreams}

    def observe(self, outcome: Outcome) -> None:
        """Take note of one request."""
        if outcome.outcome == "rate_limited":
            self._refuse(outcome.client or outcome.peer or OTHERS)
        record = self._records.get(outcome.upstream)
        if record is None:
            return
        record.outcomes[outcome.outcome] = record.outcomes.get(outcome.outcome, 0) + 1
        if outcome.outcome in _FAILED:
            record.failures.appendleft(
                {
                    "time": outcome.time_s,
                    "request_id": outcome.request_id,
                    "outcome": outcome.outcome,
                    "status": outcome.status,
                    "upstream_status": outcome.upstream_status,
                    "code": outcome.code,
                    "reason": outcome.reason,
                }
            )

    def _refuse(self, client: str) -> None:
        if client not in self._refused and len(self._refused) >= CLIENTS_COUNTED:
            client = OTHERS
        self._refused[client] = self._refused.get(client, 0) + 1

    def upstream(self, name: str) -> Mapping[str, Any]:
        """Return what is known of one upstream."""
        record = self._records[name]
        return {"outcomes": record.outcomes, "last_failures": list(record.failures)}

    def refused(self) -> list[dict[str, Any]]:
        """Return the clients that were refused most, the first being the worst."""
        ranked = sorted(self._refused.items(), key=lambda pair: -pair[1])[:CLIENTS_SHOWN]
        return [{"client": client, "refused": count} for client, count in ranked]
