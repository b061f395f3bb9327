"""Request ids: UUID version 7 of RFC 9562, unpredictable, sorted by age."""

from __future__ import annotations

from itertools import pairwise
from uuid import RFC_4122, UUID

import pytest

from gateway.edge.clock import UuidsV7

NOW_S = 1_795_000_000.123
MANY = 300


class Clock:
    """A clock that advances by a step with each look."""

    def __init__(self, step_s: float = 0.0) -> None:
        self._now_s = NOW_S - step_s
        self._step_s = step_s

    def now_s(self) -> float:
        """Return Unix time."""
        self._now_s += self._step_s
        return self._now_s

    monotonic_s = now_s


def test_an_id_is_a_uuid_of_version_7() -> None:
    """In its own spelling: groups of 8, 4, 4, 4 and 12, in lower case."""
    ids = UuidsV7(Clock())
    for _ in range(MANY):
        minted = ids.mint()
        uuid = UUID(minted)
        assert (str(uuid), uuid.version, uuid.variant) == (minted, 7, RFC_4122)


def test_an_id_begins_with_the_milliseconds() -> None:
    """Of Unix time, in 48 bits."""
    assert UUID(UuidsV7(Clock()).mint()).int >> 80 == 1_795_000_000_123


def test_ids_sort_by_age() -> None:
    """As text, from one millisecond to the next, and across a batch of random bytes."""
    ids = UuidsV7(Clock(step_s=0.002))
    assert all(older < newer for older, newer in pairwise([ids.mint() for _ in range(MANY)]))


@pytest.mark.parametrize(("byte", "ending"), [(b"\0", "7000-8000-000000000000"), (b"\xff", "7fff-bfff-ffffffffffff")])
def test_all_but_version_and_variant_is_random(byte: bytes, ending: str) -> None:
    """74 bits, each as it came."""
    ids = UuidsV7(Clock(), lambda count: byte * count)
    assert {ids.mint()[14:] for _ in range(MANY)} == {ending}


def test_no_random_byte_is_used_twice() -> None:
    """Who has seen one id knows nothing of the next."""
    given = iter(range(1_000_000))
    ids = UuidsV7(Clock(), lambda count: b"".join(next(given).to_bytes(10, "big") for _ in range(count // 10)))
    assert sorted(int(ids.mint()[24:], 16) for _ in range(MANY))[: MANY // 2] == list(range(MANY // 2))


def test_ids_differ() -> None:
    """With the system's own random bytes, within one millisecond."""
    ids = UuidsV7(Clock())
    assert len({ids.mint() for _ in range(10 * MANY)}) == 10 * MANY
