"""A decision whose parts come from several slots of a cluster."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StoreFailure, StoreReason
from gateway.limits import Charge, Policy, Verdict
from gateway.limits.joint import decision
from gateway.limits.stores.redis.cluster import Joint, combine
from tests.integration.pools import turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits import Ask, Decision


def policy(name: str, *, shadow: bool = False) -> Policy:
    """Return a limit of five."""
    return Policy(name=name, requests=5, per_us=5_000_000, burst=5, key=("ip",), shadow=shadow)


FIRST, SECOND, SHADOW = policy("first"), policy("second"), policy("shadow", shadow=True)
ASKS: list[Ask] = [(FIRST, b"a", 2), (SHADOW, b"b", 1), (SECOND, b"b", 1), (FIRST, b"c", 0)]


def part(*verdicts: Verdict, charges: Sequence[Charge] = ()) -> Decision:
    """Decide one slot."""
    admitted = all(one.admitted or one.policy.shadow for one in verdicts)
    return decision(verdicts, tuple(charges), admitted=admitted)


def yes(of: Policy, remaining: int) -> Verdict:
    """Admit."""
    return Verdict(of, True, remaining, 0, 1_000_000)


def no(of: Policy) -> Verdict:
    """Refuse."""
    return Verdict(of, False, 0, 700_000, 700_000)


CHARGED = Charge(FIRST, b"a", 2, 11)
SHADOWED = Charge(SHADOW, b"b", 1, 12)
ALSO_CHARGED = Charge(SECOND, b"b", 1, 13)


class Joined:
    """A joint decision, and what it does."""

    def __init__(self) -> None:
        """Wait for three parts."""
        loop = asyncio.get_running_loop()
        self.given_back: list[Charge] = []
        self.settled: list[Decision] = []
        self.future: asyncio.Future[Decision] = loop.create_future()
        self.parts: list[asyncio.Future[Decision]] = [loop.create_future() for _ in range(3)]
        joint = Joint(ASKS, self.future, lambda _, made: self.settled.append(made), self.given_back.extend)
        for places, one in zip(([0], [1, 2], [3]), self.parts, strict=True):
            joint.add(places, one)


async def test_all_admit() -> None:
    """Where all parts admit, the decision is all of theirs in the order of the asks; what cost 0 has no charge."""
    joined = Joined()
    joined.parts[2].set_result(part(yes(FIRST, 5)))
    joined.parts[1].set_result(part(yes(SHADOW, 4), yes(SECOND, 4), charges=[SHADOWED, ALSO_CHARGED]))
    await turns()
    assert not joined.settled
    joined.parts[0].set_result(part(yes(FIRST, 3), charges=[CHARGED]))
    await turns()
    (made,) = joined.settled
    assert made.admitted
    assert [(one.policy, one.remaining) for one in made.verdicts] == [(FIRST, 3), (SECOND, 4), (FIRST, 5)]
    assert [one.policy for one in made.shadowed] == [SHADOW]
    assert made.charges == (CHARGED, SHADOWED, ALSO_CHARGED)
    assert joined.given_back == []


async def test_parts_of_one_turn() -> None:
    """Parts that come in one turn of the loop are joined once: nothing is given back twice."""
    joined = Joined()
    joined.parts[0].set_result(part(yes(FIRST, 3), charges=[CHARGED]))
    joined.parts[1].set_result(part(yes(SHADOW, 5), no(SECOND)))
    joined.parts[2].set_result(part(yes(FIRST, 5)))
    await turns()
    assert joined.given_back == [CHARGED]
    (made,) = joined.settled
    assert not made.admitted
    assert made.charges == ()
    assert made.tightest == no(SECOND)


async def test_one_part_fails() -> None:
    """Where a part fails the decision fails, and what others charged is given back; who has left is not told."""
    for left in (False, True):
        joined = Joined()
        if left:
            joined.future.cancel()
        joined.parts[0].set_result(part(yes(FIRST, 3), charges=[CHARGED]))
        joined.parts[1].set_exception(StoreFailure(StoreReason.TIMEOUT))
        joined.parts[2].set_exception(StoreFailure(StoreReason.REFUSED))
        await turns()
        assert joined.given_back == [CHARGED]
        assert joined.settled == []
        if not left:
            with pytest.raises(StoreFailure, match="timeout"):
                await joined.future


def test_uncharged() -> None:
    """What a refusal says of the others is as if they had not been charged, and never more than they have when full."""
    asks: list[Ask] = [(FIRST, b"a", 2), (SECOND, b"b", 1), (FIRST, b"c", 1)]
    made, given_back = combine(
        asks,
        [
            ([0], part(yes(FIRST, 1), charges=[CHARGED])),
            ([1], part(no(SECOND))),
            ([2], part(yes(FIRST, 4), charges=[Charge(FIRST, b"c", 1, 14)])),
        ],
    )
    assert made.verdicts == (yes(FIRST, 3), no(SECOND), Verdict(FIRST, True, 5, 0, 0))
    assert [charge.key for charge in given_back] == [b"a", b"c"]
