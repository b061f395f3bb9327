"""`X-Forwarded-*` and `Forwarded` (RFC 7239): what we tell an upstream of the client.

A peer that is not trusted says nothing here: its own fields are dropped and ours begin. What a trusted proxy said is
kept and continued. Where it wrote only one of the two families, only that one is continued: two chains that tell
different stories are worse than one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gateway.headers.host import split_authority
from gateway.headers.lists import is_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.headers.request import Field
    from gateway.model import Header, Headers

_DEFAULT_PORTS: Final = {b"http": b"80", b"https": b"443"}
_UNKNOWN: Final = b"unknown"
_FOR: Final = b"x-forwarded-for"
_FORWARDED: Final = b"forwarded"
_CHAINS: Final = frozenset({_FOR, _FORWARDED})
_CLIENTS_REMEMBERED: Final = 1_024


@lru_cache(maxsize=_CLIENTS_REMEMBERED)
def first_hop(peer: str, scheme: bytes, host: bytes) -> Headers:
    """Return the fields for a client whose word nobody vouches for. `host` is the authority asked of us."""
    node = peer.encode("ascii", "replace") or _UNKNOWN
    return (
        (b"X-Forwarded-For", node),
        (b"Forwarded", _element(node, scheme, host)),
        (b"X-Forwarded-Proto", scheme),
        (b"X-Forwarded-Host", host),
        (b"X-Forwarded-Port", split_authority(host)[1] or _DEFAULT_PORTS[scheme]),
    )


def further_hop(said: Sequence[Field], peer: str, scheme: bytes, host: bytes) -> Headers:
    """Return the fields behind a trusted proxy: what it `said`, continued, and ours where it said nothing."""
    own = first_hop(peer, scheme, host)
    (_, node), (_, element), *rest = own
    present = {name for name, _ in said}
    if present.isdisjoint(_CHAINS):
        chains = own[:2]
    else:
        chains = (
            *_continued(present, said, _FOR, (b"X-Forwarded-For", node)),
            *_continued(present, said, _FORWARDED, (b"Forwarded", element)),
        )
    kept = [header for name, header in said if name not in _CHAINS]
    return (*chains, *kept, *[header for header in rest if header[0].lower() not in present])


def _continued(present: set[bytes], said: Sequence[Field], name: bytes, own: Header) -> Headers:
    """Return a chain with our element at its end; nothing when the proxy did not write this chain."""
    if name not in present:
        return ()
    values = [value for other, (_, value) in said if other == name and value]
    return ((own[0], b", ".join([*values, own[1]])),)


def _element(node: bytes, scheme: bytes, host: bytes) -> bytes:
    """Return one element of Forwarded. Without `by`: our own address is nobody's business."""
    address = b'"[%s]"' % node if b":" in node else node
    named = host if is_token(host) else b'"%s"' % host
    return b"for=%s;proto=%s" % (address, scheme) + (b";host=" + named if host else b"")
