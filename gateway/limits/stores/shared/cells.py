"""How the words of each algorithm stand in shared memory, and in which order they are written.

Invariants: whoever is killed between two writes leaves a state that says no less is used than what was admitted, and
no more than the charge that was being made. What counts is computed by `algorithms` alone; nothing here does.

- gcra: one word, one write.
- sliding_log: a word for each of `requests` moments, in no order; 0 is none. A charge writes over the oldest ones,
  which have lapsed; a refund writes 0.
- calendar: the window's beginning and what is used. When a window begins, the beginning is written first as its
  complement, which means that nothing is used of it yet; then what is used; then the beginning itself.
- concurrency: a word for each process, the places that it holds. Each writes its own, so that those of a dead one can
  be told and cleared.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, Protocol

from gateway.limits.policy import Algorithm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.limits.values import Charge, Words


class Cell(Protocol):
    """Reads and writes the states of one policy. `place` is the word where a state begins."""

    def read(self, place: int) -> Words:
        """Return the words as `algorithms` knows them."""

    def newest(self, place: int) -> Words:
        """Return as much of the words as tells when they end."""

    def charge(self, place: int, words: Words, cost: int) -> None:
        """Write the words after a charge of `cost`."""

    def refund(self, place: int, words: Words, charge: Charge) -> None:
        """Write the words after a charge was given back."""


class OneWord:
    """The TAT."""

    __slots__ = ("_memory",)

    def __init__(self, memory: memoryview[int], width: int, index: int) -> None:  # noqa: ARG002 - as the others
        """Work on all of the shared words."""
        self._memory = memory

    def read(self, place: int) -> Words:
        """Return the word."""
        return (self._memory[place],)

    def newest(self, place: int) -> Words:
        """Return the word."""
        return (self._memory[place],)

    def charge(self, place: int, words: Words, cost: int) -> None:  # noqa: ARG002 - as the others
        """Write the word."""
        self._memory[place] = words[0]

    def refund(self, place: int, words: Words, charge: Charge) -> None:  # noqa: ARG002 - as the others
        """Write the word."""
        self._memory[place] = words[0]


class Moments:
    """The moments of a log, in no order."""

    __slots__ = ("_memory", "_width")

    def __init__(self, memory: memoryview[int], width: int, index: int) -> None:  # noqa: ARG002 - as the others
        """Work on `width` words for each state."""
        self._memory = memory
        self._width = width

    def read(self, place: int) -> Words:
        """Return the moments in order."""
        moments = sorted(self._memory[place : place + self._width].tolist())
        return array("q", moments[bisect_right(moments, 0) :])

    def newest(self, place: int) -> Words:
        """Return the last moment."""
        newest = max(self._memory[place : place + self._width].tolist())
        return (newest,) if newest else ()

    def charge(self, place: int, words: Words, cost: int) -> None:
        """Write the last moment over the oldest ones. There was room for it, so these count no more."""
        moments = self._memory[place : place + self._width].tolist()
        for _ in range(cost):
            at = moments.index(min(moments))
            self._memory[place + at] = moments[at] = words[-1]

    def refund(self, place: int, words: Words, charge: Charge) -> None:  # noqa: ARG002 - what stays is not written
        """Write 0 over the moments of a charge."""
        moments = self._memory[place : place + self._width].tolist()
        for _ in range(min(charge.cost, moments.count(charge.mark))):
            at = moments.index(charge.mark)
            self._memory[place + at] = moments[at] = 0


class Window:
    """The beginning of a window and what is used of it."""

    __slots__ = ("_memory",)

    def __init__(self, memory: memoryview[int], width: int, index: int) -> None:  # noqa: ARG002 - as the others
        """Work on all of the shared words."""
        self._memory = memory

    def read(self, place: int) -> Words:
        """Return both; of a window that somebody began and did not live to use, that nothing is used."""
        begin_us, used = self._memory[place], self._memory[place + 1]
        return (begin_us, used) if begin_us >= 0 else (~begin_us, 0)

    def newest(self, place: int) -> Words:
        """Return both."""
        return self.read(place)

    def charge(self, place: int, words: Words, cost: int) -> None:  # noqa: ARG002 - as the others
        """Write what is used, of a new window in three steps."""
        memory = self._memory
        begin_us, used = words
        if memory[place] == begin_us:
            memory[place + 1] = used
            return
        memory[place] = ~begin_us
        memory[place + 1] = used
        memory[place] = begin_us

    def refund(self, place: int, words: Words, charge: Charge) -> None:
        """Write what is used."""
        self.charge(place, words, charge.cost)


class Places:
    """The places that each process holds."""

    __slots__ = ("_index", "_memory", "_width")

    def __init__(self, memory: memoryview[int], width: int, index: int) -> None:
        """Read those of all `width` processes, and write those of `index`."""
        self._memory = memory
        self._width = width
        self._index = index

    def read(self, place: int) -> Words:
        """Return how many are held, by all."""
        return (sum(self._memory[place : place + self._width].tolist()),)

    def newest(self, place: int) -> Words:
        """Return how many are held, by all."""
        return self.read(place)

    def charge(self, place: int, words: Words, cost: int) -> None:  # noqa: ARG002 - the others' places are theirs
        """Hold more."""
        self._memory[place + self._index] += cost

    def refund(self, place: int, words: Words, charge: Charge) -> None:  # noqa: ARG002 - as above
        """Hold fewer."""
        own = place + self._index
        self._memory[own] = max(self._memory[own] - charge.cost, 0)


def cell_of(algorithm: Algorithm, memory: memoryview[int], width: int, index: int) -> Cell:
    """Return what reads and writes an algorithm's states in `memory`, in the name of the process `index`."""
    return _CELLS[algorithm](memory, width, index)


_CELLS: Final[Mapping[Algorithm, Callable[[memoryview[int], int, int], Cell]]] = {
    Algorithm.GCRA: OneWord,
    Algorithm.SLIDING_LOG: Moments,
    Algorithm.CALENDAR: Window,
    Algorithm.CONCURRENCY: Places,
}
