"""The budget of one upstream as the decisions use it: what is learned of it, who shares it, and what is under way.

It stands behind policies that have no numbers (`learned`), so that all that is done with policies is done with it: it
is asked with the others, given back, waited for, counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.budget.fair import Fair
from gateway.limits.budget.learned import Learned
from gateway.limits.budget.values import NO_RESERVE
from gateway.limits.policy import Algorithm, Policy
from gateway.limits.values import Charge, Verdict
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits.budget.learned import Ticket
    from gateway.limits.budget.values import Kind, Reserve, Scope
    from gateway.limits.values import Ask, Decision
    from gateway.model import Grant

_PERIOD_US: Final = 60 * US_IN_S
_MOST_US: Final = 60 * US_IN_S
BY_UPSTREAM: Final = ("upstream",)
BY_PATH: Final = ("upstream", "path")


class Held:
    """What an upstream, called `name`, may still be asked for under our credential.

    `kinds` are those of its dialect's windows; `by_path`: it has buckets, or pauses for one path only, so that paths
    are told apart. `reserve` is what is kept for the chosen; `fair`: its clients share it evenly. Where it is not to
    learn (`learns`) it knows of what is declared alone, and only sees to its being shared.
    """

    def __init__(
        self,
        name: str,
        kinds: Sequence[Kind] = (),
        *,
        by_path: bool = False,
        reserve: Reserve = NO_RESERVE,
        fair: bool = False,
        learns: bool = True,
        max_wait_us: int = 0,
        queue: int = 0,
    ) -> None:
        """Begin by knowing nothing."""
        self.name = name
        self.learned = Learned(kinds)
        self.replicas = 1
        self.absurd = 0
        self.turned_away = 0
        self._learns = learns
        self._key = BY_PATH if by_path else BY_UPSTREAM
        self._waits = (max_wait_us, queue)
        self._reserve = reserve
        self.everybody = self._policy("learned", self._key)
        self.chosen = self._policy("learned:chosen", self._key)
        self.sharing = self._policy("fair", ("client",)) if fair and not max_wait_us else None
        self._fair = Fair(_PERIOD_US, 0)
        self._tickets: dict[int, Ticket] = {}
        self._number = 0

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Return the policies that it stands behind."""
        learned = (self.everybody, self.chosen) if self._learns else ()
        return learned if self.sharing is None else (self.sharing, *learned)

    def follow(self, before: Held) -> None:
        """Go on with what is known of the same credential since before it was configured anew, where that still fits.

        Requests that were let go before are told to whoever let them go.
        """
        if self._key == before._key and self.learned.kinds == before.learned.kinds:
            self.learned = before.learned
        self.replicas = before.replicas

    # ---- deciding ------------------------------------------------------------------------------------------------

    def before(self, ask: Ask, now_us: int) -> Verdict | None:
        """Return the refusal of a client that has to let others go first, None where it need not."""
        policy, client, _ = ask
        if not self._fair.yields(client, now_us):
            return None
        self._fair.turned_away(client, now_us)
        return Verdict(policy, False, 0, max(1, self._fair.plenty_us - now_us), 0)  # noqa: FBT003 - as elsewhere

    def after(self, ask: Ask, decision: Decision, now_us: int) -> None:
        """Note what became of a client's request."""
        client = ask[1]
        for verdict in decision.verdicts:
            if verdict.policy.budget and not verdict.policy.learned:
                self._fair.noted(verdict, now_us, self.replicas)
        if decision.admitted:
            self._fair.served(client, now_us)
        elif decision.tightest is not None and decision.tightest.policy.budget:
            self._fair.turned_away(client, now_us)
            if decision.tightest.policy.learned:
                self._fair.scarce(now_us + 2 * min(decision.tightest.retry_after_us, _MOST_US))

    def take(self, ask: Ask, now_us: int) -> Charge | Verdict:
        """Let a request go, or refuse it."""
        policy, key, cost = ask
        wait_us = self.wait_us(policy, key, now_us)
        if wait_us:
            self.turned_away += 1
            return Verdict(policy, False, 0, wait_us, wait_us)  # noqa: FBT003 - as elsewhere
        self._number += 1
        self._tickets[self._number] = self.learned.sent(key, now_us)
        return Charge(policy, key, cost, self._number)

    def wait_us(self, policy: Policy, key: bytes, now_us: int) -> int:
        """Return how long a request has to wait; 0 when it may go."""
        reserve = NO_RESERVE if policy.id == self.chosen.id else self._reserve
        return self.learned.wait_us(key, now_us, replicas=self.replicas, reserve=reserve)

    @property
    def learns(self) -> bool:
        """Tell whether what replies say is kept to."""
        return self._learns

    @property
    def asked(self) -> int:
        """How often it was asked, whatever it said."""
        return self._number + self.turned_away

    # ---- what becomes of it --------------------------------------------------------------------------------------

    def unsent(self, charge: Charge) -> None:
        """Note that nothing of a request went upstream."""
        ticket = self._tickets.pop(charge.mark, None)
        if ticket is not None:
            self.learned.unsent(ticket)

    def over(self, charge: Charge, now_us: int) -> None:
        """Note that a request is over; one that no reply came to may have been counted all the same."""
        ticket = self._tickets.pop(charge.mark, None)
        if ticket is not None:
            self.learned.lost(ticket, now_us)

    def replied(
        self, charge: Charge, grants: Sequence[Grant], now_us: int, *, bucket: bytes = b"", refused: bool = False
    ) -> Ticket | None:
        """Take what the head of a reply says; return what `limited` is told of it with, if more is read of it."""
        ticket = self._tickets.pop(charge.mark, None)
        if ticket is not None:
            self.learned.replied(ticket, grants, now_us, bucket=bucket, refused=refused)
        return ticket

    def limited(self, ticket: Ticket, scope: Scope, after_us: int | None, now_us: int, jitter: float) -> None:
        """Pause: the upstream refused a request, for `after_us` if it said so."""
        self.learned.limited(ticket, scope, after_us, now_us, jitter)

    def _policy(self, scope: str, key: tuple[str, ...]) -> Policy:
        max_wait_us, queue = self._waits
        return Policy(
            name=self.name,
            scope=f"{scope}:{self.name}",
            requests=1,
            per_us=0,
            burst=1,
            key=key,
            algorithm=Algorithm.CONCURRENCY,
            max_wait_us=0 if scope == "fair" else max_wait_us,
            queue=0 if scope == "fair" else queue,
            budget=True,
            learned=True,
        )
