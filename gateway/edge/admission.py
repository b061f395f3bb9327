"""Who is asking, and whether the limits let the request through.

Compiled once from the configuration: a request meets the gateway's policies, its upstream's, its route's and its
client's. A known client's own policies stand in for the gateway's that count by client, else the general one would
always be the tighter.
"""

from __future__ import annotations

from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Final

from gateway.limits import Facts, Keys, Policy, client_address
from gateway.limits.address import is_trusted
from gateway.limits.stores import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.config.models import GatewayFile, PolicyConfig
    from gateway.edge.call import Call
    from gateway.edge.clock import Clock
    from gateway.headers import RequestHead
    from gateway.limits import Charge, Decision, KeyOf, Verdict
    from gateway.model import Headers

_US_IN_S: Final = 1_000_000
_SHOWN_BYTES: Final = 6

Policies = tuple[Policy, ...]


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


Keyed = tuple[tuple[Policy, "KeyOf"], ...]
"""Policies, and how each finds the key of a request."""


class Admission:
    """Decides on requests. `secret` keys the hashes of credentials; it is the process's own."""

    def __init__(self, gateway: GatewayFile, *, secret: bytes, clock: Clock) -> None:
        """Compile the gateway's policies."""
        self._trusted = gateway.trusted_proxies
        self._secret = secret
        self._keys = Keys(secret)
        self._clock = clock
        self._store = MemoryStore()
        everybody = compiled(gateway.limits, scope="gateway")
        general = tuple(policy for policy in everybody if "client" not in policy.key)
        self._everybody = self._keyed(everybody)
        self._own = {
            client.name: self._keyed((*general, *compiled(client.limits, scope=f"client:{client.name}")))
            for client in gateway.clients
            if client.limits
        }
        self._ways: dict[int, tuple[Policies, Keyed]] = {}

    def trusts(self, peer: str) -> bool:
        """Tell whether the address at the other end of a connection is a proxy of ours."""
        return bool(self._trusted) and is_trusted(peer, self._trusted)

    def facts(self, call: Call, headers: Headers) -> Facts:
        """Return what limits may count a request by."""
        peer, trusted = call.peer or "", self._trusted
        return Facts(
            client=call.client,
            ip=client_address(peer, headers, trusted) if trusted else peer,
            headers=headers,
            upstream=call.upstream,
            route=call.route,
            method=call.method,
        )

    def decide(self, facts: Facts, policies: Policies) -> Decision | None:
        """Charge the request's policies, `policies` being those of its way; None when none applies."""
        keyed = self._everybody if facts.client is None else self._own.get(facts.client, self._everybody)
        if policies:
            keyed += (self._ways.get(id(policies)) or self._compile(policies))[1]
        if not keyed:
            return None
        asks = [(policy, key_of(facts), policy.cost) for policy, key_of in keyed]
        return self._store.decide(asks, self._now_us(), self._unix_us())

    def _compile(self, policies: Policies) -> tuple[Policies, Keyed]:
        """Compile a way's policies, and keep them, so that no others can take their identity."""
        found = self._ways[id(policies)] = (policies, self._keyed(policies))
        return found

    def _keyed(self, policies: Policies) -> Keyed:
        return tuple([(policy, self._keys.of(policy)) for policy in policies])

    def refund(self, charges: tuple[Charge, ...]) -> tuple[Verdict, ...]:
        """Give back what a request was charged, and return what its policies say then."""
        return self._store.refund(charges, self._now_us(), self._unix_us())

    def _now_us(self) -> int:
        return int(self._clock.monotonic_s() * _US_IN_S)

    def _unix_us(self) -> int:
        return int(self._clock.now_s() * _US_IN_S)

    def shown(self, facts: Facts) -> str:
        """Return the client as logs and the status page may name it: its configured name, else a keyed hash."""
        if facts.client is not None:
            return facts.client
        digest = blake2b(self._keys.principal(facts), digest_size=_SHOWN_BYTES, key=self._secret)
        return f"#{digest.hexdigest()}"


def compiled(configs: Iterable[PolicyConfig], *, scope: str) -> Policies:
    """Return policies as the limits decide by them."""
    return tuple(config.policy(scope) for config in configs)
