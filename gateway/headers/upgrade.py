"""The one upgrade that is made: WebSocket (RFC 6455 sections 4.1 and 4.2.2; RFC 9110 section 7.8).

What is no proper handshake loses its `Upgrade` and is an ordinary request; what is no proper answer to one makes no
tunnel. What is said after that, frames and subprotocols, is between the two ends and is not looked at.
"""

from __future__ import annotations

from base64 import b64encode
from binascii import Error, a2b_base64
from hashlib import sha1
from typing import TYPE_CHECKING, Final

from gateway.headers.checks import HTTP_11
from gateway.headers.lists import SPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.headers.checks import Version
    from gateway.model import Header

SWITCHING_PROTOCOLS: Final = 101

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES: Final = 16
_PROTOCOL: Final = b"websocket"
_OPTION: Final = b"upgrade"
_KEY: Final = b"sec-websocket-key"
_VERSION: Final = b"sec-websocket-version"
_ACCEPT: Final = b"sec-websocket-accept"
_LENGTH: Final = b"content-length"
_CODING: Final = b"transfer-encoding"
_LOOKED_AT: Final = frozenset({b"connection", b"upgrade", _KEY, _VERSION, _ACCEPT, _LENGTH, _CODING})


def handshake_key(method: str, version: Version, headers: Sequence[Header]) -> bytes | None:
    """Return the key of a request that is a WebSocket handshake, None for any other request."""
    if method != "GET" or version != HTTP_11:
        return None
    found = _found(headers)
    framed = _LENGTH in found or _CODING in found
    if framed or not _switches(found, _KEY, _VERSION) or found.get(_VERSION) != [b"13"]:
        return None
    keys = found.get(_KEY, ())
    return keys[0] if len(keys) == 1 and _is_nonce(keys[0]) else None


def handshake_fault(headers: Sequence[Header], key: bytes) -> str | None:
    """Return what is wrong with the fields of a 101 to a handshake with `key`, None when nothing is.

    A 101 has no body (RFC 9110 section 15.2), so that a length in it can only be an error; some servers say 0.
    """
    found = _found(headers)
    if _CODING in found or found.get(_LENGTH, [b"0"]) != [b"0"]:
        return "a 101 that announces a body"
    if not _switches(found, _ACCEPT):
        return "a 101 that does not switch to websocket"
    if found.get(_ACCEPT) != [accept_of(key)]:
        return "a 101 whose Sec-WebSocket-Accept does not answer the key"
    return None


def accept_of(key: bytes) -> bytes:
    """Return the `Sec-WebSocket-Accept` that answers a key."""
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def _found(headers: Sequence[Header]) -> dict[bytes, list[bytes]]:
    """Return all values of the fields that decide, without the white space around them."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in _LOOKED_AT:
            found.setdefault(lower, []).append(value.strip(SPACE))
    return found


def _switches(found: dict[bytes, list[bytes]], *needed: bytes) -> bool:
    """Tell whether a message switches to WebSocket and nothing else, and keeps the `needed` fields."""
    if [value.lower() for value in found.get(b"upgrade", ())] != [_PROTOCOL]:
        return False
    options = {option.strip(SPACE).lower() for value in found.get(b"connection", ()) for option in value.split(b",")}
    return _OPTION in options and options.isdisjoint(needed)


def _is_nonce(key: bytes) -> bool:
    """Tell whether a key is 16 bytes in Base64, spelled in the one right way."""
    try:
        nonce = a2b_base64(key, strict_mode=True)
    except Error:
        return False
    return len(nonce) == _KEY_BYTES and b64encode(nonce) == key
