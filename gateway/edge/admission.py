"""Who is asking, and whether the limits let the request through.

A request meets the gateway's policies, its upstream's, its route's and its client's; the store decides all of them in
one step.
"""

from __future__ import annotations

from asyncio import Future, ensure_future
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Final

from gateway.config import policies
from gateway.edge.limiting.waiting import WaitingRooms
from gateway.limits import Algorithm, Decision, Facts, Keys, Policy, client_address
from gateway.limits.address import is_trusted
from gateway.limits.recent import Recent
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.config.models import GatewayFile
    from gateway.edge.call import Call
    from gateway.edge.clock import Clock
    from gateway.edge.limiting.limit_metrics import LimitMetrics
    from gateway.edge.ways import Way
    from gateway.headers import RequestHead
    from gateway.limits import Ask, Charge, KeyOf, Verdict
    from gateway.limits.stores import Store
    from gateway.limits.stores.port import Deciding
    from gateway.model import Headers
    from gateway.pipeline.counted import Counted

    Strangers = Recent[str, tuple[bytes, str]]
    """Who was refused lately and has no name: by what operators are shown, the principal, hashed, and the address."""

_SHOWN_BYTES: Final = 6
_STRANGERS: Final = 1_000

Keyed = tuple[tuple[Policy, "KeyOf"], ...]
"""Policies, and how each finds the key of a request."""


class Clients:
    """The configured clients, known by the SHA-256 of their keys."""

    def __init__(self, gateway: GatewayFile) -> None:
        """Index the clients' keys."""
        self._header = gateway.client_header.lower().replace("_", "-").encode("ascii")  # as `RequestHead` folds names
        self._names = {digest: client.name for client in gateway.clients for digest in client.api_key_sha256}

    def identify(self, head: RequestHead) -> str | None:
        """Return the name of the client whose key the request bears, None for a stranger."""
        if not self._names:
            return None
        for lower, (_, value) in head.fields:
            if lower == self._header:
                return self._names.get(sha256(value).hexdigest())
        return None


class Applied:
    """The policies of one client's requests by one way. `waits`: who is over some of them may wait."""

    def __init__(self, keyed: Keyed, counted: Mapping[str, Counted]) -> None:
        """Note what they have in common. Those in `counted`, by id, are for some of the requests only."""
        self.keyed = keyed
        self._some = [(*one, counted[one[0].id]) for one in keyed if one[0].id in counted]
        self._all = tuple([one for one in keyed if one[0].id not in counted])
        self.waits = any(policy.max_wait_us for policy, _ in keyed)

    def asks(self, facts: Facts) -> list[Ask]:
        """Return what a request asks of them."""
        method = facts.method
        asks = [
            (policy, key_of(facts), policy.cost_of(method) if policy.costs else policy.cost)
            for policy, key_of in self._all
        ]
        if self._some:
            asks += [(policy, key_of(facts), policy.cost) for policy, key_of, counts in self._some if counts(facts)]
        return asks


class Admission:
    """Decides on requests. `secret` keys the hashes of credentials; who shares the store must have the same."""

    def __init__(
        self,
        gateway: GatewayFile,
        *,
        secret: bytes,
        clock: Clock,
        store: Store,
        metrics: LimitMetrics,
        before: Admission | None = None,
    ) -> None:
        """Compile the gateway's policies; who waits, and who was refused lately, is known from the one `before`."""
        self._trusted = gateway.trusted_proxies
        self._secret = secret
        self._keys: Keys = Keys(secret) if before is None else before._keys  # noqa: SLF001 - another of the same kind
        self._clock = clock
        self._store = store
        self._metrics = metrics
        self.rooms: WaitingRooms = WaitingRooms(clock) if before is None else before.rooms
        self._everybody = policies.of_gateway(gateway)
        self._own = {client.name: policies.of_client(gateway, client) for client in gateway.clients if client.limits}
        self.strangers: Strangers = Recent(_STRANGERS) if before is None else before.strangers
        self._applied: dict[tuple[str | None, Way], Applied] = {}

    def trusts(self, peer: str) -> bool:
        """Tell whether the address at the other end of a connection is a proxy of ours."""
        return bool(self._trusted) and is_trusted(peer, self._trusted)

    def facts(self, call: Call, headers: Headers, target: bytes = b"") -> Facts:
        """Return what limits may count a request by."""
        peer, trusted = call.peer or "", self._trusted
        return Facts(
            client=call.client,
            ip=client_address(peer, headers, trusted) if trusted else peer,
            headers=headers,
            upstream=call.upstream,
            route=call.route,
            method=call.method,
            path=target.partition(b"?")[0],
        )

    def decide(self, facts: Facts, way: Way) -> Decision | Future[Decision] | None:
        """Charge the request's policies; None when none applies. Who cancels a decision that comes later has left."""
        applied = self._applied_to(facts, way)
        if not applied.keyed:
            return None
        asks = applied.asks(facts)
        found = self._in_line(facts, asks) if applied.waits else self._ask(asks)
        return found if isinstance(found, Decision) else ensure_future(found)

    def note(self, decision: Decision) -> None:
        """Count a decision that was made."""
        self._metrics.decided(decision)

    def refund(self, charges: tuple[Charge, ...]) -> tuple[Verdict, ...]:
        """Give back what a request was charged, and return what its policies say then."""
        said = self._give_back(charges)
        self.rooms.freed(charges)
        return said

    def release(self, charges: tuple[Charge, ...]) -> None:
        """Note that a request is over, for the policies that count what is under way."""
        held = [charge for charge in charges if charge.policy.algorithm is Algorithm.CONCURRENCY]
        if held:
            self._store.release(held, self._now_us())
            self.rooms.freed(held)

    def _ask(self, asks: Sequence[Ask]) -> Decision | Deciding:
        return self._store.decide(asks, self._now_us(), self._unix_us())

    def _give_back(self, charges: tuple[Charge, ...]) -> tuple[Verdict, ...]:
        return self._store.refund(charges, self._now_us(), self._unix_us())

    def _in_line(self, facts: Facts, asks: Sequence[Ask]) -> Decision | Deciding:
        """Ask unless others wait for the same; who is refused by what lets him wait waits for his turn."""
        client = self._keys.principal(facts)
        if self.rooms.occupied(asks):
            return self.rooms.enter(lambda: self._ask(asks), client, asks, self._give_back)
        found = self._ask(asks)
        if isinstance(found, Decision):
            return self._or_wait(client, asks, found)
        decided = ensure_future(found)
        later = ensure_future(self._later(client, asks, decided))
        later.add_done_callback(lambda later: self._left(decided) if later.cancelled() else None)
        return later

    async def _later(self, client: bytes, asks: Sequence[Ask], decided: Future[Decision]) -> Decision:
        found = self._or_wait(client, asks, await decided)
        return found if isinstance(found, Decision) else await found

    def _left(self, decided: Future[Decision]) -> None:
        """Take a question back, which may have been cancelled before anybody waited for it; or what it charged."""
        if not decided.done():
            decided.cancel()
        elif not decided.cancelled() and decided.exception() is None and decided.result().charges:
            self.refund(decided.result().charges)  # it came in the moment in which the client left

    def _or_wait(self, client: bytes, asks: Sequence[Ask], found: Decision) -> Decision | Deciding:
        if found.admitted:
            return found
        return self.rooms.enter(lambda: self._ask(asks), client, asks, self._give_back, found)

    def peek(self, asked: Iterable[tuple[Policy, int]], facts: Facts, principal: bytes | None) -> Decision | Deciding:
        """Return what policies would say to a request that costs so much under each, without charging any.

        `principal` stands in for who the facts say is asking.
        """
        asks = [(policy, self._keys.key(policy, facts, principal), cost) for policy, cost in asked]
        return self._store.peek(asks, self._now_us(), self._unix_us())

    def _applied_to(self, facts: Facts, way: Way) -> Applied:
        """Return the policies of a request; they are put together once for each client of its own and each way."""
        client = facts.client if facts.client in self._own else None
        applied = self._applied.get((client, way))
        if applied is None:
            every = (self._everybody if client is None else self._own[client]) + way.policies
            applied = Applied(tuple([(policy, self._keys.of(policy)) for policy in every]), way.counted)
            self._applied[client, way] = applied
        return applied

    def _now_us(self) -> int:
        return int(self._clock.monotonic_s() * US_IN_S)

    def _unix_us(self) -> int:
        return int(self._clock.now_s() * US_IN_S)

    def shown(self, facts: Facts) -> str:
        """Return the client as logs and the status page may name it: its configured name, else a keyed hash."""
        if facts.client is not None:
            return facts.client
        principal = self._keys.principal(facts)
        shown = f"#{blake2b(principal, digest_size=_SHOWN_BYTES, key=self._secret).hexdigest()}"
        self.strangers.put(shown, (principal, facts.ip))
        return shown
