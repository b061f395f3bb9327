"""The stand-in: what is decided while the store is away. What each policy wants is tested with the guard."""

from __future__ import annotations

from gateway.limits import Policy
from gateway.limits.stores import MemoryStore
from gateway.limits.stores.guard.standin import StandIn

S = 1_000_000
WIDE = Policy(name="wide", requests=1, per_us=S, burst=12, key=("ip",))


def test_number_of_replicas() -> None:
    """As long as as many replicas live the shares are what they were; when there are more they are smaller."""
    stand_in = StandIn(MemoryStore(), replicas=2)
    left = []
    for replicas in (2, 2, 3):
        stand_in.replicas = replicas
        decision, _ = stand_in.decide([(WIDE, b"k", 1)], 0, 0)
        left.append(decision.verdicts[0].remaining)
    assert left == [5, 4, 3]
    assert stand_in.replicas == 3


def test_charges_outlive_their_share() -> None:
    """What was charged under a share is given back, and told in the policy's name, when there is another share now."""
    stand_in = StandIn(MemoryStore(), replicas=2)
    decision, _ = stand_in.decide([(WIDE, b"k", 1)], 0, 0)
    stand_in.replicas = 3
    stand_in.decide([(WIDE, b"k", 1)], 0, 0)
    verdicts = stand_in.refund(decision.charges, 0, 0)
    assert [(verdict.policy, verdict.remaining) for verdict in verdicts] == [(WIDE, 6)]
