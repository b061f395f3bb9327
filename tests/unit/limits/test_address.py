"""Who the client is, behind proxies that are trusted."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from gateway.limits import client_address
from gateway.limits.address import is_trusted

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))
PROXY = "10.0.0.1"


def behind(*lines: tuple[str, str], peer: str = PROXY) -> str:
    """Return the client's address when a peer sent these lines."""
    headers = tuple((name.encode(), value.encode("latin-1")) for name, value in lines)
    return client_address(peer, headers, TRUSTED)


def test_no_trusted_proxies() -> None:
    """Without trusted proxies nobody is believed."""
    assert client_address("10.0.0.1", ((b"X-Forwarded-For", b"192.0.2.1"),), ()) == "10.0.0.1"


@pytest.mark.parametrize("peer", ["192.0.2.9", "2001:db8::9", "", "nonsense"])
def test_stranger(peer: str) -> None:
    """A peer that is no trusted proxy is itself the client, whatever it says."""
    assert behind(("X-Forwarded-For", "192.0.2.1"), peer=peer) == peer


def test_says_nothing() -> None:
    """A trusted proxy that names nobody is the client."""
    assert behind() == PROXY
    assert behind(("X-Forwarded-For", " , ,"), ("Forwarded", "")) == PROXY


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("198.51.100.1, 192.0.2.1", "192.0.2.1"),
        ("198.51.100.1, 192.0.2.1, 10.1.2.3", "192.0.2.1"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("192.0.2.1, 2001:db8:ffff::1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, ::ffff:10.0.0.7", "192.0.2.1"),
        ("nonsense, 192.0.2.1", "192.0.2.1"),
        ("unknown, 192.0.2.1", "192.0.2.1"),
        ("192.0.2.1,\t10.0.0.9 ,", "192.0.2.1"),
    ],
)
def test_x_forwarded_for(value: str, expected: str) -> None:
    """The right-most address that is no trusted proxy counts; what stands left of it does not matter."""
    assert behind(("X-Forwarded-For", value)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "unknown",
        "_hidden",
        "nonsense",
        "192.0.2.256",
        "192.0.2.1:",
        "192.0.2.1:x",
        "192.0.2.1:123456",
        "[2001:db8::1",
        "[192.0.2.1]",
        "[2001:db8::1]443",
        "[2001:db8::1%eth0]",
        "fe80::1%eth0",
        "192.0.2.1 198.51.100.1",
        "192.0.2.1, unknown",
        "192.0.2.1, nonsense, 10.0.0.2",
        "\xb9\xb2",
        '"192.0.2.1"',
    ],
)
def test_unreadable(value: str) -> None:
    """Where the chain cannot be read the peer counts: the address that cannot be forged."""
    assert behind(("X-Forwarded-For", value)) == PROXY


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("for=192.0.2.43", "192.0.2.43"),
        ("For=192.0.2.43;proto=http;by=203.0.113.43", "192.0.2.43"),
        ('for="192.0.2.43:47011"', "192.0.2.43"),
        ('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ('for="[2001:db8:cafe::17]:_obfuscated"', "2001:db8:cafe::17"),
        ('for="\\192.0.2.43"', "192.0.2.43"),
        ('for=198.51.100.7, for=192.0.2.43;host="a,b;c"', "192.0.2.43"),
        ("for=192.0.2.43, for=10.0.0.2", "192.0.2.43"),
        ("for=192.0.2.43 ; proto=https , for=10.0.0.2", "192.0.2.43"),
        ("for=unknown, for=192.0.2.43", "192.0.2.43"),
    ],
)
def test_forwarded(value: str, expected: str) -> None:
    """RFC 7239: quoted strings, IPv6 in brackets, ports."""
    assert behind(("Forwarded", value)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "for=unknown",
        "for=_SEVKISEK",
        "proto=https",
        "for=192.0.2.43;for=198.51.100.7",
        'for="192.0.2.43',
        'for="192.0.2.43, for=198.51.100.7',
        "192.0.2.43",
        "for=",
    ],
)
def test_forwarded_unreadable(value: str) -> None:
    """An unknown, hidden or broken element in the last place gives the peer."""
    assert behind(("Forwarded", value)) == PROXY


def test_several_lines() -> None:
    """Lines of one name are one list; a broken line of the client's does not spoil the proxy's own."""
    assert behind(("X-Forwarded-For", "198.51.100.1"), ("x-forwarded-for", "192.0.2.1")) == "192.0.2.1"
    assert behind(("Forwarded", 'for="'), ("Forwarded", "for=192.0.2.1")) == "192.0.2.1"


def test_two_stories() -> None:
    """A proxy that writes one field may pass on the client's other one: where they differ neither is believed."""
    assert behind(("Forwarded", "for=192.0.2.1"), ("X-Forwarded-For", "192.0.2.1")) == "192.0.2.1"
    assert behind(("Forwarded", "for=198.51.100.7"), ("X-Forwarded-For", "192.0.2.1")) == PROXY
    assert behind(("Forwarded", "for=unknown"), ("X-Forwarded-For", "192.0.2.1")) == PROXY


def test_is_trusted() -> None:
    """Networks of either kind, and IPv4 that is written as IPv6."""
    assert is_trusted("10.255.0.1", TRUSTED)
    assert is_trusted("::ffff:10.0.0.1", TRUSTED)
    assert is_trusted("2001:db8:ffff::1", TRUSTED)
    assert not is_trusted("11.0.0.1", TRUSTED)
    assert not is_trusted("", TRUSTED)
