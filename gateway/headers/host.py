"""What may stand in `Host` (RFC 9110 section 7.2, RFC 3986 section 3.2): a name or an address, and perhaps a port."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv6Address
from typing import Final

_NAME_BYTES: Final = b"-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LONGEST_NAME: Final = 255
_LONGEST_PORT: Final = 5
_HIGHEST_PORT: Final = 65_535


def is_authority(text: bytes) -> bool:
    """Tell whether `text` is `host` or `host:port`. No user, no percent-encoding, no list, no path.

    RFC 3986 lets more into a registered name than any client sends; commas and quotes there have been used to make two
    servers see two hosts.
    """
    name, port = split_authority(text)
    if port is not None and not _is_port(port):
        return False
    if name.startswith(b"["):
        return _is_ipv6(name)
    return bool(name) and len(name) <= _LONGEST_NAME and not name.translate(None, _NAME_BYTES) and _has_labels(name)


def split_authority(text: bytes) -> tuple[bytes, bytes | None]:
    """Return the host (an IPv6 address with its brackets) and the port, None when no port is written."""
    name, colon, port = text.rpartition(b":")
    if not colon or port.endswith(b"]"):
        return text, None
    return name, port


def _has_labels(name: bytes) -> bool:
    return b".." not in name and not name.startswith(b".")


def _is_port(port: bytes) -> bool:
    return port.isdigit() and len(port) <= _LONGEST_PORT and int(port) <= _HIGHEST_PORT


def _is_ipv6(name: bytes) -> bool:
    if not name.endswith(b"]") or b"%" in name:
        return False
    try:
        IPv6Address(name[1:-1].decode("ascii"))
    except (AddressValueError, UnicodeDecodeError):
        return False
    return True
