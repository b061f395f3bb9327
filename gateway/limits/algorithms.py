"""The algorithms behind one shape, so that every store counts by the same arithmetic.

What is known of a key under a policy is a few integers of 64 bits, its *words*; `()` is a key that was never seen, or
of which nothing counts any more. Each algorithm's module says what its words are and what each step does with them;
stores that cannot run this code (a script in Redis, say) must do the same steps, to the last microsecond:

- gcra: one word, the TAT.
- sliding_log: the moments of the charges, ascending, one for each unit of cost; up to `requests` words.
- calendar: two words, the beginning of the window and what is used of it. Its clock is Unix time.
- concurrency: one word, the places held.

For all: a refusal and a cost of 0 change no words, and a cost of 0 is always admitted. Verdicts are as `values.Verdict`
says. A mark is taken from the words after the charge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.limits import calendar, concurrency, gcra, log
from gateway.limits.policy import Algorithm, Policy
from gateway.limits.values import Charge, Verdict, Words

if TYPE_CHECKING:
    from collections.abc import Mapping

Take = Callable[[Words, int, int, Policy], tuple[Words, Verdict]]
Refund = Callable[[Words, int, Charge], Words]
Mark = Callable[[Words], int]
Ends = Callable[[Words, Policy], int]
Until = Callable[[int, Policy], int]
Capacity = Callable[[Policy], int]


class Steps(NamedTuple):
    """What there is to do with the words of one key. Times are of the algorithm's clock, in microseconds.

    `take(words, at_us, cost, policy)` returns the new words and the verdict. `refund(words, at_us, charge)` returns the
    words without what still counts of a charge. `mark(words)` finds the charge again that `take` has just made.
    `ends_us(words, policy)` is the moment from which on the words say no more than none would, so that they need not
    be kept. `until_us(at_us, policy)` is the latest such moment after any charge at `at_us`. `capacity(policy)` is the
    most words that a key can have. `wall`: the clock is Unix time, not the monotonic one.
    """

    take: Take
    refund: Refund
    mark: Mark
    ends_us: Ends
    until_us: Until
    capacity: Capacity
    wall: bool = False


def _gcra_take(words: Words, now_us: int, cost: int, policy: Policy) -> tuple[Words, Verdict]:
    tat_us, verdict = gcra.take(words[0] if words else now_us, now_us, cost, policy)
    return ((tat_us,) if cost and verdict.admitted else words), verdict


def _gcra_refund(words: Words, now_us: int, charge: Charge) -> Words:
    return (gcra.refund(words[0], now_us, charge),) if words else ()


def _first(words: Words) -> int:
    return words[0]


def _gcra_ends_us(words: Words, policy: Policy) -> int:  # noqa: ARG001 - as the others
    return words[0] if words else 0


def _gcra_until_us(now_us: int, policy: Policy) -> int:
    return now_us + policy.tau_us


def _gcra_capacity(policy: Policy) -> int:  # noqa: ARG001 - as the others
    return 1


STEPS: Final[Mapping[Algorithm, Steps]] = {
    Algorithm.GCRA: Steps(_gcra_take, _gcra_refund, _first, _gcra_ends_us, _gcra_until_us, _gcra_capacity),
    Algorithm.SLIDING_LOG: Steps(log.take, log.refund, log.mark, log.ends_us, log.until_us, log.capacity),
    Algorithm.CALENDAR: Steps(
        calendar.take,
        calendar.refund,
        calendar.mark,
        calendar.ends_us,
        calendar.until_us,
        calendar.capacity,
        wall=True,
    ),
    Algorithm.CONCURRENCY: Steps(
        concurrency.take,
        concurrency.refund,
        concurrency.mark,
        concurrency.ends_us,
        concurrency.until_us,
        concurrency.capacity,
    ),
}
