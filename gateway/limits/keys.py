"""Whom a limit counts: the key of a request under a policy.

Invariants: no credential becomes a key; what a client sent is hashed with a secret of the process first (BLAKE2), so
that neither a store nor a log can give it back. Every part carries its kind and none can hold the byte between parts,
so no two requests that differ share a key by accident. A client cannot leave a policy by leaving a header out: its
address stands in.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from gateway.limits.policy import HEADER_PART
from gateway.model import Headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.limits.policy import Policy

_DIGEST_BYTES: Final = 16
_SEPARATOR: Final = b"\0"
_NETWORK_BYTES: Final = 8
_ADDRESSES_REMEMBERED: Final = 4_096


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of a request when limits decide.

    `client` is the configured name of an authenticated client, else None. `ip` is the address by `client_address`.
    `headers` are the client's fields. `upstream` and `route` are names, None where there is none.
    """

    client: str | None
    ip: str
    headers: Headers
    upstream: str | None
    route: str | None
    method: str


def key_of(policy: Policy, facts: Facts, secret: bytes) -> bytes:
    """Return the key under which `policy` counts a request. `secret` (at most 64 bytes) keys the hashes."""
    parts = policy.key
    if len(parts) == 1:
        return _part(parts[0], facts, secret)
    return _SEPARATOR.join([_part(part, facts, secret) for part in parts])


def principal(facts: Facts, secret: bytes) -> bytes:
    """Return who the client is: its configured name, else the keyed hash of `Authorization`, else its network."""
    if facts.client is not None:
        return b"client=" + facts.client.encode()
    return _hashed("authorization", facts, secret)


def _part(part: str, facts: Facts, secret: bytes) -> bytes:
    """Return one part of a key."""
    if part.startswith(HEADER_PART):
        return _hashed(part[len(HEADER_PART) :], facts, secret)
    return _PARTS[part](facts, secret)


def _hashed(name: str, facts: Facts, secret: bytes) -> bytes:
    """Return the keyed hash of all of a field's values, or the client's network when it sent none."""
    wanted = name.lower().encode("ascii")
    values = [value for field, value in facts.headers if len(field) == len(wanted) and field.lower() == wanted]
    if not values:
        return _network(facts.ip)
    digest = blake2b(_SEPARATOR.join(values), digest_size=_DIGEST_BYTES, key=secret).hexdigest()
    return wanted + b"#" + digest.encode("ascii")


def _ip(facts: Facts, _secret: bytes) -> bytes:
    return _network(facts.ip)


def _upstream(facts: Facts, _secret: bytes) -> bytes:
    return b"upstream=" + (facts.upstream or "").encode()


def _route(facts: Facts, secret: bytes) -> bytes:
    """Return the route, which has a meaning within its upstream only."""
    return _upstream(facts, secret) + b"/route=" + (facts.route or "").encode()


def _method(facts: Facts, _secret: bytes) -> bytes:
    return b"method=" + facts.method.encode()


_PARTS: Final[Mapping[str, Callable[[Facts, bytes], bytes]]] = {
    "client": principal,
    "ip": _ip,
    "upstream": _upstream,
    "route": _route,
    "method": _method,
}


@lru_cache(maxsize=_ADDRESSES_REMEMBERED)
def _network(ip: str) -> bytes:
    """Return an IPv4 address, or the /64 of an IPv6 one: a single customer is given at least that many addresses."""
    if ":" not in ip:
        return b"ip=" + ip.encode()
    address = IPv6Address(ip)
    if address.ipv4_mapped is not None:
        return b"ip=" + str(address.ipv4_mapped).encode()
    return b"ip=" + address.packed[:_NETWORK_BYTES].hex().encode() + b"/64"
