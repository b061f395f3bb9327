"""What a request's head must not say: each check returns a refusal or None.

Everything is refused that two servers could read differently (RFC 9112 section 11.2); where nginx, HAProxy and Envoy
differ, the strictest reading that real clients pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.headers import names
from gateway.headers.host import is_authority
from gateway.headers.lists import SPACE, is_token
from gateway.headers.refusal import Refusal, malformed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Version = tuple[int, int]
"""Major and minor version of HTTP."""
Apart = dict[bytes, list[bytes]]
"""The values of fields that have rules of their own, by name in lower case."""

HTTP_11: Final = (1, 1)
_LONGEST_LENGTH: Final = 18
_NO_FIELDS: Final = frozenset({b"close", b"keep-alive", b"upgrade", b"te", b""})
"""Options of `Connection` that name no field beyond those that never pass."""
_USUAL: Final = frozenset({b"keep-alive", b"Keep-Alive", b"close"})


def named_by_connection(values: Sequence[bytes]) -> frozenset[bytes]:
    """Return the fields that `Connection` names (RFC 9110 section 7.6.1), spelled as in `PLACES`."""
    if not values or _USUAL.issuperset(values):
        return frozenset()
    options = (option.strip(SPACE) for value in values for option in value.split(b","))
    return frozenset(option.lower().replace(b"_", b"-") for option in options) - _NO_FIELDS


def check_connection(named: frozenset[bytes]) -> Refusal | None:
    """Let Connection name no field that matters to more than one connection."""
    for option in named:
        if not is_token(option):
            return malformed("Connection is not a list of tokens")
        if option in names.NOT_HOP_BY_HOP or option.startswith(names.FORWARDING_PREFIX):
            return malformed("Connection names a field that is not of one connection")
    return None


def check_host(hosts: Sequence[bytes], version: Version, authority: bytes | None) -> Refusal | None:
    """Demand exactly one valid Host on HTTP/1.1, at most one before (RFC 9112 section 3.2)."""
    if len(hosts) > 1:
        return malformed("Host is repeated")
    host = hosts[0] if hosts else b""
    if authority is not None and not is_authority(authority):
        return malformed("the target's authority is not a name or an address, with a port or without")
    if not host:
        return malformed("Host is missing or empty") if version >= HTTP_11 else None
    if not is_authority(host):
        return malformed("Host is not a name or an address, with a port or without")
    if authority is not None and authority.lower() != host.lower():
        return malformed("Host is not that of the target")
    return None


def check_framing(lengths: Sequence[bytes], codings: Sequence[bytes], version: Version) -> Refusal | None:
    """Demand one framing that nobody can read in two ways (RFC 9112 section 6.3)."""
    if codings:
        return malformed("both Content-Length and Transfer-Encoding") if lengths else _check_coding(codings, version)
    if len(lengths) > 1:
        return malformed("Content-Length is repeated")
    if lengths and not (lengths[0].isdigit() and len(lengths[0]) <= _LONGEST_LENGTH):
        return malformed("Content-Length is not a number")
    return None


def _check_coding(codings: Sequence[bytes], version: Version) -> Refusal | None:
    """Allow `chunked` alone; another coding below it is one we do not know (RFC 9112 section 6.1 wants 501)."""
    if version != HTTP_11:
        return malformed("Transfer-Encoding is of HTTP/1.1 alone")
    said = [coding.strip(SPACE).lower() for value in codings for coding in value.split(b",")]
    if said == [b"chunked"]:
        return None
    if said[-1] == b"chunked" and said.count(b"chunked") == 1 and all(said):
        return malformed("a transfer coding other than chunked")
    return malformed("Transfer-Encoding does not end in one chunked")


def check_expect(expectations: Sequence[bytes]) -> Refusal | None:
    """Know one expectation (RFC 9110 section 10.1.1)."""
    if all(value.lower() == b"100-continue" for value in expectations):
        return None
    return Refusal("expectation_failed", "an expectation other than 100-continue")


def check_apart(apart: Mapping[bytes, list[bytes]], version: Version, authority: bytes | None) -> Refusal | None:
    """Run all checks on fields that were set apart, but for Connection's."""
    return (
        check_host(apart.get(b"host", ()), version, authority)
        or check_framing(apart.get(b"content-length", ()), apart.get(b"transfer-encoding", ()), version)
        or check_expect(apart.get(b"expect", ()))
    )
