"""What may stand in Host."""

from __future__ import annotations

import pytest

from gateway.headers.host import is_authority, split_authority


@pytest.mark.parametrize(
    "text",
    [
        b"gateway.example",
        b"gateway.example.",
        b"GATEWAY.example:8080",
        b"localhost",
        b"my_service:80",
        b"192.0.2.1:65535",
        b"[2001:db8::1]",
        b"[::1]:8080",
        b"[::ffff:192.0.2.1]",
        b"xn--mgbh0fb.example",
        b"a" * 255,
    ],
)
def test_valid(text: bytes) -> None:
    """A name or an address, with a port or without."""
    assert is_authority(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b":80",
        b".example",
        b"a..b",
        b"user@gateway.example",
        b"user:pass@gateway.example",
        b"gateway.example/x",
        b"gateway.example?x",
        b"gateway.example#x",
        b"a.example,b.example",
        b"a.example b.example",
        b"a%2eexample",
        b"a.example:",
        b"a.example:8o",
        b"a.example:-1",
        b"a.example:65536",
        b"a.example:000080",
        b"a.example:80:80",
        b"2001:db8::1",
        b"[2001:db8::1",
        b"[2001:db8::1]x",
        b"[2001:db8::1]:x",
        b"[fe80::1%eth0]",
        b"[192.0.2.1]",
        b"[v1.a]",
        b"[::\xff]",
        b"[]",
        b"]",
        b"\xd9\x85.example",
        b'"a"',
        b"a\\b",
        b"a" * 256,
    ],
)
def test_invalid(text: bytes) -> None:
    """Whatever could make two servers see two hosts."""
    assert not is_authority(text)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (b"a.example", b"a.example", None),
        (b"a.example:80", b"a.example", b"80"),
        (b"[::1]", b"[::1]", None),
        (b"[::1]:80", b"[::1]", b"80"),
        (b"", b"", None),
    ],
)
def test_split(text: bytes, host: bytes, port: bytes | None) -> None:
    """The colons of an IPv6 address are no port's."""
    assert split_authority(text) == (host, port)
