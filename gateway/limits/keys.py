"""Whom a limit counts: the key of a request under a policy.

Invariants: no credential becomes a key; what a client sent is hashed with a secret of the process first (BLAKE2), so
that neither a store nor a log can give it back. Every part carries its kind and none can hold the byte between parts,
so no two requests that differ share a key by accident. A client cannot leave a policy by leaving a header out: its
address stands in.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final

from gateway.limits.policy import HEADER_PART
from gateway.limits.values import Facts

if TYPE_CHECKING:
    from gateway.limits.policy import Policy

_DIGEST_BYTES: Final = 16
_SEPARATOR: Final = b"\0"
_NETWORK_BYTES: Final = 8
_ADDRESSES_REMEMBERED: Final = 4_096
HASHES_REMEMBERED: Final = 2_048
REMEMBERED_BYTES: Final = 2_048
"""The longest value whose hash is remembered: what clients can make us hold is the product of the two."""


KeyOf = Callable[[Facts], bytes]
"""Returns the key under which one policy counts a request."""


class Keys:
    """Makes keys. Clients ask again and again, so the hashes of what they sent lately are remembered."""

    def __init__(self, secret: bytes) -> None:
        """Key the hashes with `secret`, of at most 64 bytes."""
        self._secret = secret
        self._hashes: dict[bytes, bytes] = {}
        self._authorization = self._field("authorization")
        self._parts: dict[str, KeyOf] = {
            "client": self.principal,
            "ip": _ip,
            "upstream": _upstream,
            "route": _route,
            "method": _method,
            "path": _path,
        }

    @property
    def remembered(self) -> int:
        """How many hashes are remembered."""
        return len(self._hashes)

    def of(self, policy: Policy) -> KeyOf:
        """Compile what `policy` counts by."""
        parts = [self._part(part) for part in policy.key]
        if len(parts) == 1:
            return parts[0]
        return lambda facts: _SEPARATOR.join([part(facts) for part in parts])

    def key(self, policy: Policy, facts: Facts, principal: bytes | None) -> bytes:
        """Return the key of a request under `policy`, as `of` does; `principal` stands in for who is asking."""
        parts = [self._part(part)(facts) if principal is None or part != "client" else principal for part in policy.key]
        return _SEPARATOR.join(parts)

    def principal(self, facts: Facts) -> bytes:
        """Return who the client is: its configured name, else the keyed hash of `Authorization`, else its network."""
        if facts.client is not None:
            return b"client=" + facts.client.encode()
        return self._authorization(facts)

    def _part(self, part: str) -> KeyOf:
        """Return one part of a key, compiled once for all policies."""
        if part not in self._parts:
            self._parts[part] = self._field(part.removeprefix(HEADER_PART))
        return self._parts[part]

    def _field(self, name: str) -> KeyOf:
        """Compile the keyed hash of all of a field's values, or the client's network when it sent none."""
        wanted, length = name.lower().encode("ascii"), len(name)
        hashes = self._hashes

        def hashed(facts: Facts) -> bytes:
            said: bytes | None = None
            for field, value in facts.headers:
                if len(field) == length and field.lower() == wanted:
                    said = value if said is None else said + _SEPARATOR + value
            if said is None:
                return _network(facts.ip)
            return wanted + (hashes.get(said) or self._hash(said))

        return hashed

    def _hash(self, value: bytes) -> bytes:
        """Return the end of a key for a value that was not remembered."""
        digest = blake2b(value, digest_size=_DIGEST_BYTES, key=self._secret).hexdigest()
        end = b"#" + digest.encode("ascii")
        if len(value) <= REMEMBERED_BYTES:
            if len(self._hashes) >= HASHES_REMEMBERED:
                self._hashes.clear()
            self._hashes[value] = end
        return end


def _ip(facts: Facts) -> bytes:
    return _network(facts.ip)


def _upstream(facts: Facts) -> bytes:
    return b"upstream=" + (facts.upstream or "").encode()


def _route(facts: Facts) -> bytes:
    """Return the route, which has a meaning within its upstream only."""
    return _upstream(facts) + b"/route=" + (facts.route or "").encode()


def _method(facts: Facts) -> bytes:
    return b"method=" + facts.method.encode()


def _path(facts: Facts) -> bytes:
    return facts.method.encode() + b" " + facts.path


@lru_cache(maxsize=_ADDRESSES_REMEMBERED)
def _network(ip: str) -> bytes:
    """Return an IPv4 address, or the /64 of an IPv6 one: a single customer is given at least that many addresses."""
    if ":" not in ip:
        return b"ip=" + ip.encode()
    address = IPv6Address(ip)
    if address.ipv4_mapped is not None:
        return b"ip=" + str(address.ipv4_mapped).encode()
    return b"ip=" + address.packed[:_NETWORK_BYTES].hex().encode() + b"/64"
