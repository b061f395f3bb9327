"""A budget that is declared becomes policies, so that every store, and every replica by its store, keeps it exactly.

An upstream that grants q in every W does not say where its windows begin, and requests that leave evenly do not arrive
so: some are longer on their way. So what leaves must fit into any time of W and a fiftieth, whatever the window is:

- few (q below 50): the exact log, over W and a fiftieth. It uses all of q.
- a fixed window: GCRA with a burst b = q/20 (at least 3), and q - b - q/50 in W: burst + rate x W is at most q, and at
  least nine tenths of q can be used for as long as there is demand.
- a leaky bucket: the API's own arithmetic, a burst of q (less a fiftieth for what is late) at q in W (and a thousandth,
  for clocks that do not run alike).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.limits.budget.values import HUNDRED, NO_RESERVE, Reserve
from gateway.limits.policy import Algorithm, Policy

DECLARED: Final = "budget:"
"""What the scope of a declared budget's policies begins with; the upstream's name follows."""

_FEW: Final = 50
_LATE_PARTS: Final = 50
_DRIFT_PARTS: Final = 1_000
_BURST_PARTS: Final = 20


class Shape(StrEnum):
    """How an upstream counts a budget."""

    FIXED_WINDOW = "fixed_window"
    LEAKY_BUCKET = "leaky_bucket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A budget as somebody declared it: `requests` in `per_us`.

    `scope` and `name` are those of its policies, `key` what they count by. `shadow`: it is counted and refuses nobody.
    """

    name: str
    scope: str
    requests: int
    per_us: int
    shape: Shape = Shape.FIXED_WINDOW
    key: tuple[str, ...] = ("upstream",)
    reserve: Reserve = NO_RESERVE
    shadow: bool = False
    max_wait_us: int = 0
    queue: int = 0

    def policies(self) -> tuple[Policy, ...]:
        """Return what everybody is charged for whom nothing is kept: first what is left to them, then the whole."""
        return (*self._open(), self.whole())

    def whole(self) -> Policy:
        """Return the policy of the whole budget, which is all that the chosen are charged."""
        return self._policy(self.name, self.requests, self.per_us)

    def _open(self) -> tuple[Policy, ...]:
        kept = self.reserve.of(self.requests)
        if not kept:
            return ()
        left = self.requests - kept
        return (self._policy(f"{self.name}-open", left, self.per_us),)

    def _policy(self, name: str, requests: int, per_us: int) -> Policy:
        algorithm, requests, per_us, burst = split(requests, per_us, self.shape)
        return Policy(
            name=name,
            scope=self.scope,
            requests=requests,
            per_us=per_us,
            burst=burst,
            key=self.key,
            algorithm=algorithm,
            shadow=self.shadow,
            max_wait_us=self.max_wait_us,
            queue=self.queue,
            budget=True,
        )


def split(requests: int, per_us: int, shape: Shape) -> tuple[Algorithm, int, int, int]:
    """Return by which policy a budget is kept: the algorithm, its requests, its time in microseconds, its burst."""
    late = requests // _LATE_PARTS
    if shape is Shape.LEAKY_BUCKET:
        return Algorithm.GCRA, requests, per_us + per_us // _DRIFT_PARTS, max(1, requests - max(1, late))
    if requests < _FEW:
        return Algorithm.SLIDING_LOG, requests, per_us + per_us // _LATE_PARTS, requests
    burst = max(3, requests // _BURST_PARTS)
    return Algorithm.GCRA, requests - burst - late, per_us, burst


def percent_or_number(text: str) -> Reserve:
    """Read a reserve: `10%`, or a number of requests. Raises ValueError."""
    digits = text.removesuffix("%")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise ValueError("a reserve is a percentage such as 10%, or a number of requests")
    number = int(digits)
    if not text.endswith("%"):
        return Reserve(requests=number)
    if number >= HUNDRED:
        raise ValueError("a reserve of all leaves nothing to anybody else")
    return Reserve(percent=number)
