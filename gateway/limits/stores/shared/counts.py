"""The counts of one policy: where a key's state stands, and where there is room for another.

Invariants: a key has one slot at most, in the one bucket that its hash names; a slot whose state still counts is never
given to another key. A slot is free when its state counts nothing any more, whatever digest it bears. When a slot is
given away the bucket keeps the time, and time never goes back behind it there: a process that read its clock long ago
cannot find a key forgotten that counted then.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from gateway.limits.algorithms import STEPS
from gateway.limits.stores.shared.cells import cell_of
from gateway.limits.stores.shared.layout import DIGEST_BYTES, DIGESTS_WORD, SLOTS, STATES_WORD, WORD_BYTES

if TYPE_CHECKING:
    from gateway.limits.stores.shared.layout import Area
    from gateway.limits.stores.shared.memory import Memory
    from gateway.limits.values import Words

OVERFLOW: Final = b""
"""The key that all principals share whose buckets are full."""
KEYS_REMEMBERED: Final = 2_048

Spot = tuple[int, bytes]
"""The word where a key's bucket begins, and the key's digest; of the overflow key its cell, and nothing."""


class Counts:
    """Finds, reads and writes the states of one policy's keys.

    But for `spot`, the caller holds the lock of what it asks about: of the bucket, or of the overflow cell.
    """

    __slots__ = (
        "_area",
        "_bytes",
        "_policy",
        "_secret",
        "_spots",
        "_steps",
        "_words",
        "cell",
        "memory",
        "overflow",
        "wall",
    )

    def __init__(self, memory: Memory, area: Area, index: int) -> None:
        """Look into the part of the memory that is the policy's, in the name of the process `index`."""
        self.memory = memory
        self._area = area
        self._bytes, self._words, self._secret = memory.bytes, memory.words, memory.secret
        self._spots: dict[bytes, Spot] = {}
        self._policy = area.policy
        self._steps = STEPS[area.policy.algorithm]
        self.cell = cell_of(area.policy.algorithm, memory.words, area.width, index)
        self.overflow = area.overflow
        self.wall = self._steps.wall

    def spot(self, key: bytes) -> Spot:
        """Return where a key belongs. Those asked for lately are remembered."""
        spot = self._spots.get(key)
        return self._compute(key) if spot is None else spot

    def time_us(self, spot: Spot) -> int:
        """Return the time behind which the policy's clock must not go."""
        return self._words[spot[0]] if spot[1] else 0

    def find(self, spot: Spot, at_us: int, taken: list[int]) -> int:
        """Return where a key's state stands; the complement of a free place where it has none; 0 where none is free.

        `taken` are the free places that other keys of the same request were given; one more is noted there.
        """
        bucket, digest = spot
        if not digest:
            return bucket
        first = (bucket + DIGESTS_WORD) * WORD_BYTES
        last = first + SLOTS * DIGEST_BYTES
        found = self._bytes.find(digest, first, last)
        while found >= 0:
            slot, astray = divmod(found - first, DIGEST_BYTES)
            if not astray:
                return bucket + STATES_WORD + slot * self._area.width
            found = self._bytes.find(digest, found + 1, last)
        return self._free(bucket, at_us, taken)

    def read(self, place: int) -> Words:
        """Return what is known of a key at a place that was found."""
        return self.cell.read(place) if place > 0 else ()

    def charge(self, spot: Spot, place: int, words: Words, cost: int, at_us: int) -> None:
        """Write the words after a charge of `cost` at `at_us`, and whose they are where the place was free."""
        if place < 0:
            place = ~place
            self._claim(spot, place, at_us)
        self.cell.charge(place, words, cost)

    def _claim(self, spot: Spot, place: int, at_us: int) -> None:
        """Give a slot to a key. Its state says nothing yet, so it may be left like this."""
        bucket, digest = spot
        self._words[bucket] = max(self._words[bucket], at_us)
        slot = (place - bucket - STATES_WORD) // self._area.width
        first = (bucket + DIGESTS_WORD) * WORD_BYTES + slot * DIGEST_BYTES
        self._bytes[first : first + DIGEST_BYTES] = digest

    def _free(self, bucket: int, at_us: int, taken: list[int]) -> int:
        """Return the complement of a place whose state counts nothing any more, 0 when all of them do."""
        width, policy, ends_us, newest = self._area.width, self._policy, self._steps.ends_us, self.cell.newest
        first = bucket + STATES_WORD
        for place in range(first, first + SLOTS * width, width):
            if place not in taken and ends_us(newest(place), policy) <= at_us:
                taken.append(place)
                return ~place
        return 0

    def _compute(self, key: bytes) -> Spot:
        """Return where a key belongs that was not remembered."""
        if key == OVERFLOW:
            return self.overflow, b""
        digest = blake2b(key, digest_size=DIGEST_BYTES, key=self._secret).digest()
        number = int.from_bytes(digest[:WORD_BYTES], "big") % self._area.buckets
        if len(self._spots) >= KEYS_REMEMBERED:
            self._spots.clear()
        spot = self._spots[key] = (self._area.start + number * self._area.stride, digest)
        return spot
