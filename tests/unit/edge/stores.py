"""What a store on the network counted, for tests of who tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.edge.metrics import BUCKETS_S


class Reason(StrEnum):
    """Why a store failed, or who decided."""

    TIMEOUT = "timeout"
    REMOTE = "remote"


@dataclass(frozen=True)
class Stats:
    """What a store counted."""

    state: str = "ok"
    replicas: int = 3
    failures: dict[Reason, int] = field(default_factory=lambda: {Reason.TIMEOUT: 2})
    decisions: dict[Reason, int] = field(default_factory=lambda: {Reason.REMOTE: 9})
    latency: tuple[int, ...] = (4, 3, *[0] * (len(BUCKETS_S) - 2), 1)
    latency_us: int = 1_250_000
